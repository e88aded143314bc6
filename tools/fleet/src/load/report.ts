/** What a scenario found: printed for whoever watches, and kept in .cache/fleet for docs/benchmarks.md. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeMachine, renderTable, renderTargets, type Table, type Target } from '@flotilla/testing/load'
import { inProject } from '../root.ts'

export interface Report {
  readonly name: string
  readonly title: string
  /** What was done, in a few sentences. */
  readonly about: string
  readonly targets: readonly Target[]
  readonly tables: readonly Table[]
  /** All that was measured, for those who want to work with it. */
  readonly raw: unknown
}

export interface KeptReport extends Report {
  readonly machine: ReturnType<typeof describeMachine>
  readonly command: string
}

/** What makes the figures that are worth keeping. */
export const longCommand = 'npm run test:fleet'

export const reportsFolder = inProject('.cache/fleet')

/** Prints it and keeps it. @returns the targets that were missed, for the test to want none */
export function publish(report: Report, command: string): readonly Target[] {
  const { name, title, targets, tables } = report
  console.log(`\n## ${title}\n\n${[renderTargets(targets), ...tables.map(renderTable)].join('\n\n')}\n`)
  mkdirSync(reportsFolder, { recursive: true })
  const kept: KeptReport = { ...report, machine: describeMachine(), command }
  writeFileSync(join(reportsFolder, `${name}.json`), `${JSON.stringify(kept, null, 2)}\n`)
  return targets.filter(target => !target.met)
}
