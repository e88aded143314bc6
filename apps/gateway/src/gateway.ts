/**
 * A gateway, put together: sockets (server, connection, hub), the domain (libs/chat) and the way to the other nodes
 * (libs/routing). No state that a restart would lose. main.ts runs it as a process, the standalone app inside its own.
 */
import {
  type ChatContext,
  type ChatSettings,
  createChat,
  type MasterKey,
  offline,
  type Pool,
  sessions,
  type StoreClock,
  sync,
  users,
} from '@flotilla/chat'
import {
  type CloseName,
  type Command,
  type Event,
  limits,
  type Op,
  protocolVersion,
  protocolVersionMin,
} from '@flotilla/protocol'
import {
  type Budget,
  createCounter,
  createNode,
  type NodePorts,
  type RoutingNode,
  type RoutingStore,
  TokenBucket,
} from '@flotilla/routing'
import {
  clockSkewMsMax,
  type LogFields,
  type Logger,
  type Registry,
  type SecretKey,
  ticketLifeMs,
  type TraceEntry,
  verifyTicket,
} from '@flotilla/service'
import { type AddressSettings, createAddresses } from './addresses.ts'
import { createAdmission } from './admission.ts'
import { Backlog } from './backlog.ts'
import { Connection, type ConnectionDeps, type Socket } from './connection.ts'
import { type Handler, type HandlerDeps, handlers } from './handlers.ts'
import { createPace, warnIfTooFast } from './drain.ts'
import { createHealer } from './heal.ts'
import { createHider, stillWatched } from './hide.ts'
import { Hub } from './hub.ts'
import { createGatewayMetrics } from './metrics.ts'
import { createRefresher, refreshPauseMs, refreshTickMs } from './refresh.ts'
import { retellChanges } from './retell.ts'
import { serveSockets, type SocketServer, type UpgradeQuery } from './server.ts'
import { createSessionSweep, sweepLookMs } from './session-sweep.ts'
import { createShedder, type ShedSettings, shedLimits } from './shed.ts'
import { createTicketRefusals } from './ticket-refusals.ts'

export interface GatewayOptions extends AddressSettings {
  readonly pool: Pool
  readonly routing: RoutingStore
  readonly logger: Logger
  readonly registry: Registry
  readonly masterKeys: readonly MasterKey[]
  readonly ticketKeys: readonly SecretKey[]
  readonly nodeId: string
  readonly region: string
  readonly publicUrl: string
  readonly host: string
  readonly port: number
  readonly connectionsMax: number
  readonly connectsPerSecond: number
  readonly commandsPerSecond: number
  readonly commandsBurst: number
  readonly commandsInFlightMax: number
  readonly sendQueueBytesMax: number
  /** Of all connections together. */
  readonly sendQueuesBytesMax: number
  /** How long a client may take nothing of what waits for it. */
  readonly readStallMsMax: number
  readonly connectionsPerSessionMax: number
  readonly connectionsPerPersonMax: number
  /** In a minute, over the whole fleet. */
  readonly connectsPerPersonMax: number
  /** Sockets that may be open, greeted or not; without it, as many as come. */
  readonly socketsMax?: number
  /** Connections that are told to read anew a second. */
  readonly refreshesPerSecond: number
  readonly pingIntervalMs: number
  readonly reconnect: { readonly baseMs: number; readonly maxMs: number }
  readonly drainMs: number
  /** How it gives connections to emptier gateways; missing: never. */
  readonly shed?: Omit<ShedSettings, 'connectsPerSecond'>
  readonly allowedOrigins: readonly string[]
  readonly chat?: Partial<ChatSettings>
  /** Missing when nothing is traced. */
  readonly trace?: TraceEntry
  /** Missing where time is that of the store, as it is in every process. */
  readonly clock?: StoreClock
  readonly random?: () => number
}

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

