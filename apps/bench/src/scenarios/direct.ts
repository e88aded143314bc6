/** Direct messages across two nodes, closed loop: what a CPU second of all servers is worth. */
import { chatDefaults } from '@flotilla/chat'
import { showSpread, spreadOf } from '@flotilla/testing/load'
import { openBed } from '../bed.ts'
import { type Bench, type Report, ratios, type Scenario } from '../bench.ts'
import { loadCore, serverCore } from '../placement.ts'
import { type Figures, interleave, openDirect, pairsOf } from '../run.ts'
import { centrifugo, prepareCentrifugo } from '../sides/centrifugo.ts'
import { relay } from '../sides/relay.ts'
import type { Past, Side } from '../sides/side.ts'
import { socketIo, socketIoBatched } from '../sides/socketio.ts'
import { type Defer, tidily } from '../tidy.ts'
import { cpuTable, latencyTable } from './tables.ts'

/** In flight on each connection → how many times the messages per CPU second of Socket.IO are promised. */
const promises = [
  { inFlight: 1, times: 6 },
  { inFlight: 8, times: 10 },
]
const both = promises.map(({ inFlight }) => inFlight)

const pairs =
  '200 connections in 100 pairs, one of each pair on each node. Every connection keeps 1 or 8 of its own messages ' +
  'unacknowledged. Each message is durable before its acknowledgement and is delivered on the other node, where the ' +
  'receiver acknowledges the delivery. Flotilla also encrypts bodies at rest, stores the receiver’s cursor, and keeps ' +
  'the offline index.'

export const direct: Scenario = {
  name: 'direct',
  title: 'Direct messages across two nodes',
  about:
    `${pairs} The second Socket.IO gathers messages for ${chatDefaults.commitWindowMs} ms and stores them with one INSERT. The relay is ` +
    'uWebSockets.js and Redis alone: no sign-in, no store, no receipts; what is published while its receiver is away is gone.',
  run: bench =>
    measure(bench, {
      paces: both,
      peers: {
        'Socket.IO': socketIo,
        'Socket.IO, one INSERT for many': socketIoBatched,
        'a relay that stores nothing': relay,
      },
    }),
}

export const directCentrifugo: Scenario = {
  name: 'direct-centrifugo',
  title: 'Direct messages, next to Centrifugo',
  about:
    'The pairs and the work of `direct`. Centrifugo keeps what is published in streams, in the memory of Redis or in PostgreSQL, for ' +
    'whoever comes back. It has signed tokens, and neither receipts, encryption nor an order over the senders of a conversation.',
  run: bench =>
    measure(bench, {
      paces: both,
      peers: {
        'Socket.IO': socketIo,
        ...(prepareCentrifugo(bench.say)
          ? {
              'Centrifugo, streams in Redis': centrifugo('Redis'),
              'Centrifugo, streams in PostgreSQL': centrifugo('PostgreSQL'),
            }
          : {}),
      },
    }),
}

export const directApart: Scenario = {
  name: 'direct-apart',
  title: 'Direct messages, with PostgreSQL on a core of its own',
  about:
    'The pairs and the work of `direct`. PostgreSQL has core 1 to itself; the nodes, Redis and the load share core 0.',
  run: bench => measure(bench, { paces: both, peers: { 'Socket.IO': socketIo }, isApart: true }),
}

const past = { directs: 100_000, messagesEach: 100 }

export const directFilled: Scenario = {
  name: 'direct-filled',
  title: 'Direct messages into a full store',
  about:
    'The pairs and the work of `direct`, 8 in flight on each connection. On both sides ten million messages stand in the ' +
    'same tables already, in 100,000 other conversations.',
  run: bench =>
    measure(bench, {
      paces: [8],
      peers: { 'Socket.IO': socketIo },
      past: bench.short ? { directs: 100, messagesEach: 10 } : past,
    }),
}

interface Work {
  /** In flight on each connection, one after the other. */
  readonly paces: readonly number[]
  readonly peers: { readonly 'Socket.IO': Side } & Readonly<Record<string, Side>>
  /** PostgreSQL has the core of the load, which goes to that of the servers. */
  readonly isApart?: boolean
  readonly past?: Past
}

function measure(bench: Bench, { paces, peers, isApart = false, past: filled }: Work): Promise<Report> {
  return tidily(async defer => {
    const bed = await openBed(isApart ? loadCore : serverCore)
    defer(() => bed.close())
    const shared = pairsOf(bench)
    const options = {
      ...shared,
      population: { ...shared.population, ...(filled === undefined ? {} : { past: filled }) },
      counters: ['commit_seconds_count', 'commit_batch_entries_sum', 'routing_publishes_total'],
      ...(isApart ? { loadCore: serverCore } : {}),
    }
    const results: Result[] = []
    for (const inFlight of paces) {
      bench.say(`  ${inFlight} in flight on each of ${shared.connections} connections`)
      const pace = { kind: 'closed' as const, inFlight }
      const on = (side: Side) => (undo: Defer) => openDirect(bed, side, { ...options, pace }, undo)
      const sides = Object.entries({ Flotilla: bench.flotilla, ...peers }).map(
        ([name, side]) => [name, on(side)] as const,
      )
      results.push({ inFlight, sides: await interleave(bench, Object.fromEntries(sides)) })
    }
    return report(results)
  })
}

interface Result {
  readonly inFlight: number
  /** By the names of the tables. */
  readonly sides: Readonly<Record<string, Figures[]>>
}

function report(results: readonly Result[]): Report {
  return {
    targets: results.map(({ inFlight, sides }) => {
      const { times } = promises.find(one => one.inFlight === inFlight)!
      const found = ratios(sides['Flotilla']!, sides['Socket.IO']!, run => run.messagesPerCpuSecond)
      return {
        promise: `${inFlight} in flight: at least ${times} times the messages per CPU second of Socket.IO`,
        result: showSpread(found),
        met: spreadOf(found).median >= times,
      }
    }),
    tables: results.flatMap(({ inFlight, sides }) => [
      latencyTable(`${inFlight} in flight`, sides),
      cpuTable(`CPU with ${inFlight} in flight`, sides),
    ]),
    notes: [],
    raw: results,
  }
}
