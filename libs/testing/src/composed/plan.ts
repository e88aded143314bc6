/** Which faults a composed run meets, when and for how long: a function of the seed and nothing else. */
import { createDice, type Dice } from './dice.ts'

export const gateways = ['node-1', 'node-2', 'node-3'] as const
export type Gateway = (typeof gateways)[number]
export type Process = Gateway | 'api' | 'worker'

/** How a connection to a store is broken. */
export type Break = 'cut' | 'reset' | 'swallow'
/** From the process to the store, back, or both. */
export type Way = 'up' | 'down' | 'both'

export type Fault =
  /** SIGKILL, and a start after a while. */
  | { readonly kind: 'kill'; readonly process: Process }
  /** SIGSTOP and SIGCONT. */
  | { readonly kind: 'freeze'; readonly process: Process }
  | { readonly kind: 'drain'; readonly gateway: Gateway }
  /** Replaced by the version before, and later by the present one again. */
  | { readonly kind: 'former-version'; readonly gateway: Gateway }
  /** PostgreSQL crashes and is started again. */
  | { readonly kind: 'postgres-restart' }
  /** The connection breaks between a commit and its answer: of a change, by the API, or of sends, by a gateway. */
  | {
      readonly kind: 'commit-unanswered'
      readonly process: Process
      readonly by: Break
    }
  | { readonly kind: 'postgres-cut'; readonly process: Process }
  /** What is sent goes nowhere, one way or both. */
  | { readonly kind: 'postgres-deaf'; readonly process: Process; readonly way: Way }
  | { readonly kind: 'postgres-slow'; readonly process: Process; readonly latencyMs: number }
  | { readonly kind: 'backends-terminated' }
  /** SIGSTOP of Redis. */
  | { readonly kind: 'redis-stall' }
  /** Redis dies and comes back empty. */
  | { readonly kind: 'redis-restart' }
  /** One process cannot connect to Redis, which keeps its data. */
  | { readonly kind: 'redis-refused'; readonly process: Process }
  | { readonly kind: 'redis-deaf'; readonly process: Process; readonly way: Way }
  | { readonly kind: 'redis-emptied' }
  /** No more memory: writes are refused. */
  | { readonly kind: 'redis-full' }
  | { readonly kind: 'subscriptions-killed' }
  /** The clock on its wall is set, and set right again at the end. */
  | { readonly kind: 'clock-stepped'; readonly process: Process; readonly aheadMs: number }
  | { readonly kind: 'clients-cut'; readonly gateway: Gateway; readonly oneIn: number }
  | { readonly kind: 'clients-half-open'; readonly gateway: Gateway; readonly count: number; readonly way: Way }

export type PlannedFault = Fault & {
  /** From the beginning of the run. */
  readonly atMs: number
  readonly forMs: number
}

type Sketch = (dice: Dice) => Fault & { readonly forMs: number }

const ways = ['up', 'down', 'both'] as const
const processes = [...gateways, 'api'] as const

const kinds: readonly (readonly [weight: number, sketch: Sketch])[] = [
  [3, dice => ({ kind: 'kill', process: dice.pick(processes), forMs: dice.between(300, 3_000) })],
  [3, dice => ({ kind: 'freeze', process: dice.pick(processes), forMs: dice.between(1_000, 11_000) })],
  [2, dice => ({ kind: 'drain', gateway: dice.pick(gateways), forMs: 0 })],
  [1, dice => ({ kind: 'former-version', gateway: dice.pick(gateways), forMs: dice.between(3_000, 8_000) })],
  [2, dice => ({ kind: 'postgres-restart', forMs: dice.between(200, 3_000) })],
  [
    5,
    dice => ({
      kind: 'commit-unanswered',
      process: dice.roll() < 0.5 ? 'api' : dice.pick(gateways),
      by: dice.pick(['cut', 'reset', 'swallow']),
      forMs: dice.between(2_000, 6_000),
    }),
  ],
  [2, dice => ({ kind: 'postgres-cut', process: dice.pick(processes), forMs: 0 })],
  [
    2,
    dice => ({
      kind: 'postgres-deaf',
      process: dice.pick(processes),
      way: dice.pick(ways),
      forMs: dice.between(1_000, 6_000),
    }),
  ],
  [
    1,
    dice => ({
      kind: 'postgres-slow',
      process: dice.pick(processes),
      latencyMs: dice.between(30, 300),
      forMs: dice.between(2_000, 6_000),
    }),
  ],
  [2, () => ({ kind: 'backends-terminated', forMs: 0 })],
  [2, dice => ({ kind: 'redis-stall', forMs: dice.between(1_000, 8_000) })],
  [2, dice => ({ kind: 'redis-restart', forMs: dice.between(200, 4_000) })],
  [2, dice => ({ kind: 'redis-refused', process: dice.pick(processes), forMs: dice.between(500, 5_000) })],
  [
    3,
    dice => ({
      kind: 'redis-deaf',
      process: dice.pick(processes),
      way: dice.pick(ways),
      forMs: dice.between(1_000, 6_000),
    }),
  ],
  [2, () => ({ kind: 'redis-emptied', forMs: 0 })],
  [1, dice => ({ kind: 'redis-full', forMs: dice.between(1_000, 5_000) })],
  [2, () => ({ kind: 'subscriptions-killed', forMs: 0 })],
  [3, dice => ({ kind: 'clients-cut', gateway: dice.pick(gateways), oneIn: dice.between(1, 4), forMs: 0 })],
  [
    2,
    dice => ({
      kind: 'clients-half-open',
      gateway: dice.pick(gateways),
      count: dice.between(1, 4),
      way: dice.pick(ways),
      forMs: dice.between(2_000, 8_000),
    }),
  ],
]

