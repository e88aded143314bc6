/**
 * Figures as they are read: what was promised and what came out, and tables. A page like docs/benchmarks.md holds the
 * generated part of each measurement between two markers that name it; everything else in it is written by hand.
 */
import { readFileSync, writeFileSync } from 'node:fs'

/** What was promised, and what came out. */
export interface Target {
  readonly promise: string
  readonly result: string
  readonly met: boolean
}

export interface Table {
  readonly caption: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export const renderTargets = (targets: readonly Target[]): string =>
  targets.map(one => `- ${one.met ? 'met' : '**missed**'}: ${one.promise}. Found: ${one.result}.`).join('\n')

export function renderTable(table: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [`${table.caption}:`, '', line(table.head), line(table.head.map(() => '---')), ...table.rows.map(line)].join(
    '\n',
  )
}

/** Puts a measurement's figures into a page. @throws Error when the page has no place for them */
export function writePart(page: string, name: string, part: string): void {
  const [start, end] = [`<!-- ${name}: figures -->`, `<!-- ${name}: end -->`]
  const text = readFileSync(page, 'utf8')
  const [from, to] = [text.indexOf(start), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`unable to write the figures: ${page} has no line ${start}`)
  writeFileSync(page, `${text.slice(0, from + start.length)}\n\n${part}\n${text.slice(to)}`)
}
