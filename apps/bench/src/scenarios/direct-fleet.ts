/** Direct messages on fleets of several sizes: what a message costs must not depend on how many gateways there are. */
import { show, showSpread, spreadOf } from '@flotilla/testing/load'
import { openBed } from '../bed.ts'
import { type Report, ratios, type Scenario } from '../bench.ts'
import { type Figures, interleave, openDirect, pairsOf } from '../run.ts'
import { type Defer, tidily } from '../tidy.ts'
import { cpuTable, entriesPerCommit, latencyTable, publishesPerMessage } from './tables.ts'

const sizes = [2, 4, 8] as const
type Size = (typeof sizes)[number]
const [smallest] = sizes
const counters = ['commit_seconds_count', 'commit_batch_entries_sum', 'routing_publishes_total']
const inFlight = 8
/** How many times what a message costs on the smallest fleet. */
const timesMax = 1.15
/** Its receiver is on one other node. */
const publishesMax = 1

export const directFleet: Scenario = {
  name: 'direct-fleet',
  title: 'Direct messages on larger fleets',
  about:
    `The work of \`direct\` on fleets of ${sizes.join(', ')} gateways, 100 connections to each, with ${inFlight} in flight on ` +
    'each connection, and one of each pair on the next gateway. All gateways, PostgreSQL and Redis share one core, so the more there are, ' +
    'the fewer messages each has; what is compared is what a message costs.',
  run: bench =>
    tidily(async defer => {
      const bed = await openBed()
      defer(() => bed.close())
      const on = (size: Size) => (undo: Defer) =>
        openDirect(bed, bench.flotilla, { ...pairsOf(bench, size), counters, pace: { kind: 'closed', inFlight } }, undo)
      return report(await interleave<`${Size}`>(bench, { 2: on(2), 4: on(4), 8: on(8) }))
    }),
}

function report(found: Readonly<Record<Size, readonly Figures[]>>): Report {
  const sides = Object.fromEntries(sizes.map(size => [`${size} gateways`, found[size]]))
  const most = Math.max(...sizes.flatMap(size => found[size].map(publishesPerMessage)))
  return {
    targets: [
      ...sizes
        .filter(size => size !== smallest)
        .map(size => {
          const times = ratios(found[size], found[smallest], run => run.cpuPerThousand)
          return {
            promise: `on ${size} gateways, a message costs at most ${timesMax} times what it costs on ${smallest}`,
            result: showSpread(times),
            met: spreadOf(times).median <= timesMax,
          }
        }),
      {
        promise: 'no more publishes per message than other nodes with a member (here one)',
        result: `at most ${show(most)}`,
        met: most <= publishesMax,
      },
    ],
    tables: [latencyTable('By the size of the fleet', sides), cpuTable('CPU by the size of the fleet', sides)],
    notes: sizes.map(
      size =>
        `On ${size} gateways a commit held ${showSpread(found[size].map(entriesPerCommit))} messages, and a message took ` +
        `${showSpread(found[size].map(publishesPerMessage))} publishes.`,
    ),
    raw: found,
  }
}
