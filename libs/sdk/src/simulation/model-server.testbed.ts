/**
 * A server that is small enough to be obviously right, behind a network that is not. Its logs are arrays, its answers
 * are computed in one step from them; everything between it and a client can be late, lost, doubled or cut.
 */
import {
  type Command,
  type CommandOf,
  type Conversation,
  type ConversationSettings,
  type Entry,
  type ErrorCode,
  type Event,
  limits,
  type MemberRef,
  type ReplyOf,
  type Verdict,
} from '@flotilla/protocol'
import type { Socket, SocketEvent } from '../connection.ts'
import type { Fetch } from '../http.ts'
import { asTheyStand, changeBy, type ChangeOp, type DistributiveOmit, type Row } from './changes.testbed.ts'
import { ModelRefusal } from './model-refusal.testbed.ts'
import type { SimClock } from './sim-clock.testbed.ts'

/** What goes wrong, each from 0 (never) to 1 (always). */
export interface Trouble {
  /** Live events that never leave the node; their heads follow some seconds later. */
  losePublish: number
  duplicate: number
  /** Commands answered with an error that passes, before or after the work was done. */
  refuse: number
  /** Commands that are done but never answered. */
  hang: number
  /** Answers that are long on their way: what is said meanwhile overtakes them. */
  delay: number
  /** Connections that are refused, in one of several ways. */
  refuseConnect: number
  /** The line carries replies of so many entries; with a larger one the node closes it as slow. 0: any. */
  narrow: number
}

export const calm: Trouble = { losePublish: 0, duplicate: 0, refuse: 0, hang: 0, delay: 0, refuseConnect: 0, narrow: 0 }

const modelLimits = { pageEntriesMax: 10, replayEntriesMax: 12, gapEntriesMax: 60, resumeConversationsMax: 2 }

/** So many of the entries that fit into the largest reply. */
const fitting = (most: number, bytesMax: number = limits.replyBytesMax) =>
  Math.max(1, Math.floor((most * bytesMax) / limits.replyBytesMax))

type NewRow = DistributiveOmit<Entry, 'epoch' | 'seq' | 'at' | 'conversation'>

export class ModelServer {
  readonly clock: SimClock
  readonly random: () => number
  readonly logs = new Map<string, Row[]>()
  /** Highest receipts by `conversation user`. */
  readonly delivered = new Map<string, number>()
  readonly read = new Map<string, number>()
  /** What conversations are to people, by `conversation user`, where it was ever changed. */
  readonly settings = new Map<string, ConversationSettings>()
  readonly sockets = new Set<ModelSocket>()
  /** What a client must never do; a test asserts that it stays empty. */
  readonly violations: string[] = []
  trouble: Trouble = calm
  /** Nodes of the version before: `sync.resume` knows no `start`. */
  isOld = false
  /** When an entry was stored, by `conversation seq epoch`, and when a question of resuming was last answered, by person. */
  readonly storedAt = new Map<string, number>()
  readonly resumedAt = new Map<string, number>()
  /** Who was shown what was said before them, by conversation and person; also where a restored store does not know. */
  readonly shownAll = new Set<string>()
  epoch = 1
  frames = 0
  /** Connections that were closed as slow. */
  slowCloses = 0
  #tickets = new Map<string, string>()
  #nextTicket = 1
  /** What was read of a conversation by a person, and of which log. */
  #read = new Map<string, { readonly at: string; readonly entries: readonly Entry[] }>()
  #tokens = new Map<string, number>()

  constructor(clock: SimClock, random: () => number) {
    this.clock = clock
    this.random = random
  }

  chance(share: number): boolean {
    return share > 0 && this.random() < share
  }

  between(low: number, high: number): number {
    return Math.floor(low + this.random() * (high - low + 1))
  }

  // ---- the store ----------------------------------------------------------------------------------------------------

  head(conversation: string): number {
    return this.logs.get(conversation)?.length ?? 0
  }

