/** Does what the plan says to the stage, takes down what was away meanwhile, and leaves everything whole. */
import { setTimeout as pause } from 'node:timers/promises'
import type { FaultProxy, Which } from '../fault-proxy.ts'
import type { FleetNode } from '../fleet.ts'
import type { History } from '../history.ts'
import { steadyMs } from '../live-history.ts'
import type { ComposedStage } from './composed-stage.ts'
import { describeFault, type Fault, gateways, holdOf, type PlannedFault, type Process, type Way } from './plan.ts'
import type { SocketRecorder } from './recorded-sockets.ts'

export interface NemesisOptions {
  readonly stage: ComposedStage
  readonly history: History
  readonly sockets: SocketRecorder
  /** The checkout of the version before; without it those faults are left out. */
  readonly formerRoot: string | undefined
  readonly root: string
  say(line: string): void
}

type FaultOf<K extends Fault['kind']> = Extract<PlannedFault, { kind: K }>

/** Meets with every fault of the plan. Resolves when all are over and everything runs. */
export async function meetFaults(plan: readonly PlannedFault[], options: NemesisOptions): Promise<void> {
  const beganAt = steadyMs()
  /** On a busy machine a fault may last longer than it was planned for: the next one of its kind waits. */
  const held = new Map<string, Promise<void>>()
  await Promise.all(
    plan.map(async fault => {
      await pause(Math.max(0, beganAt + fault.atMs - steadyMs()))
      const hold = holdOf(fault)
      const before = hold === 'nothing' ? undefined : held.get(hold)
      const mine = (before ?? Promise.resolve()).then(() => meet(fault, beganAt, options))
      held.set(hold, mine)
      await mine
    }),
  )
}

async function meet(fault: PlannedFault, beganAt: number, options: NemesisOptions): Promise<void> {
  const fromMs = steadyMs()
  const lateMs = Math.round(fromMs - beganAt - fault.atMs)
  options.say(`${describeFault(fault)}${lateMs > 500 ? ` (${lateMs} ms late)` : ''}`)
  try {
    await strike(fault, options)
  } catch (error) {
    throw new Error(`unable to go on with ${describeFault(fault)}: ${String(error)}`, { cause: error })
  }
  const toMs = steadyMs()
  for (const what of awayBy(fault)) options.history.live({ kind: 'away', what, fromMs, toMs })
}

/** What cannot be had while a fault is in force. */
function awayBy(fault: Fault): readonly string[] {
  switch (fault.kind) {
    case 'kill':
    case 'freeze':
      return [fault.process]
    case 'drain':
      return [fault.gateway]
    case 'former-version':
      return [fault.gateway, `former ${fault.gateway}`]
    case 'postgres-restart':
    case 'backends-terminated':
      return ['postgres']
    case 'postgres-cut':
    case 'postgres-deaf':
    case 'postgres-slow':
      return [`postgres of ${fault.process}`]
    case 'redis-restart':
    case 'redis-stall':
    case 'redis-emptied':
    case 'redis-full':
    case 'subscriptions-killed':
      return ['redis']
    case 'redis-refused':
    case 'redis-deaf':
      return [`redis of ${fault.process}`]
    default:
      return []
  }
}

