/**
 * `npm run fleet:figures`: puts what the last runs of `npm run test:fleet` found into docs/benchmarks.md, and the picture of
 * the autoscaler beside it. Scenarios that were not run keep what the page says of them.
 */
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderTable, renderTargets, showMachine, writePart } from '@flotilla/testing/load'
import { type KeptReport, reportsFolder } from './load/report.ts'
import { inProject } from './root.ts'

/** In the order of the page. */
const scenarios = [
  'roll-out',
  'scale-in',
  'scale-up',
  'gateway-lost',
  'node-lost',
  'api-rolled',
  'redis-replaced',
  'storm',
  'autoscaling',
] as const

/** A table of many rows is for the report's file; a page shows its shape. */
const rowsMax = 12

function render({ about, targets, tables, machine, command }: KeptReport, picture: string | undefined): string {
  const thinned = tables.map(table => {
    const step = Math.ceil(table.rows.length / rowsMax)
    return { ...table, rows: table.rows.filter((_, nth) => nth % step === 0 || nth === table.rows.length - 1) }
  })
  const parts = [
    about,
    renderTargets(targets),
    ...(picture === undefined ? [] : [picture]),
    ...thinned.map(renderTable),
  ]
  return `${[...parts, `${showMachine(machine)}. Command: \`${command}\`.`].join('\n\n')}\n`
}

for (const name of scenarios) {
  const file = join(reportsFolder, `${name}.json`)
  if (!existsSync(file)) continue
  const report = JSON.parse(readFileSync(file, 'utf8')) as KeptReport
  const drawing = join(reportsFolder, `${name}.svg`)
  const isDrawn = existsSync(drawing)
  if (isDrawn) copyFileSync(drawing, inProject(`docs/images/${name}.svg`))
  writePart(
    inProject('docs/benchmarks.md'),
    `fleet-${name}`,
    render(report, isDrawn ? `![${report.title}](images/${name}.svg)` : undefined),
  )
  console.log(`${name}: ${report.targets.filter(target => target.met).length} of ${report.targets.length} targets met`)
}
