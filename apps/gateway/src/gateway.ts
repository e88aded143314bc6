/**
 * A gateway, put together: its core (core.ts), the sockets that come and go (reception.ts), and what is done every so often.
 * No state that a restart would lose. main.ts runs it as a process, the standalone app inside its own.
 */
import { type ChatContext, offline, type Pool, sessions, users } from '@flotilla/chat'
import { type Event, limits } from '@flotilla/protocol'
import type { RoutingNode } from '@flotilla/routing'
import type { Logger } from '@flotilla/service'
import { Backlog } from './backlog.ts'
import type { Connection } from './connection.ts'
import { type Core, createCore, moveBy, type Phase } from './core.ts'
import { createPace, warnIfTooFast } from './drain.ts'
import type { GatewayOptions } from './options.ts'
import { Reception } from './reception.ts'
import { refreshTickMs } from './refresh.ts'
import { serveSockets } from './server.ts'
import { createSessionSweep, sweepLookMs } from './session-sweep.ts'
import { shedLimits } from './shed.ts'

export interface Gateway {
  readonly port: number
  readonly chat: ChatContext
  readonly node: RoutingNode
  /**
   * Why nobody should be sent here at present; undefined when they may. Never for load, nor when it is full, which
   * `accepting` in its beats tells: Kubernetes removes what is not ready first, and that would be the fullest.
   */
  unready(): string | undefined
  /** How many there are now. */
  connections(): number
  /** Moves the clients at a paced rate while it still delivers, then ends. */
  drain(): Promise<void>
}

/** How often it is looked whether too much waits for slow readers. */
const relieveMs = 250
const drainTickMs = 50
const partitionsMs = 3_600_000

export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { logger, nodeId, region, pool } = options
  const random = options.random ?? Math.random
  const phase: Phase = { serving: false, draining: false }
  const core = await createCore(options, random, phase)
  const { chat, node, hub } = core
  const backlog = new Backlog<Connection>(options.sendQueuesBytesMax, options.readStallMsMax)
  const reception = new Reception(options, core, backlog, random, phase)
  const timers = startTimers(options, core, backlog)
  chat.pulse.onNewEpoch(epoch => {
    const frame = JSON.stringify({ event: 'sync.heads', epoch, heads: [] } satisfies Event)
    for (const connection of hub.all()) connection.push(frame)
    core.refresher.suspect('anybody')
  })

  await keepPartitions(pool, logger)
  await node.start()
  const server = await serveSockets<Connection>(
    {
      host: options.host,
      port: options.port,
      path: '/v1/socket',
      frameBytesMax: limits.frameBytesMax,
      sendQueueBytesMax: options.sendQueueBytesMax,
      replyBytesMax: limits.replyBytesMax,
      socketsMax: options.socketsMax ?? Number.POSITIVE_INFINITY,
      // uWebSockets.js takes up to 960 s.
      idleSeconds: Math.min(960, Math.max(8, Math.ceil((options.pingIntervalMs * 2.4) / 1_000))),
    },
    reception,
  )
  phase.serving = true
  node.tell()
  logger.info({ port: server.port, node: nodeId, region }, 'gateway started')

  return {
    port: server.port,
    chat,
    node,
    unready: () => (phase.draining ? 'draining' : chat.pulse.unready()),
    connections: () => hub.connections,
    async drain() {
      phase.draining = true
      server.stopListening()
      node.tell()
      await moveAway(options, core)
      for (const timer of timers) clearInterval(timer)
      for (const part of [core.healer, core.hider, reception, hub, core.retelling]) part.stop()
      // Whose sockets have not said goodbye yet would find the domain closed.
      users.seen(chat, [...hub.users()])
      await chat.close()
      await node.stop()
      server.close()
    },
  }
}

/** What is done every so often, as long as there are connections. */
function startTimers(
  { pool, logger }: GatewayOptions,
  { chat, hub, refresher, shedder }: Core,
  backlog: Backlog<Connection>,
): NodeJS.Timeout[] {
  const sweepSessions = createSessionSweep({
    all: () => hub.all(),
    async whyEnded(session) {
      const found = await sessions.check(chat, session)
      if (found?.suspension !== undefined) return 'account_suspended'
      return found === undefined ? 'session_ended' : undefined
    },
  })
  function relieve() {
    const cut = backlog.relieve()
    if (cut > 0) logger.warn({ cut }, 'send queues full; slowest readers cut off')
  }
  return [
    setInterval(() => void keepPartitions(pool, logger), partitionsMs),
    setInterval(() => shedder.tick(), shedLimits.tickMs),
    setInterval(relieve, relieveMs),
    setInterval(() => refresher.tick(), refreshTickMs),
    setInterval(() => void sweepSessions(), sweepLookMs),
  ]
}

async function keepPartitions(pool: Pool, logger: Logger): Promise<void> {
  try {
    await offline.ensurePartitions(pool)
  } catch (error) {
    logger.warn({ err: error }, 'unable to create partitions; rows go to the default partition')
  }
}

/** Closes the connections evenly over the drain time, the whole while delivering to those that are still here. */
async function moveAway(options: GatewayOptions, { hub, node }: Core): Promise<void> {
  const { nodeId, region, drainMs } = options
  warnIfTooFast({ ...options, own: { id: nodeId, region, connections: hub.connections }, nodes: node.nodes() })
  const move = moveBy('node_draining')
  const startedAt = performance.now()
  const pace = createPace(startedAt, startedAt + drainMs, drainTickMs)
  // Those who leave by themselves are none to move; those who were being greeted come last.
  for (let all = hub.all(); all.length > 0; all = all.filter(connection => connection.open)) {
    for (const connection of all.slice(0, pace(all.length, performance.now()))) move(connection)
    await new Promise(resolve => setTimeout(resolve, drainTickMs))
  }
  for (const connection of hub.all()) move(connection)
}
