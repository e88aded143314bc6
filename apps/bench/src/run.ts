/**
 * A side that is measured: a fresh ground, the servers, the load, a warm-up that is discarded, slices of time that count, and
 * then what is checked.
 */
import { Histogram, type Quantiles, quantilesOf, type Remote } from '@flotilla/testing/load'
import type { Bed, Ground, ServerProcess } from './bed.ts'
import type { Bench } from './bench.ts'
import type { Pace } from './load/direct.ts'
import type { Violations } from './load/lane.ts'
import { startLoad } from './load/remote.ts'
import type { Ending, WindowCounts } from './load/window.ts'
import { loadCore, serverCore } from './placement.ts'
import { type Counts, type Population, type Side, type Stand, textLength } from './sides/side.ts'
import { type Defer, tidily } from './tidy.ts'
import { type Weight, weigh } from './weigh.ts'

/** What one run found. */
export interface Figures {
  readonly seconds: number
  /** Messages that were stored, acknowledged and delivered in the time, a second. */
  readonly messagesPerSecond: number
  readonly deliveriesPerSecond: number
  readonly ack: Quantiles
  readonly delivery: Quantiles
  /** CPU seconds in the time, by server process. */
  readonly cpu: Readonly<Record<string, number>>
  readonly messagesPerCpuSecond: number
  readonly cpuPerThousand: number
  /** How much of its core the load used. */
  readonly loadShare: number
  /** What the servers counted in the time. */
  readonly counters: Readonly<Record<string, number>>
  /** Of all slices of the side together. */
  readonly violations: Violations
}

export interface RunOptions {
  readonly nodes: number
  /** Where the load runs, if not on the core that is kept for it. */
  readonly loadCore?: number
  readonly population: Population
  /** Whether receivers acknowledge each delivery. */
  readonly told: boolean
  /** How many receive each message. */
  readonly receivers: number
  /** Counters of the servers to read, by their names. */
  readonly counters?: readonly string[]
  /** Whether the side can be weighed. */
  readonly weighed?: boolean
}

/** A flow of messages in a process of its own, whatever its plan was. */
interface Flow {
  connect(): Promise<void>
  start(): Promise<void>
  pause(): Promise<void>
  window(seconds: number): Promise<WindowCounts>
  finish(): Promise<Ending>
}

/** @param start in the words of its program */
const toFlow = (load: Remote<Omit<Flow, 'start'>>, start: () => Promise<void>): Flow => ({
  connect: () => load.call('connect'),
  start,
  pause: () => load.call('pause'),
  window: seconds => load.call('window', seconds),
  finish: () => load.call('finish'),
})

/** A side that stands ready, and is idle between its slices. */
export interface Measured {
  /** Lets the load flow for so long. Nothing counts. */
  warm(seconds: number): Promise<void>
  /** Lets the load flow, and counts. */
  measure(seconds: number): Promise<void>
  /** What it holds between two slices. */
  weigh(): Promise<Weight>
  /** @returns a line for each slice; @throws Error when anything was lost, doubled or misplaced in any of them */
  finish(): Promise<Figures[]>
}

/** Direct messages between pairs, or of people alone in groups of one. */
export interface DirectOptions extends RunOptions {
  readonly connections: number
  readonly alone: boolean
  /** Not only messages (load/direct.ts). */
  readonly mix?: boolean
  readonly pace: Pace
}

/** A group, some members of which write. */
export interface GroupOptions extends RunOptions {
  readonly members: number
  readonly senders: number
  readonly inFlight: number
}

/** Pairs over the nodes, 100 connections to each: on two nodes the work that most scenarios share. */
export function pairsOf({ short }: Pick<Bench, 'short'>, nodes = 2) {
  const connections = nodes * (short ? 20 : 100)
  const population: Population = { people: connections, directs: connections / 2 }
  return { nodes, connections, alone: false, told: true, receivers: 1, population }
}

export function openDirect(bed: Bed, side: Side, options: DirectOptions, defer: Defer): Promise<Measured> {
  const { connections, alone, mix = false, pace, loadCore: core = loadCore } = options
  return open(bed, side, options, defer, async ({ fleet }) => {
    const load = await startLoad('direct', { fleet, connections, alone, mix, textLength }, core)
    defer(() => load.stop())
    return toFlow(load, () => load.call('start', pace))
  })
}

export function openGroup(bed: Bed, side: Side, options: GroupOptions, defer: Defer): Promise<Measured> {
  const { members, senders, inFlight, loadCore: core = loadCore } = options
  return open(bed, side, options, defer, async ({ fleet }) => {
    const load = await startLoad('group', { fleet, members, senders, textLength }, core)
    defer(() => load.stop())
    return toFlow(load, () => load.call('start', { inFlight }))
  })
}

/** A side that has the machine for itself, measured once. */
export function runDirect(bench: Bench, bed: Bed, side: Side, options: DirectOptions): Promise<Figures> {
  return tidily(async defer => {
    const measured = await openDirect(bed, side, options, defer)
    await measured.warm(bench.warmSeconds)
    await measured.measure(bench.seconds)
    const [figures] = await measured.finish()
    bench.say(`  ${showFigures(figures!)}`)
    return figures!
  })
}

/**
 * What the servers can do at the most where each message comes by itself, as when messages arrive at a rate of their own. With
 * eight in flight on a connection frames share reads, writes and turns of the loop: half of that is all that single messages reach.
 */
