/** A bad network: everybody is cut again and again while their group goes on. */
import { Histogram, type Quantiles, quantilesOf, show } from '@flotilla/testing/load'
import { openBed } from '../bed.ts'
import type { Bench, Report, Scenario } from '../bench.ts'
import type { JitterCounts } from '../load/jitter.ts'
import { startLoad } from '../load/remote.ts'
import { loadCore, serverCore } from '../placement.ts'
import { textLength } from '../sides/side.ts'
import { type Defer, tidily } from '../tidy.ts'

const replayP99MsMax = 3_000
const members = 10
const messagesPerSecond = 2
/** Three rounds of cuts. */
const secondsMin = 45

export const jitter: Scenario = {
  name: 'jitter',
  title: 'A bad network',
  about:
    `100 groups of ${members} on two nodes. In each, one member writes ${messagesPerSecond} messages a second; each of the others is cut every 15 s for 2 s, at ` +
    'its own time, then reconnects and resumes from its cursor. Clients order by seq, fill gaps by pages and acknowledge what they ' +
    'have, as the SDK does. A missed message that arrives by the resume or by a page is a replay; it is timed from the send, the ' +
    'time away included.',
  run: bench => tidily(defer => run(bench, defer)),
}

async function run(bench: Bench, defer: Defer): Promise<Report> {
  const groups = bench.short ? 5 : 100
  const side = bench.flotilla
  const bed = await openBed()
  defer(() => bed.close())
  const ground = await bed.open(side.name)
  defer(() => ground.close())
  await side.populate(ground, { people: groups * members, groups: { count: groups, size: members } })
  await ground.checkpoint()
  const stand = await side.start(ground, { nodes: 2, core: serverCore })
  defer(() => stand.stop())
  const plan = {
    fleet: stand.fleet,
    groups,
    members,
    messagesPerSecond,
    cutEveryMs: bench.short ? 3_000 : 15_000,
    offlineMs: bench.short ? 500 : 2_000,
    textLength,
  }
  const load = await startLoad('jitter', plan, loadCore)
  defer(() => load.stop())
  await load.call('connect')
  const counts = await load.call('run', bench.short ? 5 : Math.max(secondsMin, bench.seconds))
  const { ending } = counts
  const problems = Object.entries(ending.violations).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []))
  problems.push(...counts.wrong, ...(await side.verify(ground, stand, ending, true)))
  if (problems.length > 0) throw new Error(`the run does not count: ${problems.join(', ')}`)
  return report(counts, groups)
}

function report(counts: JitterCounts, groups: number): Report {
  const replay = quantilesOf(new Histogram(counts.replayMs))
  const live = quantilesOf(new Histogram(counts.liveMs))
  const due = counts.ending.sent * (members - 1)
  const share = counts.ending.received / due
  return {
    targets: [
      {
        promise: '100 % delivered, once and in order',
        result: `${counts.ending.received.toLocaleString('en-US')} of ${due.toLocaleString('en-US')}`,
        met: share === 1,
      },
      {
        promise: `a replay p99 of at most ${show(replayP99MsMax / 1_000)} s, the 2 s away included`,
        result: `${show(replay.p99 / 1_000)} s`,
        met: replay.p99 <= replayP99MsMax,
      },
    ],
    tables: [
      {
        caption: `${groups} groups, ${counts.cuts.toLocaleString('en-US')} cuts`,
        head: ['messages', 'handed over', 'p50, ms', 'p99, ms', 'p99.9, ms'],
        rows: [rowOf('replayed', replay), rowOf('live', live)],
      },
    ],
    notes: [],
    raw: { ...counts, replay, live, replayMs: undefined, liveMs: undefined },
  }
}

function rowOf(name: string, { count, p50, p99, p999 }: Quantiles): string[] {
  return [name, count.toLocaleString('en-US'), show(p50), show(p99), show(p999)]
}
