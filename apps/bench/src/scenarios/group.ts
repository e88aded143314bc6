/** A group of a thousand on two nodes: fan-out of stored messages, against publish that stores nothing. */
import { perCent, show, showSpread, spreadOf } from '@flotilla/testing/load'
import { openBed } from '../bed.ts'
import { type Report, ratios, type Scenario } from '../bench.ts'
import { type Figures, interleave, openGroup } from '../run.ts'
import type { Side } from '../sides/side.ts'
import { socketIo } from '../sides/socketio.ts'
import { uws } from '../sides/uws.ts'
import { type Defer, tidily } from '../tidy.ts'
import { cpuTable, publishesPerMessage, quantiles } from './tables.ts'

const ofPublishMin = 0.75
const cpuOfPublishMin = 0.5
const ofSocketIoMin = 8

interface Writing {
  readonly senders: number
  /** Messages of each sender that are under way. */
  readonly inFlight: number
}

/** The most that a side can do, by which it is judged. */
const full: Writing = { senders: 8, inFlight: 4 }
/** Less at a time: then a socket gets one message a write, and nothing can be gathered. */
const lighter: readonly Writing[] = [
  { senders: 1, inFlight: 1 },
  { senders: 8, inFlight: 1 },
]

export const group: Scenario = {
  name: 'group',
  title: 'A group of 1,000 on two nodes',
  about:
    '1,000 members, half of them on each node. Some of them write; a message is under way until every other member has it, and ' +
    'then its sender writes the next one. Flotilla and Socket.IO store each message before they acknowledge it. Flotilla finds who ' +
    'is away, for their pushes, and in a large group only if they are mentioned. Bare uWebSockets.js is one process that publishes ' +
    'what it receives, in frames of the same shape and size, and stores nothing. ' +
    'All servers of a side, PostgreSQL and Redis included, share core 0, so deliveries per second are those of one core.',
  run: bench =>
    tidily(async defer => {
      const bed = await openBed()
      defer(() => bed.close())
      const sizes = { members: bench.short ? 100 : 1_000, large: 1_001 }
      const on = (side: Side, nodes: number, members: number, writing: Writing) => (undo: Defer) =>
        openGroup(
          bed,
          side,
          {
            nodes,
            members,
            ...writing,
            told: false,
            receivers: members - 1,
            population: { people: members, groups: { count: 1, size: members } },
            counters: ['commit_seconds_count', 'commit_batch_entries_sum', 'routing_publishes_total'],
          },
          undo,
        )
      const ownSides = (writing: Writing) => ({
        ours: on(bench.flotilla, 2, sizes.members, writing),
        large: on(bench.flotilla, 2, sizes.large, writing),
        publish: on(uws, 1, sizes.members, writing),
      })
      const found = await interleave(bench, { ...ownSides(full), theirs: on(socketIo, 2, sizes.members, full) })
      const light = []
      for (const writing of lighter) light.push({ writing, ...(await interleave(bench, ownSides(writing))) })
      return report(found, light)
    }),
}

type Found = Readonly<Record<'ours' | 'large' | 'publish' | 'theirs', readonly Figures[]>>
type Light = readonly (Readonly<Record<'ours' | 'large' | 'publish', readonly Figures[]>> & {
  readonly writing: Writing
})[]

const names = {
  ours: 'Flotilla',
  large: 'Flotilla, 1,001 members: large',
  publish: 'bare uWebSockets.js publish',
  theirs: 'Socket.IO room',
}

function report(found: Found, light: Light): Report {
  const { ours, large, publish, theirs } = found
  const ofPublish = ratios(ours, publish, run => run.deliveriesPerSecond)
  const cpuOfPublish = ratios(ours, publish, deliveriesPerCpuSecond)
  const ofSocketIo = ratios(ours, theirs, run => run.deliveriesPerSecond)
  const most = Math.max(...[...ours, ...large].map(publishesPerMessage))
  const sides = Object.entries(found).map(([side, runs]) => [names[side as keyof Found], runs] as const)
  return {
    targets: [
      {
        promise: `at least ${perCent(ofPublishMin)} of the deliveries per second of bare uWebSockets.js publish`,
        result: `${showSpread(ofPublish.map(share => share * 100))} %`,
        met: spreadOf(ofPublish).median >= ofPublishMin,
      },
      {
        promise: `at least ${perCent(cpuOfPublishMin)} of its deliveries per CPU second`,
        result: `${showSpread(cpuOfPublish.map(share => share * 100))} %`,
        met: spreadOf(cpuOfPublish).median >= cpuOfPublishMin,
      },
      {
        promise: `at least ${ofSocketIoMin} times the deliveries per second of a Socket.IO room`,
        result: showSpread(ofSocketIo),
        met: spreadOf(ofSocketIo).median >= ofSocketIoMin,
      },
      {
        promise: 'no more publishes per message than other nodes with a member (here one)',
        result: `at most ${show(most)}`,
        met: most <= 1,
      },
    ],
    tables: [
      {
        caption: `${full.senders} writers with ${full.inFlight} messages under way each`,
        head: ['', 'deliveries/s', 'per CPU second', 'send to delivery p50 / p99 / p99.9, ms', 'load’s core'],
        rows: sides.map(([name, runs]) => deliveryRow(name, runs)),
      },
      cpuTable('CPU for one message to all', Object.fromEntries(sides)),
      ...light.map(({ writing: { senders, inFlight }, ...sides }) => ({
        caption: `${senders} ${senders === 1 ? 'writer' : 'writers'} with ${inFlight} under way`,
        head: ['', 'deliveries/s', 'per CPU second', 'send to delivery p50 / p99 / p99.9, ms', 'load’s core'],
        rows: Object.entries(sides).map(([side, runs]) => deliveryRow(names[side as keyof Found], runs)),
      })),
    ],
    notes: [],
    raw: { ...found, light },
  }
}

function deliveryRow(name: string, runs: readonly Figures[]): string[] {
  return [
    name,
    showSpread(runs.map(run => run.deliveriesPerSecond)),
    showSpread(runs.map(deliveriesPerCpuSecond)),
    quantiles(runs, 'delivery'),
    perCent(spreadOf(runs.map(run => run.loadShare)).median),
  ]
}

function deliveriesPerCpuSecond(run: Figures): number {
  const cpuSeconds = Object.values(run.cpu).reduce((sum, value) => sum + value, 0)
  return (run.deliveriesPerSecond * run.seconds) / cpuSeconds
}
