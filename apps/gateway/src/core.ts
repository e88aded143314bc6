/**
 * What a gateway is inside, sockets left out: the domain joined to the other nodes, the hub of its connections, and whatever
 * watches over both (healing, retelling, hiding, shedding).
 */
import { type ChatContext, sync } from '@flotilla/chat'
import type { Event } from '@flotilla/protocol'
import { joinNode } from '@flotilla/node'
import type { NodeInfo, NodePorts, RoutingNode } from '@flotilla/routing'
import type { LogFields, TraceEntry } from '@flotilla/service'
import { type Admission, createAdmission } from './admission.ts'
import type { Connection } from './connection.ts'
import type { GatewayOptions } from './options.ts'
import { createHealer, type Healer } from './heal.ts'
import { createHider, type Hider } from './hide.ts'
import { Hub } from './hub.ts'
import { createGatewayMetrics, type GatewayMetrics } from './metrics.ts'
import { createRefresher, type Refresher } from './refresh.ts'
import { type Retelling, retellChanges } from './retell.ts'
import { createShedder, type Shedder } from './shed.ts'

/** How far the gateway is; it alone changes this. */
export interface Phase {
  /** It listens. */
  serving: boolean
  draining: boolean
}

export interface Core {
  readonly chat: ChatContext
  readonly node: RoutingNode
  readonly hub: Hub
  readonly healer: Healer
  readonly refresher: Refresher<Connection>
  readonly hider: Hider
  readonly retelling: Retelling
  readonly admission: Admission
  readonly shedder: Shedder
  readonly metrics: GatewayMetrics
  /** Counts what should not have failed, and logs it. */
  fault(error: unknown, message: string, about?: LogFields): void
}

const steady = () => performance.now()

export async function createCore(options: GatewayOptions, random: () => number, phase: Phase): Promise<Core> {
  const { logger } = options
  const fault = (error: unknown, message: string, about: LogFields = {}) => {
    metrics.fault()
    logger.error({ err: error, ...about }, message)
  }
  const hub = new Hub({
    readMembers: (conversation, users) => sync.localMembers(chat, conversation, users),
    onJoin: conversation => void node.join(conversation),
    onLeave: conversation => void node.leave(conversation),
    onMembership: (conversation, version) => chat.memberships.drop(conversation, version),
    onGone: users => hider.left(users),
    onEntry: committedAt => metrics.delivered(committedAt),
    onLost(error) {
      fault(error, 'unable to read local members')
      healer.suspect(0)
    },
    onLate: ageMs => healer.suspect(ageMs),
  })
  const { chat, node } = await joinNode({
    chat: {
      pool: options.pool,
      masterKeys: options.masterKeys,
      ...(options.clock === undefined ? {} : { clock: options.clock }),
      ...(options.chat === undefined ? {} : { settings: options.chat }),
      onCommit: (entries, ms) => metrics.committed(entries, ms),
      connectionsOf: user => hub.connectionsOf(user),
    },
    node: {
      id: options.nodeId,
      store: options.routing,
      random,
      info: () => infoOf(options, hub, phase),
    },
    sockets: {
      ...traceDeliveries(hub, options.trace),
      suspect(ageMs, missed) {
        healer.suspect(ageMs)
        refresher.suspect(missed)
      },
      presenceChanged(changes) {
        const at = chat.clock()
        for (const { user, online } of changes)
          hub.tellWatchers(user, JSON.stringify({ event: 'presence.changed', user, online, at } satisfies Event))
      },
    },
    logger,
    trace: options.trace,
  })
  const healer = createHealer(chat, hub, logger)
  const refresher = createRefresher({ perSecond: options.refreshesPerSecond, hub })
  const hider = createHider({ chat, hub, logger, onUnwatched: users => users.length > 0 && void node.unwatch(users) })
  const retelling = retellChanges({
    chat,
    hub,
    healer,
    onFault: error => fault(error, 'unable to announce changes'),
  })
  const admission = createAdmission({ ...options, random, nowMs: steady() })
  const shedder = shedderOf(options, { hub, node, admission }, phase)
  const metrics = createGatewayMetrics(options.registry, {
    hub,
    chat,
    healer,
    refresher,
    connectionsMax: options.connectionsMax,
    sendQueueBytesMax: options.sendQueueBytesMax,
    draining: () => phase.draining,
    fleetMean: () => shedder.load().mean,
  })
  return { chat, node, hub, healer, refresher, hider, retelling, admission, shedder, metrics, fault }
}

/** What the fleet is told about this node. */
const infoOf = ({ publicUrl, region, connectionsMax }: GatewayOptions, hub: Hub, phase: Phase): NodeInfo => ({
  kind: 'gateway',
  url: publicUrl,
  region,
  connections: hub.connections,
  accepting: phase.serving && !phase.draining && hub.connections < connectionsMax,
  ...(phase.draining ? { draining: true } : {}),
})

/** A client that is moved finds another gateway, or this one again. */
export const moveBy = (name: 'node_draining' | 'rebalanced') => (connection: Connection) => {
  if (connection.open) connection.close(name)
}

const shedderOf = (
  options: GatewayOptions,
  { hub, node, admission }: Pick<Core, 'hub' | 'node' | 'admission'>,
  phase: Phase,
) =>
  createShedder({
    settings: { abovePercent: 0, percentPerSecond: 0, ...options.shed, connectsPerSecond: options.connectsPerSecond },
    own: () => ({ id: options.nodeId, region: options.region, connections: hub.connections }),
    nodes: () => node.nodes(),
    // After a storm the gateways fill unevenly, and the oldest connections, those that it spared, would be moved for it: 57
    // of 200, while 4,000 came back. Those who come level the fleet by themselves.
    isHeld: () => phase.draining || node.state() !== 'up' || admission.expectsReturns(steady()),
    connections: () => hub.inOrder(),
    shed: moveBy('rebalanced'),
    logger: options.logger,
    steady,
  })

/** The hub as the routing sees it; with traces, each delivery of an entry is a part of its way. */
function traceDeliveries(hub: Hub, trace: TraceEntry | undefined): Pick<NodePorts, 'deliver' | 'deliverByInterest'> {
  const deliver: NodePorts['deliver'] = (...delivery) => hub.deliver(...delivery)
  const deliverByInterest: NodePorts['deliverByInterest'] = (...delivery) => hub.deliverByInterest(...delivery)
  if (trace === undefined) return { deliver, deliverByInterest }
  return {
    deliver(users, frame, delivery, origin) {
      const startedAt = performance.now()
      const missing = deliver(users, frame, delivery, origin)
      const people = users.length - missing.length
      if (delivery.class === 'entry' && people > 0)
        trace(delivery.entry, { name: 'deliver', startedAt, attributes: { 'flotilla.people': people } })
      return missing
    },
    deliverByInterest(interest, frame, entry, origin) {
      const startedAt = performance.now()
      deliverByInterest(interest, frame, entry, origin)
      trace(entry, { name: 'deliver', startedAt })
    },
  }
}
