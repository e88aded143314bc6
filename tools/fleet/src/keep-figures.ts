/**
 * The command `npm run fleet:figures`: puts what the last `npm run test:fleet` found into docs/benchmarks.md, and its
 * picture into docs/images. It keeps long runs alone: what short ones measure is not worth keeping.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readCommandLine } from '@flotilla/service'
import { renderTable, renderTargets, showMachine, writePart } from '@flotilla/testing/load'
import { type KeptReport, longCommand, reportsFolder } from './load/report.ts'
import { inProject } from './root.ts'

readCommandLine({
  usage: 'npm run fleet:figures',
  about: 'Copies the results of the last long npm run test:fleet into docs/benchmarks.md.',
})
const page = inProject('docs/benchmarks.md')
const images = inProject('docs/images')

const files = existsSync(reportsFolder) ? readdirSync(reportsFolder).filter(file => file.endsWith('.json')) : []
const reports = files
  .map(file => JSON.parse(readFileSync(join(reportsFolder, file), 'utf8')) as KeptReport)
  .filter(report => report.command === longCommand)
if (reports.length === 0)
  throw new Error(`unable to keep figures: there are none of a long run; ${longCommand} makes them`)

for (const report of reports) {
  const { name, about, targets, tables, machine, command } = report
  const parts = [
    about,
    renderTargets(targets),
    ...tables.map(renderTable),
    `${showMachine(machine)}. Command: \`${command}\`.`,
  ]
  writePart(page, `fleet-${name}`, `${parts.join('\n\n')}\n`)
  console.log(`${name}: ${targets.filter(target => target.met).length} of ${targets.length} promises kept`)
}
if (reports.some(report => report.name === 'autoscaling')) {
  mkdirSync(images, { recursive: true })
  copyFileSync(join(reportsFolder, 'autoscaling.svg'), join(images, 'autoscaling.svg'))
}
