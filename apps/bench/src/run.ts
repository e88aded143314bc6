/** One measured run: a fresh ground, the servers, the load, a warm-up that is discarded, and then what is checked. */
import { Histogram, type Quantiles, quantilesOf } from '@flotilla/testing/load'
import type { Bed, Ground, ServerProcess } from './bed.ts'
import type { Bench } from './bench.ts'
import type { Pace } from './load/direct.ts'
import type { Violations } from './load/lane.ts'
import { startLoad } from './load/remote.ts'
import type { Ending, WindowCounts } from './load/window.ts'
import { loadCore, serverCore } from './placement.ts'
import type { Population, Side, Stand } from './sides/side.ts'
import { type Defer, tidily } from './tidy.ts'

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
  readonly violations: Violations
}

/** The length of a message's text: with it a body has some 170 bytes. */
export const textLength = 150

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
  readonly seconds?: number
}

/** A flow of messages in a process of its own, whatever its plan was. */
interface Flow {
  connect(): Promise<void>
  start(): Promise<void>
  window(seconds: number): Promise<WindowCounts>
  finish(): Promise<Ending>
}

/** Direct messages between pairs, or of people alone in groups of one. */
export function runDirect(
  bench: Bench,
  bed: Bed,
  side: Side,
  options: RunOptions & { connections: number; alone: boolean; pace: Pace },
): Promise<Figures> {
  return run(bench, bed, side, options, async (stand, defer) => {
    const { connections, alone, pace } = options
    const load = await startLoad(
      'direct',
      { fleet: stand.fleet, connections, alone, textLength },
      options.loadCore ?? loadCore,
    )
    defer(() => load.stop())
    return {
      connect: () => load.call('connect'),
      start: () => load.call('start', pace),
      window: seconds => load.call('window', seconds),
      finish: () => load.call('finish'),
    }
  })
}

/** A group, some members of which write. */
export function runGroup(
  bench: Bench,
  bed: Bed,
  side: Side,
  options: RunOptions & { members: number; senders: number; inFlight: number },
): Promise<Figures> {
  return run(bench, bed, side, options, async (stand, defer) => {
    const { members, senders, inFlight } = options
    const load = await startLoad(
      'group',
      { fleet: stand.fleet, members, senders, textLength },
      options.loadCore ?? loadCore,
    )
    defer(() => load.stop())
    return {
      connect: () => load.call('connect'),
      start: () => load.call('start', { inFlight }),
      window: seconds => load.call('window', seconds),
      finish: () => load.call('finish'),
    }
  })
}

function run(
  bench: Bench,
  bed: Bed,
  side: Side,
  options: RunOptions,
  open: (stand: Stand, defer: Defer) => Promise<Flow>,
): Promise<Figures> {
  return tidily(async defer => {
    const ground = await bed.open(side.name)
    defer(() => ground.close())
    await side.populate(ground, options.population)
    await ground.checkpoint()
    const stand = await side.start(ground, { nodes: options.nodes, core: serverCore })
    defer(() => stand.stop())
    const flow = await open(stand, defer)
    await flow.connect()
    await flow.start()
    await flow.window(bench.warmSeconds)
    const processes = [...stand.processes, ...ground.processes]
    const before = { cpu: cpuOf(processes), counters: await readCounters(stand, options.counters) }
    const counts = await flow.window(options.seconds ?? bench.seconds)
    const after = { cpu: cpuOf(processes), counters: await readCounters(stand, options.counters) }
    const ending = await flow.finish()
    await judge(ground, side, stand, ending, options.told)
    const figures = toFigures(counts, options.receivers, difference(after.cpu, before.cpu), {
      counters: difference(after.counters, before.counters),
      violations: ending.violations,
    })
    bench.say(
      `  ${side.name}: ${Math.round(figures.messagesPerSecond)} messages/s, ${Math.round(figures.messagesPerCpuSecond)} per CPU second, ` +
        `ack p99 ${figures.ack.p99.toFixed(1)} ms, load ${Math.round(figures.loadShare * 100)} %`,
    )
    return figures
  })
}

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

type Counts = Readonly<Record<string, number>>

const cpuOf = (processes: readonly ServerProcess[]): Counts =>
  Object.fromEntries(processes.map(one => [one.name, one.cpuSeconds()]))

async function readCounters(stand: Stand, names: readonly string[] = []): Promise<Counts> {
  const counters: Record<string, number> = {}
  for (const name of names) {
    const value = await stand.counter(name)
    if (value !== undefined) counters[name] = value
  }
  return counters
}

const difference = (after: Counts, before: Counts): Counts =>
  Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name]!]))

function toFigures(
  counts: WindowCounts,
  receivers: number,
  cpu: Counts,
  rest: Pick<Figures, 'counters' | 'violations'>,
): Figures {
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
    ...rest,
  }
}
