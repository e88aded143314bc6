/** Direct messages at a rate of their own: what the same work costs, and how long it takes. */
import { show, showSpread, spreadOf } from '@flotilla/testing/load'
import { type Bed, openBed } from '../bed.ts'
import { type Bench, type Report, ratios, type Scenario } from '../bench.ts'
import { type Figures, interleave, openDirect, pairsOf, runDirect, runSaturated } from '../run.ts'
import { socketIo } from '../sides/socketio.ts'
import { tidily } from '../tidy.ts'
import { cpuTable, entriesPerCommit, latencyTable } from './tables.ts'

const perSecond = 1_600
const cpuRatioMax = 0.75
const p99RatioMax = 1.2
const halfP99MsMax = 25

export const directOpen: Scenario = {
  name: 'direct-open',
  title: 'Direct messages at a given rate',
  about:
    `The same pairs and the same work, but messages arrive at random (exponential gaps) at ${perSecond} a second in all, whatever ` +
    'the servers do, and each is timed from the moment it was due. Then Flotilla alone, at half the rate that it reached in ' +
    'the same session with one in flight on each connection, where each message comes by itself, too.',
  run: bench =>
    tidily(async defer => {
      const bed = await openBed()
      defer(() => bed.close())
      return measure(bench, bed)
    }),
}

async function measure(bench: Bench, bed: Bed): Promise<Report> {
  const rate = bench.short ? 400 : perSecond
  const options = {
    ...pairsOf(bench),
    counters: ['commit_seconds_count', 'commit_batch_entries_sum'],
  }
  const pace = { kind: 'open' as const, perSecond: rate }
  const { ours, theirs } = await interleave(bench, {
    ours: defer => openDirect(bed, bench.flotilla, { ...options, pace }, defer),
    theirs: defer => openDirect(bed, socketIo, { ...options, pace }, defer),
  })
  const most = await runSaturated(bench, bed, options)
  const half: Figures[] = []
  for (let run = 0; run < bench.runs; run++)
    half.push(
      await runDirect(bench, bed, bench.flotilla, {
        ...options,
        pace: { kind: 'open', perSecond: Math.round(most.messagesPerSecond / 2) },
      }),
    )
  return report(rate, { ours, theirs, most, half })
}

function report(rate: number, found: { ours: Figures[]; theirs: Figures[]; most: Figures; half: Figures[] }): Report {
  const { ours, theirs, most, half } = found
  const cpu = ratios(ours, theirs, run => run.cpuPerThousand)
  const p99 = ratios(ours, theirs, run => run.delivery.p99)
  const halfP99 = half.map(run => run.delivery.p99)
  const batch = ours.map(entriesPerCommit)
  const sides = { Flotilla: ours, 'Socket.IO': theirs }
  return {
    targets: [
      {
        promise: `at ${rate} messages/s, at most ${cpuRatioMax} times the CPU of Socket.IO`,
        result: showSpread(cpu),
        met: spreadOf(cpu).median <= cpuRatioMax,
      },
      {
        promise: `at ${rate} messages/s, at most ${p99RatioMax} times the p99 from send to delivery of Socket.IO`,
        result: showSpread(p99),
        met: spreadOf(p99).median <= p99RatioMax,
      },
      {
        promise: `at half of the saturation, a p99 from send to delivery of at most ${halfP99MsMax} ms`,
        result: `${showSpread(halfP99)} ms at ${show(spreadOf(half.map(run => run.messagesPerSecond)).median)} messages/s`,
        met: spreadOf(halfP99).median <= halfP99MsMax,
      },
    ],
    tables: [
      latencyTable(`${rate} messages/s`, sides),
      cpuTable(`CPU at ${rate} messages/s`, sides),
      latencyTable(`Half of ${show(most.messagesPerSecond)} messages/s`, { Flotilla: half }),
      cpuTable('CPU at half of the saturation', { Flotilla: half }),
    ],
    notes: [`At ${rate} messages/s, a commit held ${showSpread(batch)} messages.`],
    raw: found,
  }
}