  /** Who is a member, and from which seq on they see it: folded from the log. */
  members(conversation: string): Map<string, number> {
    const members = new Map<string, number>()
    for (const row of this.logs.get(conversation) ?? []) {
      if (row.event === 'conversation.created') for (const { user } of row.members) members.set(user, row.seq)
      else if (row.event === 'member.added') for (const { user } of row.members) members.set(user, row.since ?? row.seq)
      else if (row.event === 'member.removed') members.delete(row.user)
      else if (row.event === 'member.left') members.delete(row.by)
    }
    return members
  }

  #wasMember(conversation: string, user: string): boolean {
    return (this.logs.get(conversation) ?? []).some(
      row => 'members' in row && row.members.some(one => one.user === user),
    )
  }

  create(conversation: string, by: string, users: readonly string[]): void {
    const members: MemberRef[] = [by, ...users].map(user => ({ user, role: 'member' }))
    this.append(conversation, { event: 'conversation.created', by, kind: 'group', members })
  }

  /** @param origin the connection that posts: its acknowledgement tells it all */
  append(conversation: string, row: NewRow, origin?: ModelSocket): number {
    const before = this.members(conversation)
    const log = this.logs.get(conversation) ?? []
    this.logs.set(conversation, log)
    const seq = log.length + 1
    log.push({ ...row, conversation, seq, at: this.clock.now() } as Row)
    if (row.event === 'member.added' && row.since !== undefined)
      for (const { user } of row.members) this.shownAll.add(`${conversation} ${user}`)
    this.storedAt.set(`${conversation} ${seq} ${this.epoch}`, this.clock.steady())
    const concerned = new Set([...before.keys(), ...this.members(conversation).keys()])
    this.#publish(conversation, seq, concerned, origin)
    if (row.event.startsWith('member.')) this.#retell(concerned)
    return seq
  }

  /** A backup comes back: the end of every log is gone. A pulse later the nodes say so. */
  restore(loseMax: number): void {
    this.epoch += 1
    for (const log of this.logs.values()) log.length = Math.max(1, log.length - this.between(0, loseMax))
    for (const receipts of [this.delivered, this.read])
      for (const [key, seq] of receipts) receipts.set(key, Math.min(seq, this.head(key.split(' ')[0] ?? '')))
    const { epoch } = this
    this.clock.after(this.between(0, 1_000), () => {
      for (const socket of this.sockets) {
        socket.event({ event: 'sync.heads', epoch, heads: [] })
        socket.event({ event: 'refresh' })
      }
    })
  }

  /** Its sender takes a message away, by another device. */
  remove(conversation: string, target: number): void {
    const by = this.logs.get(conversation)?.[target - 1]?.by ?? ''
    const body = { text: 'This message was deleted.' }
    this.append(conversation, { event: 'message.deleted', by, clientId: `d${target}`, target, removed: 'sender', body })
  }

  /** As they stand, and as this person sees them. */
  entries(conversation: string, after: number, upTo = this.head(conversation), viewer = ''): Entry[] {
    const key = `${conversation} ${viewer}`
    const at = `${this.epoch} ${this.head(conversation)}`
    let read = this.#read.get(key)
    if (read?.at !== at) {
      const log = asTheyStand(this.logs.get(conversation) ?? [], viewer)
      read = { at, entries: log.map(row => ({ ...row, epoch: this.epoch }) as Entry) }
      this.#read.set(key, read)
    }
    return read.entries.slice(after, upTo)
  }

  #publish(conversation: string, seq: number, users: ReadonlySet<string>, origin: ModelSocket | undefined): void {
    const entry = { ...this.logs.get(conversation)![seq - 1]!, epoch: this.epoch }
    for (const socket of this.sockets) {
      if (!users.has(socket.user) || socket === origin) continue
      const copies = this.chance(this.trouble.losePublish) ? 0 : this.chance(this.trouble.duplicate) ? 2 : 1
      for (let copy = 0; copy < copies; copy++)
        this.clock.after(this.between(0, 400), () => socket.event(entry as Event))
      if (copies === 0) this.clock.after(this.between(1_000, 8_000), () => this.tellHeads(socket))
    }
  }

  /** Of a change of membership those concerned are told once more, as heads. */
  #retell(users: ReadonlySet<string>): void {
    for (const socket of this.sockets)
      if (users.has(socket.user)) this.clock.after(this.between(0, 600), () => this.tellHeads(socket))
  }

  /** What a node does when it cannot rule out a loss. Those who were removed are told too: that may be what was lost. */
  tellHeads(socket: ModelSocket): void {
    const heads = [...this.logs.keys()]
      .filter(conversation => this.#wasMember(conversation, socket.user))
      .map(conversation => ({ conversation, head: this.head(conversation) }))
    socket.event({ event: 'sync.heads', epoch: this.epoch, heads })
  }

  // ---- what a client may ask ----------------------------------------------------------------------------------------

  answer(socket: ModelSocket, command: Command): unknown {
    const { user } = socket
    switch (command.op) {
      case 'message.send':
        return this.#send(socket, command)
      case 'message.edit':
      case 'message.delete':
      case 'message.pin':
      case 'message.unpin':
      case 'message.react':
      case 'poll.vote':
      case 'poll.close':
        return this.#change(socket, command)
      case 'history.page':
        return this.#page(user, command)
      case 'sync.resume':
        return this.#resume(user, command)
      case 'ping':
        return {
          at: this.clock.now(),
          behind: (command.seen ?? [])
            .filter(seen => this.members(seen.conversation).has(user) && this.head(seen.conversation) > seen.seq)
            .map(({ conversation }) => ({ conversation, head: this.head(conversation) })),
        }
      case 'message.delivered':
      case 'message.read':
        return this.#receipt(user, command)
      case 'presence.watch':
        return { online: command.users.filter(one => [...this.sockets].some(socket => socket.user === one)) }
      default:
        return {}
    }
  }

  #memberSince(user: string, conversation: string): number {
    const since = this.members(conversation).get(user)
    if (since === undefined) throw new ModelRefusal('not_a_member')
    return since
  }

  /** What was made by this command before. */
  made(user: string, { conversation, clientId }: { conversation: string; clientId: string }): Row | undefined {
    const log = this.logs.get(conversation) ?? []
    return log.find(row => 'clientId' in row && row.by === user && row.clientId === clientId)
  }

  #send(socket: ModelSocket, command: CommandOf<'message.send'>): ReplyOf<'message.send'> {
    const { user } = socket
    const { id: _id, op: _op, conversation, ...said } = command
    const same = this.made(user, command)
    if (same !== undefined) return { seq: same.seq, at: same.at, epoch: this.epoch }
    this.#memberSince(user, conversation)
    const seq = this.append(conversation, { event: 'message.new', by: user, ...said }, socket)
    return { seq, at: this.clock.now(), epoch: this.epoch }
  }

  #change(socket: ModelSocket, command: CommandOf<ChangeOp>): ReplyOf<ChangeOp> {
    const { user } = socket
    const { conversation, clientId, op } = command
    const place = (seq: number) => ({ seq, at: this.clock.now(), epoch: this.epoch })
    const told = (seq: number) => ({ ...place(seq), entry: this.entries(conversation, seq - 1, seq, user)[0]! })
    const same = this.made(user, command)
    if (same !== undefined) return told(same.seq)
    const since = this.#memberSince(user, conversation)
    const made = changeBy(this.logs.get(conversation) ?? [], user, since, command)
    if (made === null) return { ...place(this.head(conversation)), entry: null }
    if (typeof made === 'number') return told(made)
    const seq = this.append(conversation, { ...made, by: user, clientId } as unknown as NewRow, socket)
    // What the command says itself is not said again.
    return op === 'message.edit' || op === 'message.pin' || op === 'message.unpin' ? place(seq) : told(seq)
  }

  #page(user: string, command: Omit<CommandOf<'history.page'>, 'id' | 'op'>): ReplyOf<'history.page'> {
    const { conversation, after, before, bytesMax } = command
    if (this.isOld && bytesMax !== undefined) throw new ModelRefusal('field_invalid')
    const from = this.#memberSince(user, conversation)
    const head = this.head(conversation)
    const most = fitting(modelLimits.pageEntriesMax, bytesMax)
    const size = Math.min(command.limit ?? most, most)
    const end = before === undefined ? head : Math.min(head, before - 1)
    const start = Math.max(from - 1, after ?? end - size)
    const entries = this.entries(conversation, start, Math.min(end, start + size), user)
    const more = after === undefined ? start > from - 1 : start + size < head
    return { entries, head, from, epoch: this.epoch, ...(more ? { more } : {}) }
  }

  #resume(user: string, command: CommandOf<'sync.resume'>): ReplyOf<'sync.resume'> {
    const { start, after, upto, bytesMax } = command
    if (this.isOld && [start, after, upto, bytesMax].some(field => field !== undefined))
      throw new ModelRefusal('field_invalid')
    this.resumedAt.set(user, this.clock.steady())
    const verdicts: Verdict[] = []
    const named = new Set(command.cursors.map(cursor => cursor.conversation))
    let room = fitting(modelLimits.replayEntriesMax, bytesMax)
    const judge = (conversation: string, seq: number | undefined) => {
      const since = this.members(conversation).get(user)
      if (since === undefined) {
        verdicts.push({ conversation, verdict: 'left' })
        return
      }
      const head = this.head(conversation)
      const begins = seq === undefined && command.start !== undefined
      const cursor = Math.max(since - 1, seq ?? this.#begin(user, conversation, command.start))
      const void_ = seq !== undefined && (command.epoch !== this.epoch || seq > head)
      if (void_ || head - cursor > modelLimits.gapEntriesMax)
        verdicts.push({ conversation, verdict: 'resync', head, from: since })
      else if (head - cursor > room)
        verdicts.push({ conversation, verdict: 'behind', head, from: since, ...(begins ? { after: cursor } : {}) })
      else if (head > cursor || begins) {
        room -= head - cursor
        verdicts.push({
          conversation,
          verdict: 'replayed',
          head,
          entries: this.entries(conversation, cursor, head, user),
        })
      }
    }
    for (const { conversation, seq } of command.cursors) judge(conversation, seq)
    const unnamed = [...this.logs.keys()]
      .filter(one => !command.only && !named.has(one) && this.members(one).has(user))
      .filter(one => one > (after ?? '') && (upto === undefined || one <= upto))
      .sort()
    const told = this.isOld ? unnamed : unnamed.slice(0, modelLimits.resumeConversationsMax)
    for (const conversation of told) judge(conversation, undefined)
    const next = told.length < unnamed.length ? told.at(-1) : undefined
    return { epoch: this.epoch, verdicts, ...(next === undefined ? {} : { next }) }
  }

  /** The cursor with which a device begins that does not know the conversation. */
  #begin(user: string, conversation: string, start: 'latest' | 'unread' | undefined): number {
    if (start === 'latest') return Math.max(0, this.head(conversation) - limits.resumeLatestMax)
    return start === 'unread' ? (this.read.get(`${conversation} ${user}`) ?? 0) : 0
  }

  #receipt(user: string, command: CommandOf<'message.delivered'> | CommandOf<'message.read'>): object {
    const { conversation, seq } = command
    this.#memberSince(user, conversation)
    const key = `${conversation} ${user}`
    for (const kind of ['delivered', 'read'] as const)
      if (kind === 'delivered' || command.op === 'message.read')
        this[kind].set(key, Math.max(this[kind].get(key) ?? 0, Math.min(seq, this.head(conversation))))
    return {}
  }

  #settingsOf(conversation: string, user: string): ConversationSettings {
    const none = { version: 0, mutedUntil: null, archived: false, pinned: null, unreadFrom: null, notify: null }
    return this.settings.get(`${conversation} ${user}`) ?? none
  }

  /** Changes settings, and tells the person's devices. */
  change(conversation: string, user: string, change: Partial<ConversationSettings>): ConversationSettings {
    const before = this.#settingsOf(conversation, user)
    const settings = { ...before, ...change, version: before.version + 1 }
    this.settings.set(`${conversation} ${user}`, settings)
    for (const socket of this.sockets)
      if (socket.user === user) socket.event({ event: 'conversation.settings_changed', conversation, settings })
    return settings
  }

  // ---- HTTP ---------------------------------------------------------------------------------------------------------

  /** The tokens that this person has are refused from now on. */
  expireToken(user: string): void {
    this.#tokens.set(user, (this.#tokens.get(user) ?? 0) + 1)
  }

  /** What signing in or refreshing gives. */
  token(user: string): string {
    return `${user} ${this.#tokens.get(user) ?? 0}`
  }

  readonly fetch: Fetch = async (url, init) => {
    await this.clock.wait(this.between(5, 60))
    const token = (init.headers['authorization'] ?? '').replace('Bearer ', '')
    const [user = ''] = token.split(' ')
    if (this.chance(this.trouble.refuseConnect / 2)) throw new TypeError('fetch failed')
    if (this.chance(this.trouble.refuseConnect / 2))
      return response(503, { error: { code: 'unavailable', message: 'away' } }, { 'retry-after': '1' })
    if (token !== this.token(user)) return response(401, { error: { code: 'unauthenticated', message: 'no' } })
    const [, conversation] = /\/v1\/conversations\/(\w+)(?:\/preferences)?$/.exec(url) ?? []
    if (conversation !== undefined && init.method === 'PATCH')
      return response(200, this.change(conversation, user, JSON.parse(init.body as string) as object))
    if (init.method === 'GET') {
      try {
        const answer = this.#answerRest(user, new URL(url))
        if (answer !== undefined) return response(200, answer)
      } catch (thrown) {
        if (!(thrown instanceof ModelRefusal)) throw thrown
        return response(403, { error: { code: thrown.code, message: thrown.code } })
      }
    }
    if (!url.endsWith('/v1/connect')) return response(404, { error: { code: 'route_unknown', message: url } })
    const ticket = `t${this.#nextTicket++}`
    this.#tickets.set(ticket, user)
    const urls = ['ws://first', 'ws://second'].map(one => ({ url: `${one}/v1/socket`, region: 'here' }))
    return response(200, { urls, ticket, ticketExpiresInMs: 30_000, protocol: 1, epoch: this.epoch })
  }

  /** What REST answers; undefined of what it does not know. */
  #answerRest(user: string, { pathname, searchParams: query }: URL): object | undefined {
    const number = (name: string) => (query.get(name) === null ? {} : { [name]: Number(query.get(name)) })
    const [, kind, id = '', part] = pathname.split('/').slice(1)
    if (pathname === '/v1/me') return userOf(user)
    if (kind === 'users') return userOf(id)
    if (pathname === '/v1/conversations') {
      const own = [...this.logs.keys()].filter(one => this.members(one).has(user))
      return { conversations: query.get('pinned') === 'true' ? [] : own.map(one => this.conversation(user, one)) }
    }
    if (kind === 'conversations' && part === undefined) return this.conversation(user, id)
    if (kind === 'conversations' && part === 'messages')
      return this.#page(user, { conversation: id, ...number('after'), ...number('before'), ...number('limit') })
    if (kind === 'conversations' && part === 'members')
      return { members: [...this.members(id).keys()].map(one => ({ user: userOf(one), role: 'member' })) }
    const list = lists[pathname]
    return list === undefined ? undefined : { [list]: [] }
  }

  /** A conversation as one of its members sees it. */
  conversation(user: string, id: string): Conversation {
    const joinedSeq = this.#memberSince(user, id)
    const readSeq = this.read.get(`${id} ${user}`) ?? 0
    const entries = this.entries(id, joinedSeq - 1, this.head(id), user)
    const messages = entries.filter(entry => entry.event === 'message.new')
    const last = messages.at(-1)
    return {
      id,
      kind: 'group',
      name: id,
      head: this.head(id),
      epoch: this.epoch,
      headAt: entries.at(-1)?.at ?? 0,
      role: 'member',
      joinedSeq,
      deliveredSeq: this.delivered.get(`${id} ${user}`) ?? 0,
      readSeq,
      unread: messages.filter(one => one.by !== user && one.seq > readSeq && (one.removed ?? one.thread) === undefined)
        .length,
      mentions: 0,
      settings: this.#settingsOf(id, user),
      memberCount: this.members(id).size,
      ...(last === undefined ? {} : { lastMessage: last }),
    }
  }

  useTicket(ticket: string): string | undefined {
    const user = this.#tickets.get(ticket)
    this.#tickets.delete(ticket)
    return user
  }
}

