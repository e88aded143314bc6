/**
 * The client: joins the parts and owns none of their work. From top to bottom: what an application calls; what happens
 * when a connection comes and goes; where each frame goes; what the sync core wants done.
 *
 *   frame ─► sync (order, gaps) ─► delivery (application, then cursor) ─► receipts
 *   send  ─► outbox (store, retry) ─► requests (ids, rate) ─► connection (socket, coming back)
 */
import {
  cutText,
  type DraftContent,
  type Entry,
  type Event,
  isKnownKind,
  kindMadeBy,
  limits,
  type Reply,
  type ReplyOf,
} from '@flotilla/protocol'
import { type Clock, fullJitterMs, type Random, systemClock } from './clock.ts'
import {
  Connection,
  type ConnectionPorts,
  type ConnectionState,
  type Hello,
  type SocketConstructor,
} from './connection.ts'
import { Cursors } from './cursors.ts'
import { type Change, Delivery, type LogPosition } from './delivery.ts'
import { type DraftChange, Drafts } from './drafts.ts'
import { Emitter } from './emitter.ts'
import { asFlotillaError, FlotillaError, isRefused, readError } from './flotilla-error.ts'
import { createCall } from './http.ts'
import { type ClientEvents, type ClientOptions, clientDefaults, type Logger } from './options.ts'
import {
  type Ack,
  type Draft,
  type Edit,
  type Forward,
  type Message,
  Outbox,
  type Question,
  type Send,
} from './outbox.ts'
import { PresenceWatch } from './presence.ts'
import { HeardReceipts, Receipts } from './receipts.ts'
import { type Fields, Requests } from './requests.ts'
import { createRest, type Rest } from './rest.ts'
import { Signals } from './signals.ts'
import type { Store, StoredCursor } from './store.ts'
import { createMemoryStore } from './store-memory.ts'
import { type Effect, type PageQuestion, type ResumeQuestion, Sync } from './sync.ts'
import { TypingNotices } from './typing.ts'
import { randomUuid } from './uuid.ts'
import { browserWakes } from './wake.ts'

export function createClient(options: ClientOptions): Client {
  return new Client(options)
}

const resumeRetryPolicy = { baseMs: 500, maxMs: 10_000 }

export class Client {
  /** The REST API, signed in. */
  readonly rest: Rest
  readonly #options: ClientOptions
  readonly #clock: Clock
  readonly #random: Random
  readonly #store: Store
  readonly #events: Emitter<ClientEvents>
  readonly #connection: Connection
  readonly #requests: Requests
  readonly #sync: Sync
  readonly #cursors: Cursors
  readonly #delivery: Delivery
  readonly #outbox: Outbox
  readonly #receipts: Receipts
  readonly #heardReceipts = new HeardReceipts()
  readonly #typing: TypingNotices
  readonly #presence: PresenceWatch
  readonly #signals: Signals
  readonly #drafts: Drafts
  readonly #logger: Logger
  readonly #warned = new Set<string>()
  #starting: Promise<void> | undefined
  #phase: 'new' | 'started' | 'stopped' = 'new'
  #user: string | undefined
  #dueAt: number | undefined
  #cancelDue: () => void = () => {}
  #endWakes: () => void = () => {}