async function strike(fault: PlannedFault, options: NemesisOptions): Promise<void> {
  const { stage, root, formerRoot } = options
  const { links, postgres, redis } = stage
  switch (fault.kind) {
    case 'kill':
      return killProcess(fault, stage)
    case 'freeze':
      return freezeProcess(fault, stage)
    case 'drain':
      return replace(nodeOf(stage, fault.gateway), root)
    case 'former-version':
      if (formerRoot === undefined) return
      await replace(nodeOf(stage, fault.gateway), formerRoot)
      await pause(fault.forMs)
      return replace(nodeOf(stage, fault.gateway), root)
    case 'postgres-restart':
      await postgres.stop('immediate')
      await pause(fault.forMs)
      return postgres.start()
    case 'commit-unanswered':
      return breakCommit(fault, stage)
    case 'postgres-cut':
      return links[fault.process].postgres.reset()
    case 'postgres-deaf':
      return deafen(links[fault.process].postgres, fault)
    case 'postgres-slow':
      links[fault.process].postgres.set({ latencyMs: fault.latencyMs, jitterMs: fault.latencyMs / 2 })
      await pause(fault.forMs)
      return links[fault.process].postgres.set({ latencyMs: 0, jitterMs: 0 })
    case 'backends-terminated':
      await stage.pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'flotilla-%' AND pid % 2 = 0`,
      )
      return
    case 'redis-stall':
      process.kill(redis.pid(), 'SIGSTOP')
      await pause(fault.forMs)
      process.kill(redis.pid(), 'SIGCONT')
      return
    case 'redis-restart':
      await redis.kill()
      await pause(fault.forMs)
      return redis.restart()
    case 'redis-refused':
      await links[fault.process].redis.refuse(true)
      links[fault.process].redis.reset()
      await pause(fault.forMs)
      return links[fault.process].redis.refuse(false)
    case 'redis-deaf':
      return deafen(links[fault.process].redis, fault)
    case 'redis-emptied':
      return stage.commandRedis('FLUSHALL')
    case 'redis-full':
      await stage.commandRedis('CONFIG', 'SET', 'maxmemory', '1')
      await pause(fault.forMs)
      return stage.commandRedis('CONFIG', 'SET', 'maxmemory', '0')
    case 'subscriptions-killed':
      return stage.commandRedis('CLIENT', 'KILL', 'TYPE', 'pubsub')
    case 'clock-stepped':
      stage.clocks.get(fault.process)?.step(fault.aheadMs)
      await pause(fault.forMs)
      return stage.clocks.get(fault.process)?.step(0)
    case 'clients-cut': {
      const { proxy } = nodeOf(stage, fault.gateway)
      return proxy.reset(({ index }) => index % fault.oneIn === 0)
    }
    case 'clients-half-open':
      return halfOpen(fault, options)
  }
}

const nodeOf = (stage: ComposedStage, name: string): FleetNode =>
  stage.fleet.nodes[gateways.findIndex(gateway => gateway === name)]!

const processOf = (stage: ComposedStage, name: Process) =>
  name === 'api' || name === 'worker' ? stage[name] : nodeOf(stage, name)

async function killProcess({ process: name, forMs }: FaultOf<'kill'>, stage: ComposedStage): Promise<void> {
  const it = processOf(stage, name)
  await it.kill()
  await pause(forMs)
  await it.start()
}

async function freezeProcess({ process: name, forMs }: FaultOf<'freeze'>, stage: ComposedStage): Promise<void> {
  const it = processOf(stage, name)
  it.freeze()
  await pause(forMs)
  it.thaw()
}

async function replace(node: FleetNode, root: string): Promise<void> {
  // With a store away it may come to the end of its time, and ends with 1.
  await node.drain()
  await node.start(root)
}

/**
 * What comes back from PostgreSQL when something is committed: the tag of COMMIT, or the columns that only the group
 * commit answers with. The server sends them when the commit is done.
 */
const committed = { change: Buffer.from('COMMIT\0'), send: Buffer.from('versions\0') }

async function breakCommit(fault: FaultOf<'commit-unanswered'>, stage: ComposedStage): Promise<void> {
  const { postgres } = stage.links[fault.process]
  const giveUp = new AbortController()
  void postgres.trap({
    direction: 'down',
    when: { pattern: fault.process === 'api' ? committed.change : committed.send },
    action: fault.by,
    signal: giveUp.signal,
  })
  await pause(fault.forMs)
  giveUp.abort()
  endDeaf(postgres)
}

const directionOf = (way: Way) => (way === 'both' ? {} : { direction: way })

async function deafen(proxy: FaultProxy, { way, forMs }: { way: Way; forMs: number }): Promise<void> {
  proxy.halfOpen(true, directionOf(way))
  await pause(forMs)
  proxy.halfOpen(false, directionOf(way))
  endDeaf(proxy)
}

/** A connection that lost bytes is good for nothing but an end. */
function endDeaf(proxy: FaultProxy): void {
  proxy.reset(({ bytesSwallowed }) => bytesSwallowed > 0)
}

async function halfOpen(fault: FaultOf<'clients-half-open'>, { stage, sockets }: NemesisOptions): Promise<void> {
  const { proxy } = nodeOf(stage, fault.gateway)
  const chosen = proxy
    .connections()
    .filter(({ open }) => open)
    .slice(-fault.count)
  const which: Which = ({ index }) => chosen.some(one => one.index === index)
  for (const { clientPort } of chosen) sockets.disturb(clientPort)
  proxy.halfOpen(true, { ...directionOf(fault.way), which })
  await pause(fault.forMs)
  proxy.reset(which)
}
