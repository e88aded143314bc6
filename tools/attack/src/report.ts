/** What an attack run found, as it is printed and as it stands in docs/attacks.md. */
import { join } from 'node:path'
import {
  type Machine,
  projectFolder,
  renderTable,
  renderTargets,
  show,
  showMachine,
  type Table,
  type Target,
  writePart,
} from '@flotilla/testing/load'
import { residentBytesMax } from './memory.ts'
import { inMegabytes, type Outcome } from './run.ts'

/** How many times as long as before bystanders may wait. */
const slowdownMax = 2

/** Everything that an attack must leave whole. */
export const breachesOf = ({ attack, checks }: Outcome): string[] =>
  checks.filter(one => !one.held).map(({ holds, found }) => `${attack.name}: ${holds}. Found: ${found}`)

function targetsOf(outcomes: readonly Outcome[]): Target[] {
  const checks = outcomes.flatMap(outcome => outcome.checks)
  const breaches = outcomes.flatMap(breachesOf)
  const slowed = outcomes.filter(isSlowed).map(({ attack }) => attack.name)
  const floods = outcomes.filter(one => one.meanwhile !== undefined)
  const bounds = Object.entries(residentBytesMax).map(([app, bytes]) => `${app} ${inMegabytes(bytes)}`)
  const swollen = checks.filter(one => !one.held && one.holds.includes('stays below'))
  return [
    {
      promise: 'everything holds that must hold',
      result: [`${checks.length - breaches.length} of ${checks.length}`, ...breaches].join('; '),
      met: breaches.length === 0,
    },
    {
      promise: `the message p99 of bystanders at most ${slowdownMax} times that before the attack`,
      result: slowed.length === 0 ? `in all of ${floods.length} floods` : `not in ${slowed.join(', ')}`,
      met: slowed.length === 0,
    },
    {
      promise: `resident memory at most: ${bounds.join(', ')}`,
      result: swollen.length === 0 ? 'in all attacks' : swollen.map(one => one.found).join(', '),
      met: swollen.length === 0,
    },
  ]
}

const isSlowed = ({ before, meanwhile }: Outcome) =>
  before !== undefined && meanwhile !== undefined && !(meanwhile.p99Ms <= before.p99Ms * slowdownMax)

function tablesOf(outcomes: readonly Outcome[]): Table[] {
  return [
    {
      caption: 'What was tried, and what it did',
      head: [
        'attack',
        'by',
        'tries',
        'held',
        'p99 of bystanders before / meanwhile, ms',
        'their requests',
        'most memory',
      ],
      rows: outcomes.map(outcome => {
        const { attack, checks, before, meanwhile, resident } = outcome
        const held = checks.filter(one => one.held).length
        return [
          attack.name,
          attack.by,
          attack.tries,
          `${held} of ${checks.length}`,
          before === undefined || meanwhile === undefined ? '' : `${show(before.p99Ms)} / ${show(meanwhile.p99Ms)}`,
          before === undefined || meanwhile === undefined
            ? ''
            : `${show(before.restP99Ms)} / ${show(meanwhile.restP99Ms)}${meanwhile.refused > 0 ? `, ${meanwhile.refused} refused` : ''}`,
          resident === undefined ? '' : `${resident.name} ${inMegabytes(resident.bytes)}`,
        ]
      }),
    },
    {
      caption: 'What must hold, and what was found',
      head: ['attack', 'holds', 'found', ''],
      rows: outcomes.flatMap(({ attack, checks }) =>
        checks.map(({ holds, held, found }) => [attack.name, holds, inCell(found), held ? 'held' : '**fell**']),
      ),
    },
  ]
}

const inCell = (text: string) => (text.length > 160 ? `${text.slice(0, 160)}…` : text).replaceAll('|', String.raw`\|`)

export const renderReport = (outcomes: readonly Outcome[], command: string, machine: Machine): string =>
  `${[
    renderTargets(targetsOf(outcomes)),
    ...tablesOf(outcomes).map(renderTable),
    `${showMachine(machine)}. Command: \`${command}\`.`,
  ].join('\n\n')}\n`

/** Puts a run's figures into the page. @throws Error when the page has no place for them */
export const writePage = (part: string): void => writePart(join(projectFolder, 'docs', 'attacks.md'), 'attacks', part)