  constructor(options: ClientOptions) {
    this.#options = options
    const settings = { ...clientDefaults, ...options.settings }
    const clock = options.clock ?? systemClock
    const random = options.random ?? Math.random
    const shared = { ...settings, clock, random }
    const store = options.store ?? createMemoryStore()
    const retryPolicy = { baseMs: settings.reconnectBaseMs, maxMs: settings.reconnectMaxMs }
    const timeoutMs = settings.requestTimeoutMs
    const reports = (during: string) => (thrown: unknown) => this.#report(thrown, during)
    const emits =
      <N extends keyof ClientEvents>(name: N) =>
      (event: ClientEvents[N]) =>
        this.#events.emit(name, event)

    this.#clock = clock
    this.#random = random
    this.#store = store
    this.#logger = options.logger ?? consoleLogger
    this.#events = new Emitter((thrown, event) => this.#report(thrown, `tell a listener of ${event}`))
    const { fileTimeoutMs } = settings
    const call = createCall({ api: options.api, fetch: options.fetch ?? fetch, clock, timeoutMs, fileTimeoutMs })
    this.rest = createRest(call, options.getToken)
    this.#connection = new Connection({
      ...shared,
      retryPolicy,
      WebSocket: options.WebSocket ?? ownWebSocket(),
      ports: this.#ports(),
    })
    const write = (text: string) => this.#connection.send(text)
    const requests = new Requests({ clock, timeoutMs, write, queueMax: settings.commandQueueMax })
    this.#requests = requests
    this.#sync = new Sync({ gapWaitMs: settings.gapWaitMs, history: options.history ?? 'latest' })
    const cursors = new Cursors({ store, clock, random, report: reports('write cursors') })
    this.#cursors = cursors
    this.#delivery = new Delivery({
      ...shared,
      cursors,
      archive: options.archive,
      tell: change => this.#tell(change),
      handed: conversation => this.#run(this.#sync.handed(conversation, clock.steady())),
      saved: conversation => this.#receipts.delivered(conversation),
      report: reports('apply a change'),
    })
    this.#outbox = new Outbox({
      ...shared,
      store,
      retryPolicy,
      uuid: options.uuid ?? randomUuid,
      send: draft => this.#send(draft),
      changed: emits('sendState'),
      report: reports('clear the outbox'),
    })
    this.#receipts = new Receipts({ ...settings, clock, requests, cursors })
    this.#typing = new TypingNotices({ ...settings, clock, requests, changed: emits('typing') })
    this.#drafts = new Drafts({
      ...shared,
      rest: this.rest.drafts,
      store,
      changed: emits('draft'),
      report: reports('sync drafts'),
    })
    this.#signals = new Signals({
      ...shared,
      rest: this.rest,
      events: this.#events,
      self: { user: () => this.#user, isMember: conversation => cursors.get(conversation) !== undefined },
      drafts: this.#drafts,
      report: reports('read what signals tell'),
    })
    this.#presence = new PresenceWatch({ clock, requests, changed: emits('presence'), report: reports('watch') })
  }

  #ports(): ConnectionPorts {
    return {
      locate: () => this.rest.connect(),
      live: hello => this.#live(hello),
      down: reason => this.#down(reason),
      frame: text => this.#frame(text),
      ping: ms => this.#ping(ms),
      changed: state => this.#stateChanged(state),
    }
  }

  // ---- what an application calls ------------------------------------------------------------------------------------

  /** Listens. The answer ends it. Listen before `start`, or miss what comes first. */
  on<N extends keyof ClientEvents>(name: N, listener: (event: ClientEvents[N]) => unknown): () => void {
    return this.#events.on(name, listener)
  }

  /** Reads the store, then connects, and stays connected. Once it was told not to come back, it can be started again. */
  start(): Promise<void> {
    if (this.#phase === 'stopped') return Promise.reject(stoppedError())
    this.#starting ??= this.#restore().catch((thrown: unknown) => {
      this.#starting = undefined
      if (this.#phase === 'stopped') throw stoppedError()
      throw asFlotillaError(thrown, 'store_failed', 'read the store')
    })
    return this.#starting.then(() => this.#connection.start())
  }

  /** Ends it for good. What the application works on is waited for; what is not sent is kept in the store. */
  async stop(): Promise<void> {
    this.#phase = 'stopped'
    this.#endWakes()
    this.#connection.stop('stopped')
    await Promise.all([this.#delivery.close(), this.#outbox.close(), this.#drafts.close()])
    await this.#cursors.close()
    this.#store.release?.()
  }

  get state(): ConnectionState {
    return this.#connection.state
  }

  /** Who this is: known from the first connection on, and from the store. */
  get user(): string | undefined {
    return this.#user
  }

  /** Takes a message, connected or not. Throws when it can never be sent, or when too many wait. */
  send(message: Message): Send {
    if (this.#phase !== 'started') throw stoppedError()
    this.#typing.sent(message.conversation)
    this.#sync.touch(message.conversation, this.#clock.steady())
    const send = this.#outbox.add({ op: 'message.send', ...message })
    if ('text' in message.body) this.#drafts.sent(message.conversation, message.body.text)
    return send
  }

  /**
   * What the person has begun to write, the same on all their devices; changes come as `draft`. Say each keystroke with
   * `set`: the draft is saved now and then, kept while offline, and emptied by sending its text.
   */
  readonly drafts = {
    set: (conversation: string, content: DraftContent | null): void => this.#drafts.set(conversation, content),
    get: (conversation: string): DraftContent | undefined => this.#drafts.get(conversation),
    on: (listener: (change: DraftChange) => unknown): (() => void) => this.on('draft', listener),
  }

  /** Puts another body in the place of what a message of one's own says. It is taken and kept as a message is. */
  edit(edit: Edit): Send {
    return this.#change({ op: 'message.edit', ...edit })
  }

  /** Pins a message for everybody in the conversation. */
  pin(conversation: string, target: number): Send {
    return this.#change({ op: 'message.pin', conversation, target })
  }

  unpin(conversation: string, target: number): Send {
    return this.#change({ op: 'message.unpin', conversation, target })
  }

  /**
   * Deletes a message for everybody: one of one's own, or any in a group of which one is owner or admin. For oneself alone:
   * `rest.messages.hide`.
   */
  delete(conversation: string, target: number): Send {
    return this.#change({ op: 'message.delete', conversation, target })
  }

  /** Posts what another message says; the node copies it, so that its words are those of whoever wrote it. */
  forward(forward: Forward): Send {
    return this.#change({ op: 'message.forward', ...forward })
  }

  /**
   * Reacts to a message with an emoji, or takes that back.
   * @throws FlotillaError field_invalid where it is not one emoji
   */
  react(conversation: string, target: number, emoji: string, on = true): Send {
    return this.#change({ op: 'message.react', conversation, target, emoji, on })
  }

  /** Asks everybody in the conversation. It is a message, and taken and kept as one. */
  ask({ conversation, thread, ...poll }: Question): Send {
    const { question, options } = poll
    const words = [question, ...options.map((option, nth) => `${nth + 1}. ${option}`)].join('\n')
    const { fallbackLengthMax } = limits
    const fallback = cutText(words, { graphemesMax: fallbackLengthMax, lengthMax: fallbackLengthMax, end: '…' })
    return this.send({
      conversation,
      ...(thread === undefined ? {} : { thread }),
      body: { type: 'poll', ...poll, options: [...options], fallback },
    })
  }

  /** Votes in a poll for options by their places, from 0, in the place of an earlier vote. None: it is taken back. */
  vote(conversation: string, target: number, options: readonly number[]): Send {
    return this.#change({ op: 'poll.vote', conversation, target, options: [...options] })
  }

  /** Closes a poll for good. */
  closePoll(conversation: string, target: number): Send {
    return this.#change({ op: 'poll.close', conversation, target })
  }

  /** What is not acknowledged yet, in the order of the sends. */
  pending(): readonly Send[] {
    return this.#outbox.pending()
  }

  /** The person has read everything up to `seq`. */
  markRead(conversation: string, seq: number): void {
    this.#sync.touch(conversation, this.#clock.steady())
    // A mark lies over what was read: a receipt ends it only where that is news. Else one may be there that nothing told of.
    const mayBeMarked = !this.#receipts.read(conversation, seq) && this.#cursors.get(conversation) !== undefined
    this.#unmark(conversation, mayBeMarked).catch((thrown: unknown) => this.#report(thrown, 'take away a mark'))
  }

  async #unmark(conversation: string, mayBeMarked: boolean): Promise<void> {
    if (mayBeMarked) await this.#signals.askSettings(conversation)
    const marked = this.#signals.settingsOf(conversation)
    if (marked === undefined || marked.unreadFrom === null) return
    const unmarked = { ...marked, unreadFrom: null }
    // At once, so that it is sent once, however much is read until it is told.
    this.#signals.keepSettings(conversation, unmarked)
    try {
      await this.rest.changeSettings(conversation, { unreadFrom: null })
    } catch (thrown) {
      if (this.#signals.settingsOf(conversation) === unmarked) this.#signals.keepSettings(conversation, marked)
      throw thrown
    }
  }

  /** A keystroke: the others hear of it now and then. */
  typing(conversation: string): void {
    this.#typing.type(conversation)
  }

  stopTyping(conversation: string): void {
    this.#typing.stop(conversation)
  }

  /** Wants to know who of these is online, from now on and on every connection. */
  watch(users: readonly string[]): Promise<void> {
    return this.#presence.watch(users)
  }

  unwatch(users: readonly string[]): void {
    this.#presence.unwatch(users)
  }

  /** Who of the people watched is online, as far as is known. */
  presence(): ReadonlyMap<string, boolean> {
    return this.#presence.known()
  }

  /** Something says that the network may be back. */
  wake(): void {
    this.#connection.wake()
  }

  /** The acknowledgement is this device's copy of the entry: the node tells it to every other connection, not to ours. */
  async #send({ op, ...fields }: Draft & { readonly clientId: string }): Promise<Ack> {
    const ack = await this.#requests.request(op, fields)
    const { entry, ...place } = ack
    if (entry === null) return place
    const copy = entry ?? { event: kindMadeBy[op], ...fields, ...place, by: this.#user ?? '' }
    this.#run(this.#sync.entry(copy as Entry, this.#clock.steady()))
    return place
  }

  // ---- coming and going ---------------------------------------------------------------------------------------------

  async #restore(): Promise<void> {
    const { user, cursors: stored, sends, drafts = [] } = await this.#store.load(sends => this.#outbox.restore(sends))
    const places = await this.#options.archive?.cursors()
    if (this.#phase === 'stopped') {
      this.#store.release?.()
      throw stoppedError()
    }
    const cursors = places?.map(place => placed(place, stored)) ?? stored
    this.#user = user
    this.#cursors.restore(cursors)
    this.#sync.restore(cursors)
    this.#outbox.restore(sends)
    this.#drafts.restore(drafts)
    this.#phase = 'started'
    const { wakes = browserWakes } = this.#options
    this.#endWakes = wakes(
      () => this.#connection.wake(),
      () => this.#connection.offline(),
      () => this.#receipts.leave(),
    )
  }

  #live(hello: Hello): void {
    // Cursors and unsent messages of one person must never go out as another's.
    if (this.#user !== undefined && this.#user !== hello.user) return this.#connection.stop('other_user')
    if (this.#user === undefined)
      this.#store.setUser(hello.user).catch((thrown: unknown) => this.#report(thrown, 'write the store'))
    this.#user = hello.user
    this.#requests.open(hello.limits)
    this.#resume(hello.epoch)
    this.#presence.live()
    this.#outbox.live()
    this.#receipts.live()
    this.#signals.live(hello.refreshPauseMs)
    this.#drafts.live()
  }

  #down(reason: string): void {
    this.#requests.close()
    this.#sync.disconnected(reason)
    this.#schedule()
    this.#outbox.down()
    this.#receipts.down()
    this.#presence.down()
    this.#signals.down()
    this.#drafts.down()
    this.#typing.down()
  }

  #stateChanged(state: ConnectionState): void {
    this.#logger.debug(`connection: ${state.name}`, state)
    if (state.name === 'waiting') this.#warn(state.error.message, state.error)
    this.#events.emit('state', state)
    if (state.name !== 'stopped' || state.reason === 'stopped') return
    const { reason, advice } = state
    this.#warn(`unable to go on: ${reason}`, { advice })
    this.#events.emit('stopped', { reason, advice })
  }

  /** Asks whether the lively conversations have gone on, which also shows that the node is there. */
  async #ping(timeoutMs: number): Promise<void> {
    const proven = this.#requests.flushed ? this.#receipts.pinging() : undefined
    const seen = this.#sync.seen(this.#clock.steady())
    const fields = seen.length === 0 ? {} : { seen }
    const { behind } = await this.#requests.request('ping', fields, { timeoutMs, urgent: true })
    proven?.()
    this.#run(this.#sync.heads(undefined, behind, this.#clock.steady()))
  }

  // ---- frames -------------------------------------------------------------------------------------------------------

  #frame(text: string): void {
    let frame: Event | Reply | null
    try {
      frame = JSON.parse(text) as Event | Reply | null
    } catch (thrown) {
      return this.#report(thrown, 'read a frame')
    }
    if (typeof frame !== 'object' || frame === null) return
    if ('id' in frame) this.#requests.answer(frame)
    else this.#event(frame)
  }

  #event(event: Event): void {
    if (isEntry(event)) {
      if (event.event === 'message.new') this.#typing.over(event.conversation, event.by)
      return this.#run(this.#sync.entry(event, this.#clock.steady()))
    }
    this.#signals.heard(event)
    switch (event.event) {
      case 'sync.heads':
        this.#run(this.#sync.heads(event.epoch, event.heads, this.#clock.steady()))
        return this.#signals.healed()
      case 'refresh':
        return this.#signals.missed()
      case 'message.delivered':
      case 'message.read': {
        const receipt = this.#heardReceipts.hear(event)
        if (receipt !== undefined) this.#events.emit('receipt', receipt)
        return
      }
      case 'receipts.counted':
        return this.#events.emit('receiptCounts', nameless(event))
      case 'typing.start':
      case 'typing.stop':
        return this.#typing.heard(event)
      case 'presence.changed':
        return this.#presence.heard(event)
      case 'draft.changed':
        return this.#drafts.heard(event)
      case 'error': {
        const error = readError(event.error, new FlotillaError('internal', 'the node reported an error without a code'))
        if (event.op === 'message.delivered' || event.op === 'message.read') this.#receipts.failed(error)
        return this.#report(error, event.op ?? 'read our frame')
      }
      default:
        return this.#announce(event)
    }
  }

  /** What only listeners hear. */
  #announce(event: Event): void {
    switch (event.event) {
      case 'contact.requested':
      case 'contact.accepted':
      case 'contact.declined':
      case 'contact.cancelled':
      case 'contact.removed':
        return this.#events.emit('contact', event)
      case 'conversation.requested':
      case 'conversation.answered':
        return this.#events.emit('conversationRequest', event)
      case 'join.requested':
      case 'join.answered':
        return this.#events.emit('joinRequest', event)
      case 'notification.new':
      case 'notification.read':
      case 'notification.removed':
        return this.#events.emit('notification', event)
      case 'block.changed':
        return this.#events.emit('block', { user: event.user, blocked: event.blocked })
      case 'user.changed':
        return this.#events.emit('user', event.user)
      case 'conversation.cleared':
        return this.#events.emit('cleared', nameless(event))
      case 'conversation.settings_changed': {
        const { conversation, settings } = event
        // Signals can overtake each other: what is kept is the highest version.
        if (this.#signals.settingsOf(conversation) === settings)
          this.#events.emit('settings', { conversation, settings })
        return
      }
      case 'thread.changed':
        return this.#events.emit('thread', nameless(event))
      case 'poll.own_vote':
        return this.#events.emit('vote', nameless(event))
      case 'conversation.muted':
        return this.#events.emit('muted', { conversation: event.conversation, until: event.until })
      case 'scheduled.changed':
        return this.#events.emit('scheduled', nameless(event))
      case 'reminder.changed':
        return this.#events.emit('reminder', nameless(event))
      case 'reaction.stored':
        return this.#events.emit('reaction', event)
      case 'message.starred':
        return this.#events.emit('starred', event)
      default:
        // A newer node says something that this version does not know.
        return
    }
  }

  // ---- what the sync core wants done --------------------------------------------------------------------------------

  #run(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.do === 'page') void this.#page(effect.question)
      else if (effect.do === 'ask') void this.#ask(effect.question)
      else if (effect.do === 'resume') this.#startAgain(effect.epoch)
      else this.#delivery.push(effect)
    }
    this.#schedule()
  }

  #schedule(): void {
    const at = this.#sync.dueAt()
    if (at === this.#dueAt) return
    this.#cancelDue()
    this.#dueAt = at
    if (at === undefined) return
    this.#cancelDue = this.#clock.after(Math.max(0, at - this.#clock.steady()), () => {
      this.#dueAt = undefined
      this.#run(this.#sync.due(this.#clock.steady()))
    })
  }

  #resume(epoch: number): void {
    void this.#ask(this.#sync.begin(this.#user ?? '', epoch))
    this.#schedule()
  }

  /** The store was restored while we were connected. */
  #startAgain(epoch: number): void {
    this.#heardReceipts.clear()
    this.#resume(epoch)
    this.#receipts.live()
  }

  /** Asks until there is an answer: without it nobody knows what is missing. */
  async #ask(asked: ResumeQuestion): Promise<void> {
    let question = asked
    for (let failures = 0; this.#sync.wants(question); failures++) {
      let retryMs = 0
      try {
        const reply = await this.#requests.request('sync.resume', question.fields)
        const effects = this.#sync.resumed(question, reply, this.#clock.steady())
        if (effects !== undefined) return this.#run(effects)
      } catch (thrown) {
        const error = asFlotillaError(thrown, 'internal', 'resume')
        if (error.code === 'disconnected') return
        const plainer = error.code === 'field_invalid' ? plainerThan(question) : undefined
        if (plainer !== undefined) {
          question = plainer
          continue
        }
        if (error.code === 'timed_out') question = this.#sync.slower(question)
        this.#report(error, 'resume')
        retryMs = error.retryMs ?? 0
      }
      const waitMs = retryMs + fullJitterMs(resumeRetryPolicy, failures, this.#random)
      await new Promise<void>(resolve => this.#clock.after(waitMs, resolve))
    }
  }

  async #page(question: PageQuestion): Promise<void> {
    const { number: _, ...page } = question
    try {
      const reply = await this.#readPage(page)
      this.#run(this.#sync.paged(question, reply, this.#clock.steady()))
    } catch (thrown) {
      const { code, retryMs } = asFlotillaError(thrown, 'internal', 'page')
      const gone = code === 'not_a_member' || code === 'conversation_unknown'
      const why = { gone, late: code === 'timed_out', retryMs }
      this.#run(this.#sync.pageFailed(question, why, this.#clock.steady()))
    }
  }

  #change(draft: Draft): Send {
    if (this.#phase !== 'started') throw stoppedError()
    this.#sync.touch(draft.conversation, this.#clock.steady())
    return this.#outbox.add(draft)
  }

  async #readPage({ bytesMax, ...page }: Fields<'history.page'>): Promise<ReplyOf<'history.page'>> {
    if (bytesMax === undefined) return this.#requests.request('history.page', page)
    try {
      return await this.#requests.request('history.page', { ...page, bytesMax })
    } catch (thrown) {
      if (!isRefused(thrown, 'field_invalid')) throw thrown
      // A node of the version before: it bounds a page by its entries alone.
      return this.#requests.request('history.page', page)
    }
  }

  async #tell(change: Change): Promise<void> {
    const { conversation } = change
    if (change.kind !== 'entries') this.#signals.forget(conversation)
    if (change.kind === 'left') return this.#events.deliver('left', { conversation })
    if (change.kind === 'resync') {
      const { from, head } = change
      return this.#events.deliver('resync', { conversation, from, head })
    }
    for (const entry of change.entries) {
      // Newer kinds move the cursor and are passed over.
      if (!isKnownKind(entry.event)) continue
      const told = { ...entry, replayed: change.replayed }
      if (told.event === 'message.new' && told.by === this.#user) this.#drafts.posted(told)
      await this.#events.deliver('entry', told)
      if (told.event === 'message.new') await this.#events.deliver('message', told)
      else if (told.event === 'message.edited') await this.#events.deliver('edited', told)
      else if (told.event === 'message.deleted') await this.#events.deliver('deleted', told)
    }
  }

  /** Says it once: a server that is away for an hour is one line. */
  #warn(message: string, detail: unknown): void {
    if (this.#warned.has(message)) return
    if (this.#warned.size >= warningsMax) this.#warned.clear()
    this.#warned.add(message)
    this.#logger.warn(message, detail)
  }

  #report(thrown: unknown, during: string): void {
    const error = asFlotillaError(thrown, 'internal', during)
    this.#warn(error.message.startsWith('unable') ? error.message : `unable to ${during}: ${error.message}`, error)
    // A listener for errors that fails itself is only logged.
    if (during !== 'tell a listener of error') this.#events.emit('error', { error, during })
  }
}