const userOf = (id: string) => ({ id, username: id, displayName: id, avatar: null })

/** Lists in which the model has nothing. */
const lists: { readonly [path: string]: string } = {
  '/v1/conversation-requests': 'requests',
  '/v1/join-requests': 'requests',
  '/v1/hidden-messages': 'messages',
  '/v1/drafts': 'drafts',
}

function response(status: number, body: unknown, headers: Record<string, string> = {}) {
  return {
    ok: status < 300,
    status,
    headers: { get: (name: string) => headers[name] ?? null },
    text: async () => JSON.stringify(body),
    blob: async () => new Blob([JSON.stringify(body)]),
  }
}

/** One connection, both of its ends. Frames of one direction keep their order, as TCP has it. */
export class ModelSocket implements Socket {
  readonly user: string
  readonly #server: ModelServer
  readonly #listeners: { type: string; call: (event: SocketEvent) => void }[] = []
  #serverOpen = false
  #clientOpen = true
  /** Nothing comes through any more, and nobody is told. */
  silent = false
  #downAt = 0
  #upAt = 0

  constructor(server: ModelServer, url: string) {
    this.#server = server
    this.user = server.useTicket(new URL(url).searchParams.get('ticket') ?? '') ?? ''
    server.clock.after(server.between(1, 80), () => this.#accept())
  }

  addEventListener(type: string, call: (event: SocketEvent) => void): void {
    this.#listeners.push({ type, call })
  }

  #dispatch(event: SocketEvent): void {
    for (const listener of this.#listeners) if (listener.type === event.type) listener.call(event)
  }

  #accept(): void {
    if (!this.#clientOpen) return
    const { trouble, clock } = this.#server
    if (this.#server.chance(trouble.refuseConnect)) {
      const way = this.#server.between(0, 3)
      if (way === 0) return
      if (way === 1) return this.end(1006)
      if (way === 2) return this.end(4100, JSON.stringify({ code: 'overloaded', retryMs: 700 }))
      return this.#dispatch({ type: 'error' })
    }
    if (this.user === '') return this.end(4102, JSON.stringify({ code: 'ticket_used' }))
    this.#serverOpen = true
    this.#server.sockets.add(this)
    this.#dispatch({ type: 'open' })
    this.event({
      event: 'hello',
      protocol: 1,
      node: 'n',
      region: 'here',
      connection: 'c',
      user: this.user,
      session: 's',
      epoch: this.#server.epoch,
      at: clock.now(),
      pingIntervalMs: 10_000,
      ...(this.#server.isOld ? {} : { refreshPauseMs: 5_000 }),
      limits: {
        ...limits,
        commandsPerSecond: 50,
        commandsBurst: 100,
        personCommandsPerSecond: 100,
        personCommandsBurst: 200,
        connectionsPerSessionMax: 16,
        connectionsPerPersonMax: 64,
        connectsPerPersonMax: 120,
        connectsPerAddressMax: 6_000,
        socketsPerAddressMax: 10_000,
        messagesPerSecond: 20,
        messagesBurst: 200,
        fanoutPerSecond: 10_000,
        fanoutBurst: 50_000,
        storedBytesPerDayMax: 100_000_000,
        commandsInFlightMax: 128,
        sendQueueBytesMax: 1_048_576,
      },
      reconnect: { baseMs: 200, maxMs: 5_000 },
    })
  }

  /** Something on its way down. */
  event(event: Event): void {
    this.#down(JSON.stringify(event))
  }

  #down(text: string): void {
    const { clock } = this.#server
    this.#downAt = Math.max(this.#downAt, clock.steady() + this.#server.between(1, 60))
    clock.after(this.#downAt - clock.steady(), () => {
      if (this.#clientOpen && this.#serverOpen && !this.silent) this.#dispatch({ type: 'message', data: text })
    })
  }

  /** From the client. */
  send(text: string): void {
    const { clock } = this.#server
    this.#upAt = Math.max(this.#upAt, clock.steady() + this.#server.between(1, 60))
    clock.after(this.#upAt - clock.steady(), () => {
      if (this.#serverOpen && !this.silent) this.#handle(JSON.parse(text) as Command)
    })
  }

  /** Commands of one connection do not wait for each other: each takes its own time. */
  #handle(command: Command): void {
    const server = this.#server
    server.frames += 1
    const { trouble } = server
    server.clock.after(server.between(0, 30), () => {
      // It says how things are now, however late it leaves.
      const lateMs = server.chance(trouble.delay) ? server.between(100, 2_000) : 0
      const reply = (value: object) => {
        const text = JSON.stringify(
          command.id === undefined ? { event: 'error', op: command.op, ...value } : { id: command.id, ...value },
        )
        if (command.id !== undefined || 'error' in value) server.clock.after(lateMs, () => this.#down(text))
      }
      const refused = (code: ErrorCode, retryMs?: number) =>
        reply({ error: { code, message: code, ...(retryMs === undefined ? {} : { retryMs }) } })
      const spared = command.op === 'ping'
      if (!spared && server.chance(trouble.refuse)) {
        if (server.chance(0.5)) return refused('rate_limited', 300)
        // Done, and nobody knows: the client must find out by asking again.
        if (command.op === 'message.send' && server.chance(0.5)) {
          try {
            server.answer(this, command)
          } catch {
            // Refused for good; the next try will say so.
          }
        }
        return refused('unavailable')
      }
      try {
        const ok = server.answer(this, command)
        if (!spared && server.chance(trouble.hang)) return
        if (trouble.narrow > 0 && entriesOf(ok) > trouble.narrow) {
          server.slowCloses += 1
          return this.end(4001, JSON.stringify({ code: 'slow_consumer' }))
        }
        reply({ ok })
      } catch (thrown) {
        if (!(thrown instanceof ModelRefusal)) throw thrown
        refused(thrown.code, thrown.retryMs)
      }
    })
  }

  /** The client closes it. */
  close(): void {
    this.#clientOpen = false
    this.#server.clock.after(this.#server.between(1, 60), () => {
      this.#serverOpen = false
      this.#server.sockets.delete(this)
    })
  }

  /** It breaks, or the node closes it. What was on its way is gone. */
  end(code: number, reason = ''): void {
    this.#serverOpen = false
    this.#server.sockets.delete(this)
    if (this.#clientOpen) this.#dispatch({ type: 'close', code, reason })
    this.#clientOpen = false
  }
}

/** How many entries a reply carries. */
function entriesOf(ok: unknown): number {
  const { entries, verdicts } = ok as { entries?: readonly Entry[]; verdicts?: readonly Verdict[] }
  if (entries !== undefined) return entries.length
  return (verdicts ?? []).reduce((sum, one) => sum + (one.verdict === 'replayed' ? one.entries.length : 0), 0)
}
