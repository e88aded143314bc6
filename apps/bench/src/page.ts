/** The part of docs/benchmarks.md that belongs to a scenario. */
import { join } from 'node:path'
import { type Machine, projectFolder, renderTable, renderTargets, showMachine, writePart } from '@flotilla/testing/load'
import type { Report, Scenario } from './bench.ts'
import { pinned } from './placement.ts'

/** Puts a scenario's figures into the page. @throws Error when the page has no place for them */
export const writePage = (scenario: Scenario, part: string): void =>
  writePart(join(projectFolder, 'docs', 'benchmarks.md'), scenario.name, part)

/** A scenario's figures as they stand in the page. */
export function renderReport(scenario: Scenario, report: Report, command: string, machine: Machine): string {
  const placement = pinned ? 'processes pinned to cores' : '**processes not pinned**: no taskset or only one core'
  const parts = [
    scenario.about,
    ...(report.targets.length === 0 ? [] : [renderTargets(report.targets)]),
    ...report.tables.map(renderTable),
    ...report.notes,
    `${showMachine(machine)}, ${placement}. Command: \`${command}\`.`,
  ]
  return `${parts.join('\n\n')}\n`
}