/** Before the first fault. */
const calmMs = 2_500
const pauseMs = { min: 300, max: 2_800 }

/** What a fault lays hold of: no second one does while it lasts, so that each ends as it was begun. */
export function holdOf(fault: Fault): string {
  if (fault.kind === 'clients-cut') return 'nothing'
  if (fault.kind === 'clock-stepped') return `clock of ${fault.process}`
  if (fault.kind === 'clients-half-open') return `clients of ${fault.gateway}`
  if ('gateway' in fault) return fault.gateway
  if (fault.kind === 'subscriptions-killed') return 'redis'
  if (fault.kind === 'backends-terminated') return 'postgres'
  if (fault.kind.startsWith('redis')) return 'process' in fault ? `redis of ${fault.process}` : 'redis'
  if (fault.kind.startsWith('postgres-')) return 'process' in fault ? `postgres of ${fault.process}` : 'postgres'
  if (fault.kind === 'kill' || fault.kind === 'freeze') return fault.process
  return 'nothing'
}

export function planFaults(seed: number, seconds: number): PlannedFault[] {
  const dice = createDice(seed)
  const endMs = seconds * 1_000
  const planned: PlannedFault[] = []
  const heldUntil = new Map<string, number>()
  for (let atMs = calmMs; atMs < endMs; atMs += dice.between(pauseMs.min, pauseMs.max)) {
    const sketched = dice.draw(kinds)(dice)
    const hold = holdOf(sketched)
    // What needs its time gets it: faults end with the run.
    const forMs = Math.min(sketched.forMs, endMs - atMs)
    if ((heldUntil.get(hold) ?? 0) > atMs) continue
    // A process takes a while to start.
    const settleMs = hold === 'nothing' ? 0 : 'gateway' in sketched || 'process' in sketched ? 4_000 : 1_500
    heldUntil.set(hold, atMs + forMs + settleMs)
    planned.push({ ...sketched, atMs, forMs })
  }
  return [...planned, ...planClocks(seed, endMs), ...planWorker(seed, endMs)].sort(
    (one, other) => one.atMs - other.atMs,
  )
}

/** Some twenty seconds lie between two. */
const clockPauseMs = { min: 10_000, max: 30_000 }
const stepsMs = [-3_600_000, -60_000, -5_000, 5_000, 60_000, 3_600_000]

/** By dice of their own. */
function planClocks(seed: number, endMs: number): PlannedFault[] {
  const dice = createDice(seed ^ 0x5eed)
  const planned: PlannedFault[] = []
  for (
    let atMs = dice.between(calmMs, clockPauseMs.max);
    atMs < endMs;
    atMs += dice.between(clockPauseMs.min, clockPauseMs.max)
  ) {
    const forMs = Math.min(dice.between(3_000, 10_000), endMs - atMs)
    planned.push({ kind: 'clock-stepped', process: dice.pick(processes), aheadMs: dice.pick(stepsMs), atMs, forMs })
  }
  return planned
}

const ofWorker = { process: 'worker' } as const
const workerKinds: readonly (readonly [weight: number, sketch: Sketch])[] = [
  [4, dice => ({ kind: 'kill', ...ofWorker, forMs: dice.between(300, 2_000) })],
  [2, dice => ({ kind: 'freeze', ...ofWorker, forMs: dice.between(1_000, 6_000) })],
  [
    3,
    dice => ({
      kind: 'commit-unanswered',
      ...ofWorker,
      by: dice.pick(['cut', 'reset', 'swallow']),
      forMs: dice.between(1_000, 4_000),
    }),
  ],
  [1, () => ({ kind: 'postgres-cut', ...ofWorker, forMs: 0 })],
  [1, dice => ({ kind: 'postgres-deaf', ...ofWorker, way: dice.pick(ways), forMs: dice.between(1_000, 4_000) })],
  [1, dice => ({ kind: 'redis-refused', ...ofWorker, forMs: dice.between(500, 4_000) })],
  [1, dice => ({ kind: 'redis-deaf', ...ofWorker, way: dice.pick(ways), forMs: dice.between(1_000, 4_000) })],
]
/** From the end of one to the beginning of the next: it starts, and has something in hand again. */
const workerPauseMs = { min: 3_000, max: 7_000 }

/** What meets the worker, one after the other, by dice of its own. */
function planWorker(seed: number, endMs: number): PlannedFault[] {
  const dice = createDice(seed ^ 0x3037)
  const planned: PlannedFault[] = []
  for (let atMs = calmMs + dice.between(0, workerPauseMs.min); atMs < endMs; ) {
    const sketched = dice.draw(workerKinds)(dice)
    const forMs = Math.min(sketched.forMs, endMs - atMs)
    planned.push({ ...sketched, atMs, forMs })
    atMs += forMs + dice.between(workerPauseMs.min, workerPauseMs.max)
  }
  return planned
}

/** One line for a person. */
export function describeFault({ atMs, forMs, kind, ...rest }: PlannedFault): string {
  const details = Object.entries(rest).map(([name, value]) => `${name} ${String(value)}`)
  const lasting = forMs === 0 ? '' : ` for ${(forMs / 1_000).toFixed(1)} s`
  return `${(atMs / 1_000).toFixed(1).padStart(6)} s  ${kind}${lasting}${details.length === 0 ? '' : `: ${details.join(', ')}`}`
}