function ownWebSocket(): SocketConstructor {
  if (typeof WebSocket !== 'undefined') return WebSocket
  throw new FlotillaError(
    'field_invalid',
    "unable to create a client: there is no WebSocket here (Node has one from 22 on); pass that of the package ws: `import { WebSocket } from 'ws'`, then `createClient({ WebSocket, … })`",
    { field: 'WebSocket', rule: 'required' },
  )
}

/** The question as a node of a version before understands it; undefined when it is as plain as can be. */
function plainerThan({ number, fields }: ResumeQuestion): ResumeQuestion | undefined {
  const { start, after, upto, bytesMax, ...plain } = fields
  if (after === undefined && upto === undefined && bytesMax === undefined)
    return start === undefined ? undefined : { number, fields: plain }
  // Without ranges, the last question alone asks for what is not known here.
  const only = plain.only === true || upto !== undefined
  return { number, fields: { ...plain, only, ...(start === undefined || only ? {} : { start }) } }
}

const consoleLogger: Logger = {
  debug() {},
  warn: message => console.warn(`flotilla: ${message}`),
}

/** Warnings that are remembered, so that none is repeated. */
const warningsMax = 100

/** An event of the wire as listeners hear it who know it by another name. */
function nameless<E extends Event>(event: E): Omit<E, 'event'> {
  const { event: _, ...said } = event
  return said
}

/** An entry is known by its place in a log, so that kinds of tomorrow are entries too. */
function isEntry(event: Event): event is Entry {
  return 'seq' in event && 'epoch' in event && 'conversation' in event
}

/** What was told to the server is remembered by our store; how far things are, the archive knows best. */
function placed(place: LogPosition & { conversation: string }, stored: readonly StoredCursor[]): StoredCursor {
  const { conversation, epoch, seq } = place
  const before = stored.find(cursor => cursor.conversation === conversation && cursor.epoch === epoch)
  return { ...(before ?? { toldDelivered: 0, read: 0, toldRead: 0 }), conversation, epoch, seq }
}

function stoppedError(): FlotillaError {
  return new FlotillaError('stopped', 'unable to use the client: it has not been started, or has been stopped')
}
