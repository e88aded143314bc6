/**
 * How sockets come and go: judged before the upgrade by their address, then by their ticket, greeted, and told apart from
 * those that are too many. What a greeted connection asks for goes to the handlers.
 */
import { sessions, users } from '@flotilla/chat'
import {
  type CloseName,
  type Command,
  type Event,
  limits,
  type Op,
  protocolVersion,
  protocolVersionMin,
} from '@flotilla/protocol'
import { type Budget, createCounter, type Holding, TokenBucket } from '@flotilla/routing'
import { clockSkewMsMax, ticketLifeMs, verifyTicket } from '@flotilla/service'
import { type Addresses, createAddresses } from './addresses.ts'
import type { Backlog } from './backlog.ts'
import { Connection, type ConnectionDeps, type Socket } from './connection.ts'
import type { Core, Phase } from './core.ts'
import type { GatewayOptions } from './options.ts'
import type { Handler, HandlerDeps } from './handler.ts'
import { handlers } from './handlers.ts'
import { stillWatched } from './hide.ts'
import { refreshPauseMs } from './refresh.ts'
import type { SocketEvents, UpgradeQuery, UpgradeRequest } from './server.ts'
import { createTicketRefusals, type TicketRefusals } from './ticket-refusals.ts'
import { Writing } from './writing.ts'

/** Far above its rate a node answers before the upgrade: cheaper, but a browser cannot read it. */
const hardFactor = 4
const minuteMs = 60_000
/** Of one person, over all nodes: so that many connections get no more than a few. */
const personFactor = 2
/** When a socket that is not greeted may come again; missing: as with any failure. */
const retryAfter: Partial<Record<CloseName, number>> = { ticket_used: 0, too_many_connections: minuteMs }
const steady = () => performance.now()
/** From its first use to its last by any clock that is borne with. */
const ticketMemoryMs = ticketLifeMs + 2 * clockSkewMsMax
/** Before the next try with another ticket, and up to twice as much more. */
const ticketRetryMs = 1_000

export class Reception implements SocketEvents<Connection> {
  readonly #options: GatewayOptions
  readonly #core: Core
  readonly #phase: Phase
  readonly #random: () => number
  readonly #deps: ConnectionDeps
  readonly #commands: Budget
  readonly #addresses: Addresses
  readonly #persons: Holding
  readonly #connects: ReturnType<typeof createCounter>
  readonly #ticketRefusals: TicketRefusals
  readonly #hard: TokenBucket
  #connectionNumber = 0

  constructor(options: GatewayOptions, core: Core, backlog: Backlog<Connection>, random: () => number, phase: Phase) {
    const { logger, connectsPerSecond } = options
    const { node, chat } = core
    this.#options = options
    this.#core = core
    this.#phase = phase
    this.#random = random
    this.#commands = {
      name: 'commands',
      perSecond: options.commandsPerSecond * personFactor,
      burst: options.commandsBurst * personFactor,
    }
    this.#addresses = createAddresses({ settings: options, budgets: node.budgets, logger, random, steady })
    this.#persons = node.budgets.holding('person-connections', options.connectionsPerPersonMax)
    this.#connects = createCounter(node, 'gateway')
    this.#ticketRefusals = createTicketRefusals(logger, chat.clockSkewMs)
    this.#hard = new TokenBucket({ perSecond: connectsPerSecond * hardFactor, burst: connectsPerSecond * hardFactor })
    this.#deps = this.#connectionDeps(backlog)
    chat.pulse.onRevoked(revoked => {
      const ended = new Set(revoked)
      for (const connection of core.hub.all())
        if (ended.has(connection.session)) connection.close(this.#revokedAs(connection.session))
    })
  }

  stop(): void {
    this.#ticketRefusals.stop()
  }

