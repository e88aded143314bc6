/**
 * docs/benchmarks.md: the generated part of each scenario stands between two markers that name it; everything else is
 * written by hand.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Report, Scenario, Table } from './bench.ts'
import { type Machine, projectFolder } from './machine.ts'

const page = join(projectFolder, 'docs', 'benchmarks.md')

/** Puts a scenario's figures into the page. @throws Error when the page has no place for them */
export function writePage(scenario: Scenario, part: string): void {
  const [start, end] = [`<!-- ${scenario.name}: figures -->`, `<!-- ${scenario.name}: end -->`]
  const text = readFileSync(page, 'utf8')
  const [from, to] = [text.indexOf(start), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`unable to write the figures: docs/benchmarks.md has no line ${start}`)
  writeFileSync(page, `${text.slice(0, from + start.length)}\n\n${part}\n${text.slice(to)}`)
}

/** A scenario's figures as they stand in the page. */
export function renderReport(scenario: Scenario, report: Report, command: string, machine: Machine): string {
  const targets = report.targets.map(
    one => `- ${one.met ? 'met' : '**missed**'}: ${one.promise}. Found: ${one.result}.`,
  )
  const parts = [
    scenario.about,
    ...(targets.length === 0 ? [] : [targets.join('\n')]),
    ...report.tables.map(renderTable),
    ...report.notes,
    `${renderMachine(machine)} Command: \`${command}\`.`,
  ]
  return `${parts.join('\n\n')}\n`
}

function renderTable(table: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [`${table.caption}:`, '', line(table.head), line(table.head.map(() => '---')), ...table.rows.map(line)].join(
    '\n',
  )
}

function renderMachine(machine: Machine): string {
  const placement = machine.pinned
    ? 'processes pinned to cores'
    : '**processes not pinned**: no taskset or only one core'
  return (
    `${machine.date}, commit ${machine.commit}. ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ` +
    `${machine.system}, Node ${machine.node}, ${placement}.`
  )
}
