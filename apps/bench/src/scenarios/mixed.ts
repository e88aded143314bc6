/** What people do besides sending: reactions, edits and pins among the messages, against the same work on Socket.IO. */
import { showSpread, spreadOf } from '@flotilla/testing/load'
import { openBed } from '../bed.ts'
import { type Report, ratios, type Scenario } from '../bench.ts'
import { type Figures, interleave, openDirect, pairsOf } from '../run.ts'
import type { Side } from '../sides/side.ts'
import { socketIo, socketIoBatched } from '../sides/socketio.ts'
import { type Defer, tidily } from '../tidy.ts'
import { cpuTable, latencyTable } from './tables.ts'

const inFlight = 1
const timesMin = 1

export const mixed: Scenario = {
  name: 'mixed',
  title: 'Messages, reactions, edits and pins',
  about:
    `The pairs of \`direct\`, with one thing in flight on each connection: 70 % are messages, 15 % reactions to the other’s latest ` +
    'message, 10 % edits of one’s own, 5 % pins and unpins. Each is durable before its acknowledgement and is told on the other ' +
    'node. With Flotilla each is an entry of the log, idempotent, in one order, and replayed to whoever missed it; Socket.IO does an ' +
    'INSERT or an UPDATE and an emit, and whoever is away at that moment never hears of it. The second Socket.IO stores messages with one INSERT for many.',
  run: bench =>
    tidily(async defer => {
      const bed = await openBed()
      defer(() => bed.close())
      const options = {
        ...pairsOf(bench),
        mix: true,
        pace: { kind: 'closed' as const, inFlight },
      }
      const on = (side: Side) => (undo: Defer) => openDirect(bed, side, options, undo)
      return report(
        await interleave(bench, { ours: on(bench.flotilla), theirs: on(socketIo), batched: on(socketIoBatched) }),
      )
    }),
}

function report(found: Readonly<Record<'ours' | 'theirs' | 'batched', Figures[]>>): Report {
  const { ours, theirs, batched } = found
  const times = ratios(ours, theirs, run => run.messagesPerCpuSecond)
  const sides = { Flotilla: ours, 'Socket.IO': theirs, 'Socket.IO, one INSERT for many': batched }
  return {
    targets: [
      {
        promise: `at least as much done per CPU second as with Socket.IO`,
        result: `${showSpread(times)} times`,
        met: spreadOf(times).median >= timesMin,
      },
    ],
    tables: [latencyTable('All that is done', sides), cpuTable('CPU', sides)],
    notes: ['Latencies of deliveries are those of messages; latencies of acknowledgements those of everything.'],
    raw: found,
  }
}
