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

/** Puts a measurement's figures into a page, and its summary, where it has one. @throws Error when it has no place for them */
export function writePart(page: string, name: string, part: string): void {
  const text = replacePart(readFileSync(page, 'utf8'), name, part)
  if (text === undefined) throw new Error(`unable to write the figures: ${page} has no line ${startOf(name)}`)
  writeFileSync(page, replacePart(text, 'summary', summarize(text)) ?? text)
}

const startOf = (name: string) => `<!-- ${name}: figures -->`

function replacePart(text: string, name: string, part: string): string | undefined {
  const start = startOf(name)
  const [from, to] = [text.indexOf(start), text.indexOf(`<!-- ${name}: end -->`)]
  return from < 0 || to < from ? undefined : `${text.slice(0, from + start.length)}\n\n${part}\n${text.slice(to)}`
}

interface Section {
  readonly title: string
  /** Whether it stands below another heading, as one scenario of many do. */
  readonly below: boolean
  readonly targets: Target[]
}

/**
 * What a page says of its targets, in short. It is read off the page, so that it cannot say anything else. Sections have a
 * row for each target; those below another one have a row each, and say more themselves.
 */
export function summarize(page: string): string {
  const sections = sectionsOf(page).filter(({ targets }) => targets.length > 0)
  const [own, below] = [sections.filter(section => !section.below), sections.filter(section => section.below)]
  const targets: Table = {
    caption: `${countMet(own)} are met`,
    head: ['', 'target', 'found', ''],
    rows: own.flatMap(section =>
      section.targets.map(({ promise, result, met }, at) => [
        at === 0 ? linkTo(section) : '',
        promise,
        result,
        met ? 'met' : '**missed**',
      ]),
    ),
  }
  const fleet: Table = {
    caption: `Of a fleet under load, ${countMet(below)} are met`,
    head: ['', 'met', 'missed'],
    rows: below.map(section => {
      const missed = section.targets.filter(({ met }) => !met)
      return [
        linkTo(section),
        `${section.targets.length - missed.length} of ${section.targets.length}`,
        missed.map(({ promise }) => promise).join('; '),
      ]
    }),
  }
  return `${[targets, ...(below.length === 0 ? [] : [fleet])].map(renderTable).join('\n\n')}\n`
}

function countMet(sections: readonly Section[]): string {
  const targets = sections.flatMap(section => section.targets)
  return `${targets.filter(({ met }) => met).length} of ${targets.length} targets`
}

/** As forges make the name of a heading. */
const linkTo = ({ title }: Section) =>
  `[${title}](#${title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')})`

function sectionsOf(page: string): Section[] {
  const sections: Section[] = []
  for (const line of page.split('\n')) {
    const [, hashes, title = ''] = /^(##+) (.+)$/.exec(line) ?? []
    if (hashes !== undefined) sections.push({ title, below: hashes.length > 2, targets: [] })
    const [, state, promise = '', result = ''] = /^- (met|\*\*missed\*\*): (.+?)\. Found: (.+)\.$/.exec(line) ?? []
    if (state !== undefined) sections.at(-1)?.targets.push({ promise, result, met: state === 'met' })
  }
  return sections
}