/** Far above its rate a node answers before the upgrade: cheaper, but a browser cannot read it. */
const hardFactor = 4
const minuteMs = 60_000
/** Of one person, over all nodes: so that many connections get no more than a few. */
const personFactor = 2
/** When a socket that is not greeted may come again; missing: as with any failure. */
const retryAfter: Partial<Record<CloseName, number>> = { ticket_used: 0, too_many_connections: minuteMs }
/** How often it is looked whether too much waits for slow readers. */
const relieveMs = 250
const drainTickMs = 50
const partitionsMs = 3_600_000
const steady = () => performance.now()
/** From its first use to its last by any clock that is borne with. */
const ticketMemoryMs = ticketLifeMs + 2 * clockSkewMsMax
/** Before the next try with another ticket, and up to twice as much more. */
const ticketRetryMs = 1_000

export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { logger, nodeId, region } = options
  const random = options.random ?? Math.random
  const timers: NodeJS.Timeout[] = []
  let draining = false
  let connectionNumber = 0
  let server: SocketServer | undefined

  const fault = (error: unknown, message: string, about: LogFields = {}) => {
    metrics.fault()
    logger.error({ err: error, ...about }, message)
  }

  const traced = options.trace === undefined ? {} : { trace: options.trace }
  const chat = await createChat({
    pool: options.pool,
    masterKeys: options.masterKeys,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    logger,
    ...(options.chat === undefined ? {} : { settings: options.chat }),
    ...traced,
    presumedAbsent: users => node.presumedAbsent(users),
    onCommit: (entries, ms) => metrics.committed(entries, ms),
    spendAll: charges => node.budgets.spendAll(charges),
    connectionsOf: user => hub.connectionsOf(user),
    emit({ event, ...place }) {
      void node.route([{ frame: JSON.stringify(event), ...place }])
    },
  })

  const hub = new Hub({
    readMembers: (conversation, users) => sync.localMembers(chat, conversation, users),
    onJoin: conversation => void node.join(conversation),
    onLeave: conversation => void node.leave(conversation),
    onMembership: (conversation, version) => chat.memberships.drop(conversation, version),
    onGone: users => hider.left(users),
    onEntry: committedAt => metrics.delivered(committedAt),
    onLost(error) {
      fault(error, 'unable to read the members who are here')
      healer.suspect(0)
    },
    onLate: ageMs => healer.suspect(ageMs),
  })

  const node = createNode({
    id: nodeId,
    store: options.routing,
    logger,
    random,
    ...traced,
    info: () => ({
      kind: 'gateway',
      url: options.publicUrl,
      region,
      connections: hub.connections,
      accepting: server !== undefined && !draining && hub.connections < options.connectionsMax,
      ...(draining ? { draining } : {}),
    }),
    ports: {
      ...traceDeliveries(hub, options.trace),
      absent: absences =>
        void offline
          .note(chat, absences)
          .catch((error: unknown) => logger.warn({ err: error }, 'unable to note who was not reached')),
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
  })
  const healer = createHealer(chat, hub, logger)
  const refresher = createRefresher({ perSecond: options.refreshesPerSecond, hub })
  const retelling = retellChanges({
    chat,
    hub,
    healer,
    onFault: error => fault(error, 'unable to tell what was changed'),
  })
  const hider = createHider({
    chat,
    hub,
    logger,
    onUnwatched: users => users.length > 0 && void node.unwatch(users),
  })

  const metrics = createGatewayMetrics(options.registry, {
    hub,
    chat,
    healer,
    refresher,
    connectionsMax: options.connectionsMax,
    sendQueueBytesMax: options.sendQueueBytesMax,
    draining: () => draining,
    fleetMean: () => shedder.load().mean,
  })

  const moveBy = (name: 'node_draining' | 'rebalanced') => (connection: Connection) => {
    if (connection.open) connection.close(name)
  }
  const shedder = createShedder({
    settings: { abovePercent: 0, percentPerSecond: 0, ...options.shed, connectsPerSecond: options.connectsPerSecond },
    own: () => ({ id: nodeId, region, connections: hub.connections }),
    nodes: () => node.nodes(),
    // After a storm the gateways fill unevenly, and the oldest connections, those that it spared, would be moved for it: 57
    // of 200, while 4,000 came back. Those who come level the fleet by themselves.
    isHeld: () => draining || node.state() !== 'up' || admission.expectsReturns(steady()),
    connections: () => hub.inOrder(),
    shed: moveBy('rebalanced'),
    logger,
    steady,
  })

  // ── connections ──────────────────────────────────────────────────────────────────────────────────────────────────

  const backlog = new Backlog<Connection>(options.sendQueuesBytesMax, options.readStallMsMax)
  const sweepSessions = createSessionSweep({
    all: () => hub.all(),
    async whyEnded(session) {
      const found = await sessions.check(chat, session)
      if (found?.suspension !== undefined) return 'account_suspended'
      return found === undefined ? 'session_ended' : undefined
    },
  })
  const ticketRefusals = createTicketRefusals(logger, chat.clockSkewMs)
  const admission = createAdmission({ ...options, random, nowMs: steady() })
  const commands: Budget = {
    name: 'commands',
    perSecond: options.commandsPerSecond * personFactor,
    burst: options.commandsBurst * personFactor,
  }
  const counter = createCounter(node, 'gateway')
  const addresses = createAddresses({ settings: options, budgets: node.budgets, logger, random, steady })
  const persons = node.budgets.holding('person-connections', options.connectionsPerPersonMax)

  const handlerDeps: HandlerDeps = {
    chat,
    async watch(session, users) {
      const connection = session.origin as Connection
      const first = await hider.watch(session.user, users, seen => (connection.open ? hub.watch(connection, seen) : []))
      if (first.length > 0) await node.watch(first)
      return stillWatched(connection, await node.online(stillWatched(connection, users)))
    },
    async unwatch(session, users) {
      const last = hub.unwatch(session.origin as Connection, users)
      if (last.length > 0) await node.unwatch(last)
    },
  }

  const deps: ConnectionDeps = {
    steady,
    limits: { ...options, frameBytesMax: limits.frameBytesMax },
    handle: (session, command: Command) => (handlers[command.op] as Handler<Op>)(handlerDeps, session, command),
    spend: (user, weight) => node.budgets.spend(commands, user, weight),
    markDirty: connection => hub.markDirty(connection),
    onBacklog: connection => backlog.note(connection),
    onFault: (error, op, connection) => fault(error, `${op} failed`, { ...connection.names, op }),
    onCommand: (op, outcome, startedAt) =>
      metrics.command(op in handlers ? op : 'unknown', outcome, (steady() - startedAt) / 1_000),
    onClose: ended,
    onMissed: connection => refresher.owe(connection),
    traffic: metrics.traffic,
  }
  timers.push(
    setInterval(() => void keepPartitions(), partitionsMs),
    setInterval(() => shedder.tick(), shedLimits.tickMs),
    setInterval(relieve, relieveMs),
    setInterval(() => refresher.tick(), refreshTickMs),
    setInterval(() => void sweepSessions(), sweepLookMs),
  )

  function relieve() {
    const closed = backlog.relieve()
    if (closed > 0) logger.warn({ closed }, 'too much waits for slow readers: those with the most were disconnected')
  }

  async function keepPartitions() {
    try {
      await offline.ensurePartitions(options.pool)
    } catch (error) {
      logger.warn({ err: error }, 'unable to make the partitions of the days to come; the default one takes their rows')
    }
  }

  function ended(connection: Connection, how: CloseName | 'client' | 'lost'): void {
    metrics.ended(how, connection.greeted)
    logger.debug({ ...connection.names, how }, 'a connection ended')
  }

  /** The close of a session that the pulse says is over. */
  const revokedAs = (session: string): CloseName =>
    chat.pulse.isSuspended(session) ? 'account_suspended' : 'session_ended'
  /** What other nodes hold of a person leaves less room here, but for one. */
  const most = (user: string) => ({
    connectionsPerSessionMax: options.connectionsPerSessionMax,
    connectionsPerPersonMax: Math.max(1, options.connectionsPerPersonMax - persons.elsewhere(user)),
  })

  /** From the upgrade to `hello`. Registers first and answers then, so that nothing falls between the two. */
  async function greet(connection: Connection, ticketId: string): Promise<CloseName | undefined> {
    const askedAt = performance.now()
    const [spent, connects, admitted] = await Promise.all([
      node.hit(`ticket:${ticketId}`, ticketMemoryMs),
      counter(`connects:${connection.user}`, minuteMs),
      sessions.admit(chat, { user: connection.user, session: connection.session }),
    ])
    if (spent !== undefined && spent.count > 1) return 'ticket_used'
    if (admitted === undefined) return 'session_ended'
    if (admitted.suspended) return 'account_suspended'
    if (connects.count > options.connectsPerPersonMax) return 'too_many_connections'
    if (!connection.open) return undefined
    hub.add(connection)
    persons.add(connection.user)
    // Of a device whose network flaps the oldest is dead already; refusing the newest would keep its owner out.
    for (const surplus of hub.surplus(connection, most(connection.user)))
      surplus.close('too_many_connections', minuteMs)
    // Revoked between the question and now: the pulse has told those who were here already, and names nobody twice.
    if (chat.pulse.isRevoked(connection.session)) return revokedAs(connection.session)
    if (admitted.large.length > 0) {
      connection.large = admitted.large.map(one => one.conversation)
      for (const { conversation, version, joinedSeq } of admitted.large)
        hub.noteMember(conversation, version, connection.user, joinedSeq)
    }
    await retelling.entered(connection.user, askedAt)
    // The heads are read after hello: whatever is told from then on must find its way here.
    await Promise.all([
      node.connect(connection.user),
      ...(connection.large ?? []).map(conversation => node.join(conversation)),
    ])
    connection.greet(
      JSON.stringify({
        event: 'hello',
        protocol: protocolVersion,
        node: nodeId,
        region,
        connection: connection.id,
        user: connection.user,
        session: connection.session,
        epoch: chat.epoch(),
        at: chat.clock(),
        pingIntervalMs: options.pingIntervalMs,
        refreshPauseMs,
        limits: {
          ...limits,
          commandsPerSecond: options.commandsPerSecond,
          commandsBurst: options.commandsBurst,
          personCommandsPerSecond: commands.perSecond,
          personCommandsBurst: commands.burst,
          connectionsPerSessionMax: options.connectionsPerSessionMax,
          connectionsPerPersonMax: options.connectionsPerPersonMax,
          connectsPerPersonMax: options.connectsPerPersonMax,
          connectsPerAddressMax: options.connectsPerAddressMax,
          socketsPerAddressMax: options.socketsPerAddressMax,
          messagesPerSecond: chat.settings.messagesPerSecond,
          messagesBurst: chat.settings.messagesBurst,
          fanoutPerSecond: chat.settings.fanoutPerSecond,
          fanoutBurst: chat.settings.fanoutBurst,
          storedBytesPerDayMax: chat.settings.storedBytesPerDayMax,
          commandsInFlightMax: options.commandsInFlightMax,
          sendQueueBytesMax: options.sendQueueBytesMax,
        },
        reconnect: options.reconnect,
      } satisfies Event),
      steady(),
    )
    metrics.traffic.connects++
    logger.debug(
      { ...connection.names, user: connection.user, session: connection.session },
      'a connection was greeted',
    )
    return undefined
  }

  function openSocket(socket: Socket, query: UpgradeQuery): Connection {
    addresses.opened(query.address)
    const checked = verifyTicket(options.ticketKeys, query.ticket, chat.clock())
    const ticket = typeof checked === 'string' ? undefined : checked
    if (typeof checked === 'string') ticketRefusals.note(checked)
    const connection = new Connection(deps, socket, {
      user: ticket?.user ?? '',
      session: ticket?.session ?? '',
      id: `${nodeId}-${(++connectionNumber).toString(36)}`,
      requestId: query.requestId,
      address: query.address,
    })
    const version = query.version === '' ? protocolVersion : Number(query.version)
    const isLimited = query.retryMs > 0
    const retryMs = draining || isLimited ? 0 : admission.admit(hub.connections, steady())
    if (draining) connection.close('node_draining')
    else if (isLimited) connection.close('address_limited', query.retryMs)
    else if (!(version >= protocolVersionMin && version <= protocolVersion)) connection.close('protocol_unsupported')
    else if (ticket === undefined)
      connection.close('ticket_invalid', ticketRetryMs + Math.floor(random() * 2 * ticketRetryMs))
    else if (retryMs > 0) connection.close('overloaded', retryMs)
    else
      greet(connection, ticket.id).then(
        refused => refused !== undefined && connection.close(refused, retryAfter[refused]),
        (error: unknown) => {
          logger.warn({ err: error, ...connection.names }, 'a connection could not be greeted')
          connection.close('unavailable', Math.ceil(random() * 5_000))
        },
      )
    return connection
  }

  function closeSocket(connection: Connection, clean: boolean): void {
    if (connection.open) ended(connection, clean ? 'client' : 'lost')
    connection.closed()
    addresses.closed(connection.address)
    const before = hub.connectionsOf(connection.user)
    const last = hub.remove(connection)
    if (hub.connectionsOf(connection.user) < before) persons.remove(connection.user)
    const unwatched = connection.watching === undefined ? [] : hub.unwatch(connection, [...connection.watching])
    if (last) {
      void node.disconnect(connection.user)
      users.seen(chat, [connection.user])
    }
    if (unwatched.length > 0) void node.unwatch(unwatched)
  }

  chat.pulse.onRevoked(revoked => {
    const ended = new Set(revoked)
    for (const connection of hub.all())
      if (ended.has(connection.session)) connection.close(revokedAs(connection.session))
  })
  chat.pulse.onNewEpoch(epoch => {
    const frame = JSON.stringify({ event: 'sync.heads', epoch, heads: [] } satisfies Event)
    for (const connection of hub.all()) connection.push(frame)
    refresher.suspect('anybody')
  })

  await keepPartitions()
  await node.start()
  const hard = new TokenBucket(options.connectsPerSecond * hardFactor, options.connectsPerSecond * hardFactor, steady())
  server = await serveSockets<Connection>(
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
    {
      upgrade({ origin, connections, peer, header }) {
        if (options.allowedOrigins.length > 0 && origin !== '' && !options.allowedOrigins.includes(origin)) {
          metrics.refusedConnect('origin')
          return { status: '403 Forbidden' }
        }
        const address = addresses.callerOf(peer, header)
        const { retryMs, isTold } = addresses.judge(address)
        if (!isTold) {
          metrics.refusedConnect('address')
          return { status: '429 Too Many Requests', retryAfterSeconds: Math.ceil(retryMs / 1_000) }
        }
        // Sockets that are not greeted yet count too: they hold memory all the same.
        if (connections >= options.connectionsMax * 1.1 || hard.take(1, steady()) > 0) {
          metrics.refusedConnect('flood')
          return { status: '503 Service Unavailable', retryAfterSeconds: 1 + Math.floor(random() * 10) }
        }
        return { address, retryMs }
      },
      open: openSocket,
      message(connection, text, bytes) {
        if (connection.open) void connection.receive(text, bytes)
      },
      binary: connection => connection.close('frame_malformed'),
      drained: connection => connection.drained(),
      close: closeSocket,
    },
  )
  node.tell()
  logger.info({ port: server.port, node: nodeId, region }, 'the gateway takes connections')

  return {
    port: server.port,
    chat,
    node,
    unready() {
      return draining ? 'draining' : chat.pulse.unready()
    },
    connections: () => hub.connections,
    async drain() {
      draining = true
      server?.stopListening()
      node.tell()
      await moveAway()
      for (const timer of timers) clearInterval(timer)
      healer.stop()
      hider.stop()
      ticketRefusals.stop()
      hub.stop()
      retelling.stop()
      // Whose sockets have not said goodbye yet would find the domain closed.
      users.seen(chat, [...hub.users()])
      await chat.close()
      await node.stop()
      server?.close()
    },
  }

  /** Closes the connections evenly over the drain time, the whole while delivering to those that are still here. */
  async function moveAway(): Promise<void> {
    warnIfTooFast({ ...options, own: { id: nodeId, region, connections: hub.connections }, nodes: node.nodes() })
    const move = moveBy('node_draining')
    const startedAt = performance.now()
    const pace = createPace(startedAt, startedAt + options.drainMs, drainTickMs)
    // Those who leave by themselves are none to move; those who were being greeted come last.
    for (let all = hub.all(); all.length > 0; all = all.filter(connection => connection.open)) {
      for (const connection of all.slice(0, pace(all.length, performance.now()))) move(connection)
      await new Promise(resolve => setTimeout(resolve, drainTickMs))
    }
    for (const connection of hub.all()) move(connection)
  }
}

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
