/** The working tree next to another commit: whether a change costs anything, in slices that stand beside each other. */
import { perCent, showSpread, spreadOf } from '@flotilla/testing/load'
import { openBed } from '../bed.ts'
import { type Bench, type Report, ratios, type Scenario } from '../bench.ts'
import { type DirectOptions, type Figures, interleave, openDirect, pairsOf } from '../run.ts'
import { tidily } from '../tidy.ts'
import { cpuTable, latencyTable } from './tables.ts'

interface Work {
  readonly name: string
  readonly options: DirectOptions
}

const counters = ['commit_seconds_count', 'commit_batch_entries_sum']

function worksOf(bench: Bench): readonly Work[] {
  const connections = bench.short ? 40 : 200
  const perSecond = bench.short ? 400 : 1_600
  const direct = { ...pairsOf(bench), counters }
  const alone = { people: connections, groups: { count: connections, size: 1 } }
  return [
    { name: 'direct, 1 in flight', options: { ...direct, pace: { kind: 'closed', inFlight: 1 } } },
    { name: 'direct, 8 in flight', options: { ...direct, pace: { kind: 'closed', inFlight: 8 } } },
    // What a commit and a turn of the loop cost shows where few messages share them.
    { name: `direct, ${perSecond} messages/s`, options: { ...direct, pace: { kind: 'open', perSecond } } },
    {
      name: 'persist, 8 in flight',
      options: {
        nodes: 1,
        connections,
        alone: true,
        told: false,
        receivers: 0,
        population: alone,
        counters,
        pace: { kind: 'closed', inFlight: 8 },
      },
    },
  ]
}

/**
 * @param base the other commit
 * @param marginPercent what the working tree may cost more
 */
export const regress = (base: { side: Bench['flotilla']; commit: string }, marginPercent: number): Scenario => ({
  name: 'regress',
  title: `The working tree next to ${base.commit}`,
  about:
    'Both stand at the same time, on the same PostgreSQL, and flow in turns, a slice each. A ratio is taken between slices ' +
    'that stand beside each other; above 1 the working tree does more with a CPU second.',
  run: bench =>
    tidily(async defer => {
      const bed = await openBed()
      defer(() => bed.close())
      const found: { name: string; ours: Figures[]; base: Figures[] }[] = []
      for (const { name, options } of worksOf(bench)) {
        bench.say(`  ${name}`)
        const slices = await interleave(bench, {
          ours: undo => openDirect(bed, bench.flotilla, options, undo),
          base: undo => openDirect(bed, base.side, options, undo),
        })
        found.push({ name, ...slices })
      }
      return report(found, base.commit, marginPercent)
    }),
})

function report(
  found: readonly { name: string; ours: Figures[]; base: Figures[] }[],
  commit: string,
  marginPercent: number,
): Report {
  const least = 1 - marginPercent / 100
  return {
    targets: found.map(({ name, ours, base }) => {
      const ratio = ratios(ours, base, slice => slice.messagesPerCpuSecond)
      return {
        promise: `${name}: at least ${perCent(least)} of the messages per CPU second`,
        result: showSpread(ratio),
        met: spreadOf(ratio).median >= least,
      }
    }),
    tables: found.flatMap(({ name, ours, base }) => {
      const sides = { 'working tree': ours, [commit]: base }
      return [latencyTable(name, sides), cpuTable(`CPU: ${name}`, sides)]
    }),
    notes: [],
    raw: found,
  }
}