export function runSaturated(bench: Bench, bed: Bed, options: Omit<DirectOptions, 'pace'>): Promise<Figures> {
  return runDirect(bench, bed, bench.flotilla, { ...options, pace: { kind: 'closed', inFlight: 1 } })
}

/**
 * Measures sides in turns while all of them stand, A B B A, so that a machine that is slower for a while is so for all: each
 * flows for its slice while the others are idle.
 * @returns of each side a line for each slice, those of one turn at one place
 */
export function interleave<K extends string>(
  bench: Bench,
  sides: Readonly<Record<K, (defer: Defer) => Promise<Measured>>>,
): Promise<Record<K, Figures[]>> {
  return tidily(async defer => {
    const names = Object.keys(sides) as K[]
    const open = new Map<K, Measured>()
    for (const name of names) open.set(name, await sides[name](defer))
    for (const name of names) await open.get(name)!.warm(bench.warmSeconds)
    for (let turn = 0; turn < bench.runs; turn++)
      for (const name of turn % 2 === 0 ? names : names.toReversed()) await open.get(name)!.measure(bench.seconds)
    const found = {} as Record<K, Figures[]>
    for (const name of names) {
      found[name] = await open.get(name)!.finish()
      for (const figures of found[name]) bench.say(`  ${name}: ${showFigures(figures)}`)
    }
    return found
  })
}

/** After a pause the flow needs a moment until its batches and its queues are what they were. */
const leadSeconds = 0.5

async function open(
  bed: Bed,
  side: Side,
  options: RunOptions,
  defer: Defer,
  load: (stand: Stand) => Promise<Flow>,
): Promise<Measured> {
  const ground = await bed.open(side.name)
  defer(() => ground.close())
  await side.populate(ground, options.population)
  await ground.checkpoint()
  const stand = await side.start(ground, {
    nodes: options.nodes,
    core: serverCore,
    inspect: options.weighed === true,
  })
  defer(() => stand.stop())
  const flow = await load(stand)
  await flow.connect()
  const processes = [...stand.processes, ...ground.processes]
  const slices: Omit<Figures, 'violations'>[] = []
  const readCounters = () => stand.counters(options.counters ?? [])
  return {
    async warm(seconds) {
      // As Prometheus has long since: at the first time V8 gives up some twenty functions of a gateway, and what it takes to
      // compile them anew would be a seventh of the first slice on eight gateways.
      await readCounters()
      await flow.start()
      await flow.window(seconds)
      await flow.pause()
    },
    async measure(seconds) {
      await flow.start()
      await flow.window(leadSeconds)
      // Counters are read outside of the time that is measured: writing them down takes a gateway some milliseconds.
      const countersBefore = await readCounters()
      const cpuBefore = cpuOf(processes)
      const counts = await flow.window(seconds)
      const cpu = difference(cpuOf(processes), cpuBefore)
      const counters = difference(await readCounters(), countersBefore)
      await flow.pause()
      slices.push(toFigures(counts, options.receivers, cpu, counters))
    },
    weigh: () => weigh(stand, ground),
    async finish() {
      const { directs, messagesEach } = options.population.past ?? { directs: 0, messagesEach: 0 }
      const ending = { ...(await flow.finish()), past: directs * messagesEach }
      await judge(ground, side, stand, ending, options.told)
      return slices.map(slice => ({ ...slice, violations: ending.violations }))
    },
  }
}

const showFigures = ({ messagesPerSecond, messagesPerCpuSecond, ack, loadShare }: Figures) =>
  `${Math.round(messagesPerSecond)} messages/s, ${Math.round(messagesPerCpuSecond)} per CPU second, ` +
  `ack p99 ${ack.p99.toFixed(1)} ms, load ${Math.round(loadShare * 100)} %`

/** A fast wrong answer is no answer. @throws Error that says what is wrong */
export async function judge(ground: Ground, side: Side, stand: Stand, ending: Ending, told: boolean): Promise<void> {
  const { reordered, ...others } = ending.violations
  // Only our own side promises an order.
  const counted = stand.fleet.side === 'flotilla' ? { ...others, reordered } : others
  const problems = Object.entries(counted).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []))
  // What was lost on the way need not be looked for in the store as well.
  if (problems.length === 0) problems.push(...(await side.verify(ground, stand, ending, told)))
  if (problems.length > 0)
    throw new Error(`the run on ${side.name} does not count: ${problems.join(', ')} of ${ending.sent} messages`)
}

const cpuOf = (processes: readonly ServerProcess[]): Counts =>
  Object.fromEntries(processes.map(one => [one.name, one.cpuSeconds()]))

const difference = (after: Counts, before: Counts): Counts =>
  Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name]!]))

function toFigures(
  counts: WindowCounts,
  receivers: number,
  cpu: Counts,
  counters: Counts,
): Omit<Figures, 'violations'> {
  const { seconds, acked, delivered, loadShare } = counts
  const cpuSeconds = Object.values(cpu).reduce((sum, value) => sum + value, 0)
  // Of the two, what is behind: a message counts when it is both acknowledged and delivered, to all if to many.
  const messages = Math.min(acked, receivers === 0 ? acked : delivered / receivers)
  return {
    seconds,
    messagesPerSecond: messages / seconds,
    deliveriesPerSecond: delivered / seconds,
    ack: quantilesOf(new Histogram(counts.ackMs)),
    delivery: quantilesOf(new Histogram(counts.deliveryMs)),
    cpu,
    messagesPerCpuSecond: messages / cpuSeconds,
    cpuPerThousand: (cpuSeconds / messages) * 1_000,
    loadShare,
    counters,
  }
}
