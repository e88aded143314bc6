/** Direct messages across two nodes, closed loop: what a CPU second of all servers is worth. */
import { showSpread, spreadOf } from '@flotilla/testing/load'
import { openBed } from '../bed.ts'
import { type Report, ratios, type Scenario } from '../bench.ts'
import { type Figures, interleave, openDirect } from '../run.ts'
import { relay } from '../sides/relay.ts'
import type { Side } from '../sides/side.ts'
import { socketIo, socketIoBatched } from '../sides/socketio.ts'
import { type Defer, tidily } from '../tidy.ts'
import { cpuTable, latencyTable } from './tables.ts'

/** In flight on each connection → how many times the messages per CPU second of Socket.IO are promised. */
const promises = [
  { inFlight: 1, times: 6 },
  { inFlight: 8, times: 10 },
]

export const direct: Scenario = {
  name: 'direct',
  title: 'Direct messages across two nodes',
  about:
    '200 connections in 100 pairs, one of each pair on each node. Every connection keeps 1 or 8 of its own messages ' +
    'unacknowledged. Each message is durable before its acknowledgement and is delivered on the other node, where the ' +
    'receiver acknowledges the delivery. Flotilla also encrypts bodies at rest, stores the receiver’s cursor, and keeps ' +
    'the offline index. The second Socket.IO gathers messages for 8 ms and stores them with one INSERT. The relay is ' +
    'uWebSockets.js and Redis alone: no sign-in, no store, no receipts; what is published while its receiver is away is gone.',
  run: bench =>
    tidily(async defer => {
      const bed = await openBed()
      defer(() => bed.close())
      const connections = bench.short ? 40 : 200
      const options = {
        nodes: 2,
        connections,
        alone: false,
        told: true,
        receivers: 1,
        population: { people: connections, directs: connections / 2 },
        counters: ['commit_seconds_count', 'commit_batch_entries_sum', 'routing_publishes_total'],
      }
      const results: Result[] = []
      for (const { inFlight, times } of promises) {
        bench.say(`  ${inFlight} in flight on each of ${connections} connections`)
        const pace = { kind: 'closed' as const, inFlight }
        const on = (side: Side) => (undo: Defer) => openDirect(bed, side, { ...options, pace }, undo)
        const sides = await interleave(bench, {
          ours: on(bench.flotilla),
          theirs: on(socketIo),
          batched: on(socketIoBatched),
          relay: on(relay),
        })
        results.push({ inFlight, times, ...sides })
      }
      return report(results)
    }),
}

interface Result extends Readonly<Record<'ours' | 'theirs' | 'batched' | 'relay', Figures[]>> {
  readonly inFlight: number
  readonly times: number
}

function report(results: readonly Result[]): Report {
  return {
    targets: results.map(({ inFlight, times, ours, theirs }) => {
      const found = ratios(ours, theirs, run => run.messagesPerCpuSecond)
      return {
        promise: `${inFlight} in flight: at least ${times} times the messages per CPU second of Socket.IO`,
        result: showSpread(found),
        met: spreadOf(found).median >= times,
      }
    }),
    tables: results.flatMap(({ inFlight, ours, theirs, batched, relay: relayed }) => {
      const sides = {
        Flotilla: ours,
        'Socket.IO': theirs,
        'Socket.IO, one INSERT for many': batched,
        'a relay that stores nothing': relayed,
      }
      return [latencyTable(`${inFlight} in flight`, sides), cpuTable(`CPU with ${inFlight} in flight`, sides)]
    }),
    notes: [],
    raw: results,
  }
}