  upgrade({ origin, connections, peer, header }: UpgradeRequest): ReturnType<SocketEvents<Connection>['upgrade']> {
    const { metrics } = this.#core
    const { allowedOrigins, connectionsMax } = this.#options
    if (allowedOrigins.length > 0 && origin !== '' && !allowedOrigins.includes(origin)) {
      metrics.refusedConnect('origin')
      return { status: '403 Forbidden' }
    }
    const address = this.#addresses.callerOf(peer, header)
    const { retryMs, isTold } = this.#addresses.judge(address)
    if (!isTold) {
      metrics.refusedConnect('address')
      return { status: '429 Too Many Requests', retryAfterSeconds: Math.ceil(retryMs / 1_000) }
    }
    // Sockets that are not greeted yet count too: they hold memory all the same.
    if (connections >= connectionsMax * 1.1 || this.#hard.take(1, steady()) > 0) {
      metrics.refusedConnect('flood')
      return { status: '503 Service Unavailable', retryAfterSeconds: 1 + Math.floor(this.#random() * 10) }
    }
    return { address, retryMs }
  }

  open(socket: Socket, query: UpgradeQuery): Connection {
    const { chat, hub, admission } = this.#core
    this.#addresses.opened(query.address)
    const checked = verifyTicket(this.#options.ticketKeys, query.ticket, chat.clock())
    const ticket = typeof checked === 'string' ? undefined : checked
    if (typeof checked === 'string') this.#ticketRefusals.note(checked)
    const connection = new Connection(this.#deps, socket, {
      user: ticket?.user ?? '',
      session: ticket?.session ?? '',
      number: ++this.#connectionNumber,
      requestId: query.requestId,
      address: query.address,
      lines: query.lines,
    })
    const version = query.version === '' ? protocolVersion : Number(query.version)
    const isLimited = query.retryMs > 0
    const { draining } = this.#phase
    const retryMs = draining || isLimited ? 0 : admission.admit(hub.connections, steady())
    if (draining) connection.close('node_draining')
    else if (isLimited) connection.close('address_limited', query.retryMs)
    else if (!(version >= protocolVersionMin && version <= protocolVersion)) connection.close('protocol_unsupported')
    else if (ticket === undefined)
      connection.close('ticket_invalid', ticketRetryMs + Math.floor(this.#random() * 2 * ticketRetryMs))
    else if (retryMs > 0) connection.close('overloaded', retryMs)
    else
      this.#greet(connection, ticket.id).then(
        refused => refused !== undefined && connection.close(refused, retryAfter[refused]),
        (error: unknown) => {
          this.#options.logger.warn({ err: error, ...connection.names }, 'handshake failed')
          connection.close('unavailable', Math.ceil(this.#random() * 5_000))
        },
      )
    return connection
  }

  message(connection: Connection, text: string, bytes: number): void {
    if (connection.open) void connection.receive(text, bytes)
  }

  binary(connection: Connection): void {
    connection.close('frame_malformed')
  }

  drained(connection: Connection): void {
    connection.drained()
  }

  close(connection: Connection, clean: boolean): void {
    if (connection.open) this.#ended(connection, clean ? 'client' : 'lost')
    connection.closed()
    this.#addresses.closed(connection.address)
  }

  /** From the upgrade to `hello`. Registers first and answers then, so that nothing falls between the two. */
  async #greet(connection: Connection, ticketId: string): Promise<CloseName | undefined> {
    const { chat, node, hub, retelling, metrics } = this.#core
    const askedAt = performance.now()
    const [spent, connects, admitted] = await Promise.all([
      node.hit(`ticket:${ticketId}`, ticketMemoryMs),
      this.#connects(`connects:${connection.user}`, minuteMs),
      sessions.admit(chat, { user: connection.user, session: connection.session }),
    ])
    if (spent !== undefined && spent.count > 1) return 'ticket_used'
    if (admitted === undefined) return 'session_ended'
    if (admitted.suspended) return 'account_suspended'
    if (connects.count > this.#options.connectsPerPersonMax) return 'too_many_connections'
    if (!connection.open) return undefined
    hub.add(connection)
    this.#persons.set(connection.user, hub.connectionsOf(connection.user))
    // Of a device whose network flaps the oldest is dead already; refusing the newest would keep its owner out.
    for (const surplus of hub.surplus(connection, this.#most(connection.user)))
      surplus.close('too_many_connections', minuteMs)
    // Revoked between the question and now: the pulse has told those who were here already, and names nobody twice.
    if (chat.pulse.isRevoked(connection.session)) return this.#revokedAs(connection.session)
    if (admitted.interests.length > 0) {
      connection.interests = admitted.interests.map(one => one.conversation)
      for (const { conversation, version, joinedSeq } of admitted.interests)
        hub.noteMember(conversation, version, connection.user, joinedSeq)
    }
    await retelling.entered(connection.user, askedAt)
    // The heads are read after hello: whatever is told from then on must find its way here.
    await Promise.all([
      node.connect(connection.user),
      ...(connection.interests ?? []).map(conversation => node.join(conversation)),
    ])
    connection.greet(JSON.stringify(this.#hello(connection)), steady())
    metrics.traffic.connects++
    this.#options.logger.debug(
      { ...connection.names, user: connection.user, session: connection.session },
      'handshake completed',
    )
    return undefined
  }

  #hello(connection: Connection): Event {
    const options = this.#options
    const { chat } = this.#core
    return {
      event: 'hello',
      protocol: protocolVersion,
      node: options.nodeId,
      region: options.region,
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
        personCommandsPerSecond: this.#commands.perSecond,
        personCommandsBurst: this.#commands.burst,
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
    }
  }

  #connectionDeps(backlog: Backlog<Connection>): ConnectionDeps {
    const { node, refresher, metrics, fault } = this.#core
    const { commandsPerSecond, commandsBurst } = this.#options
    const handlerDeps = createHandlerDeps(this.#core)
    const writing = new Writing<Connection>()
    return {
      nodeId: this.#options.nodeId,
      steady,
      limits: {
        ...this.#options,
        frameBytesMax: limits.frameBytesMax,
        commands: { perSecond: commandsPerSecond, burst: commandsBurst },
      },
      handle: (session, command: Command) => (handlers[command.op] as Handler<Op>)(handlerDeps, session, command),
      spend: (user, weight) => node.budgets.spend(this.#commands, user, weight),
      markDirty: connection => writing.add(connection),
      onBacklog: connection => backlog.note(connection),
      onFault: (error, op, connection) => fault(error, `${op} failed`, { ...connection.names, op }),
      onCommand: (op, outcome, startedAt) =>
        metrics.command(op in handlers ? op : 'unknown', outcome, (steady() - startedAt) / 1_000),
      onClose: (connection, how) => this.#ended(connection, how),
      onMissed: connection => refresher.owe(connection),
      traffic: metrics.traffic,
    }
  }

  /** The connection is over; its socket may not be, while the client takes what waits for it. */
  #ended(connection: Connection, how: CloseName | 'client' | 'lost'): void {
    const { chat, node, hub, metrics } = this.#core
    metrics.ended(how, connection.greeted)
    this.#options.logger.debug({ ...connection.names, how }, 'connection closed')
    const last = hub.remove(connection)
    this.#persons.set(connection.user, hub.connectionsOf(connection.user))
    const unwatched = connection.watching === undefined ? [] : hub.unwatch(connection, [...connection.watching])
    if (last) {
      void node.disconnect(connection.user)
      users.seen(chat, [connection.user])
    }
    if (unwatched.length > 0) void node.unwatch(unwatched)
  }

  /** The close of a session that the pulse says is over. */
  #revokedAs(session: string): CloseName {
    return this.#core.chat.pulse.isSuspended(session) ? 'account_suspended' : 'session_ended'
  }

  /** What other nodes hold of a person leaves less room here, but for one. */
  #most(user: string) {
    const { connectionsPerSessionMax, connectionsPerPersonMax } = this.#options
    return {
      connectionsPerSessionMax,
      connectionsPerPersonMax: Math.max(1, connectionsPerPersonMax - this.#persons.elsewhere(user)),
    }
  }
}

/** What handlers may do to the gateway. */
function createHandlerDeps({ chat, node, hub, hider }: Core): HandlerDeps {
  return {
    chat,
    async watch(session, people) {
      const connection = session.origin as Connection
      const first = await hider.watch(session.user, people, seen =>
        connection.open ? hub.watch(connection, seen) : [],
      )
      if (first.length > 0) await node.watch(first)
      return stillWatched(connection, await node.online(stillWatched(connection, people)))
    },
    async unwatch(session, people) {
      const last = hub.unwatch(session.origin as Connection, people)
      if (last.length > 0) await node.unwatch(last)
    },
  }
}
