/** What is shown of a conversation or a thread: a window of its log as rows, with what one is sending at its end. */
import {
  type Body,
  type Entry,
  type EventOf,
  isExpired,
  type MessageState,
  type Quote,
  quoted,
} from '@flotilla/protocol'
import type { Client } from '../client.ts'
import type { Clock } from '../clock.ts'
import type { FlotillaError } from '../flotilla-error.ts'
import type { Question, Send, Message } from '../outbox.ts'
import type { Changes } from './changes.ts'
import { type KeptLog, Log, type Page, type Span } from './log.ts'
import { pageMax, type Range, type ReadPage } from './pages.ts'
import { noticeRow, type Parts, pendingRow, rowOf } from './rows.ts'
import { given, kept, keptList, same } from './same.ts'
import { type Alteration, isAlteration, isPosting, type Pending, type Posting, type Sends } from './sends.ts'
import type { MessageRow, NoticeRow, Row, Timeline, TimelineView } from './views.ts'

export interface TimelineOptions {
  readonly client: Client
  readonly clock: Clock
  readonly changes: Changes
  readonly sends: Sends
  readonly self: () => string | undefined
  readonly conversation: string
  readonly root?: number
  readonly readPage: ReadPage
  /** Reads what the archive has of it. */
  readonly kept?: () => Promise<KeptLog | undefined>
  /** Something could not be read. */
  readonly failed: (thrown: unknown) => void
  /** What the archive keeps of it has changed. */
  readonly changed: () => void
  /** It holds something from now on; or nobody listens any more. */
  readonly opened: () => void
  readonly left: () => void
}

/** A page may hold none of the rows that are shown (reactions, replies in threads): so many are read for one step. */
const pagesAtOnceMax = 6
/** Rows that are enough for a step, or to begin with. */
const rowsEnough = 20
/** Pages that are read by themselves to close the gap behind what is shown; beyond that one has to ask for newer ones. */
const catchUpPagesMax = 4

type Loading = TimelineView['loading']
/** What is read by itself, or step by step. */
type Way = 'older' | 'newer' | 'catch-up'

export class LogTimeline implements Timeline {
  readonly conversation: string
  readonly root?: number
  readonly key: string
  readonly subscribe: Timeline['subscribe']
  readonly #options: TimelineOptions
  #log: Log
  #opening: Promise<void> | undefined
  #loading: Loading = 'none'
  #error: FlotillaError | undefined
  #discontinuity = 0
  #epoch = 0
  /** Counts the windows that were asked for: an answer for one that is wanted no more shows nothing. */
  #turn = 0
  /** Replaced where they are for what is shown no more. */
  #steps = new Map<Way, Promise<void>>()
  #view: TimelineView = { rows: [], hasOlder: false, hasNewer: false, loading: 'first', discontinuity: 0 }
  #isDirty = true
  /** What the archive has, or what was shown before it began anew: until there is something else. */
  #before: readonly Row[] = []
  #rows = new Map<string, { readonly parts: object; readonly row: Row }>()
  #asked = new Set<number>()
  #cancelExpiry: () => void = () => {}

  constructor(options: TimelineOptions) {
    const { conversation, root, changes, left } = options
    this.#options = options
    this.conversation = conversation
    if (root !== undefined) this.root = root
    this.key = root === undefined ? `timeline/${conversation}` : `thread/${conversation}/${root}`
    this.#log = this.#renew()
    const attendance = { begin: () => void this.#attend(), end: left }
    this.subscribe = changes.readable(this.key, () => this.get(), attendance).subscribe
  }

  // ---- what an application calls ------------------------------------------------------------------------------------

  get(): TimelineView {
    if (!this.#isDirty) return this.#view
    this.#isDirty = false
    const now = this.#build()
    this.#view = kept(this.#view, { ...now, rows: keptList(this.#view.rows, now.rows) })
    return this.#view
  }

  older(): Promise<void> {
    return this.#once('older')
  }

  newer(): Promise<void> {
    return this.#once('newer')
  }

  jump(seq: number): Promise<void> {
    return this.#show(() => this.#log.windowAt(Math.max(seq, this.#log.first)) ?? this.#readAround(seq))
  }

  latest(): Promise<void> {
    return this.#show(() => {
      const last = this.#log.windows.at(-1)
      return last !== undefined && last.to === this.#log.head && this.#isEnough(last) ? last : this.#readLatest()
    })
  }

  send(message: Omit<Message, 'conversation' | 'thread'>): Send {
    return this.#flushed(({ client }) => this.#atEnd(client.send({ ...message, ...this.#place() })))
  }

  ask(question: Omit<Question, 'conversation' | 'thread'>): Send {
    return this.#flushed(({ client }) => this.#atEnd(client.ask({ ...question, ...this.#place() })))
  }

  retry(key: string): void {
    this.#flushed(({ sends }) => sends.retry(key))
  }

  discard(key: string): void {
    this.#flushed(({ sends }) => sends.discard(key))
  }

  // ---- what the state tells it --------------------------------------------------------------------------------------

  live(entry: Entry): void {
    if (!this.#isOfNow(entry.epoch)) return
    if (this.#log.live(entry)) void this.#once('catch-up')
    this.#touch(true)
  }

  /** It begins anew, here or because the store was restored: what is held may be wrong. */
  resync(): void {
    if (this.#opening !== undefined) this.#beginAnew()
  }

  hide(seqs: readonly number[], upTo: number | undefined): void {
    this.#log.hide(seqs)
    if (upTo !== undefined) this.#log.clear(upTo)
    this.#touch(true)
  }

  react(event: EventOf<'reaction.stored'>): void {
    this.#log.react(event)
    this.#touch(true)
  }

  vote(target: number, options: readonly number[]): void {
    this.#log.vote(target, options)
    this.#touch(true)
  }

  /** Something lies over the rows: sends, or who one is. */
  touch(): void {
    this.#touch(false)
  }

  /** The network is back, or what failed may be read now. */
  refresh(): void {
    if (this.#opening === undefined) return
    this.#asked.clear()
    if (this.#log.shown === undefined) void this.latest()
    else this.#touch(false)
  }

  /** One is not a member any longer, or it is let go for others: it is read again when it is wanted. */
  close(): void {
    this.#turn += 1
    this.#opening = undefined
    this.#cancelExpiry()
    this.#before = []
    this.#rows.clear()
    this.#renew()
    this.#loading = 'none'
    this.#error = undefined
    this.#touch(false)
  }

  keep(count: number): KeptLog | undefined {
    return this.#log.shown === undefined ? undefined : this.#log.keep(count)
  }

  /** What a person does is shown in the same frame. */
  #flushed<T>(work: (options: TimelineOptions) => T): T {
    const done = work(this.#options)
    this.#options.changes.flush()
    return done
  }

  #place() {
    return { conversation: this.conversation, ...given({ thread: this.root }) }
  }

  // ---- windows ------------------------------------------------------------------------------------------------------

  /** Somebody listens: they see the latest, unless something else is wanted already. */
  async #attend(): Promise<void> {
    const turn = this.#turn
    await this.#open()
    if (turn === this.#turn && this.#log.shown === undefined) await this.latest()
  }

  #open(): Promise<void> {
    return (this.#opening ??= this.#readKept())
  }

  async #readKept(): Promise<void> {
    const { opened, kept } = this.#options
    opened()
    const log = this.#renew()
    const found = await kept?.().catch(() => undefined)
    if (found === undefined || log !== this.#log || log.head > 0 || found.epoch < this.#epoch) return
    this.#epoch = found.epoch
    // Shown until it was read: what became of it meanwhile is not known.
    this.#renew().restore(found)
    this.#isDirty = true
    this.#before = this.#stored()
    this.#log = log
    this.#touch(false)
  }

  /** What is held may be wrong. */
  #beginAnew(): void {
    this.#before = this.#stored()
    this.#renew()
    void this.#show(() => this.#readLatest())
  }

  /** What is on its way is for the log before. */
  #renew(): Log {
    this.#steps = new Map()
    this.#asked.clear()
    return (this.#log = new Log(this.#options.self() ?? '', this.root))
  }

  /** Whether it is of the store as it is, as far as is known. */
  #isOfNow(epoch: number): boolean {
    const before = this.#epoch
    this.#epoch = Math.max(before, epoch)
    this.#options.sends.inEpoch(epoch)
    if (before !== 0 && epoch > before) {
      this.#discontinuity += 1
      this.#beginAnew()
    }
    return epoch >= before
  }

  /** Shows a window, read first where it has to be. */
  async #show(find: () => Span | Promise<Span | undefined>): Promise<void> {
    const turn = ++this.#turn
    await this.#open()
    if (turn !== this.#turn) return
    const found = find()
    if (!(found instanceof Promise)) return this.#shown(found)
    this.#loading = 'first'
    this.#touch(false)
    try {
      const window = await found
      if (turn !== this.#turn) return
      if (window === undefined) return this.#beginAnew()
      this.#shown(window)
    } catch (thrown) {
      if (turn !== this.#turn) return
      this.#loading = 'none'
      this.#error = thrown as FlotillaError
      this.#options.failed(thrown)
      this.#touch(false)
    }
  }

  #shown(window: Span): void {
    this.#log.shown = window
    this.#before = []
    this.#loading = 'none'
    this.#error = undefined
    this.#touch(true)
  }

  /**
   * Shows the end of the log, where the row of a send stands, whatever was shown before. It waits for nothing: where the end
   * is not held, it begins empty, and what lies before it is read.
   */
  #atEnd(sent: Send): Send {
    const log = this.#log
    if (log.shown !== undefined && log.shown.to < log.head) {
      this.#turn += 1
      this.#steps = new Map()
      this.#shown(log.end())
      if (!this.#isEnough(log.shown)) void this.older()
    }
    return sent
  }

  /** @returns undefined where it began anew meanwhile */
  async #readLatest(): Promise<Span | undefined> {
    const log = this.#log
    const latest = await this.#read({})
    if (log !== this.#log) return undefined
    let window = log.page(latest, log.head)
    for (let pages = 1; pages < pagesAtOnceMax && !this.#isEnough(window); pages++) {
      const before = await this.#read({ before: window.from })
      if (log !== this.#log) return undefined
      window = log.page(before, log.head)
    }
    return window
  }

  async #readAround(seq: number): Promise<Span | undefined> {
    const log = this.#log
    const half = pageMax / 2
    const before = await this.#read({ before: seq + 1, limit: half })
    const after = await this.#read({ after: seq, limit: half })
    if (log !== this.#log) return undefined
    log.page(before, seq)
    return log.page(after, seq)
  }

  #isEnough(window: Span): boolean {
    return window.from <= this.#log.first || this.#count(window) >= rowsEnough
  }

  /** One page at a time in each direction: whoever asks meanwhile waits for the same. */
  #once(way: Way): Promise<void> {
    const steps = this.#steps
    const step =
      steps.get(way) ?? (way === 'catch-up' ? this.#catchUp() : this.#walk(way)).finally(() => steps.delete(way))
    steps.set(way, step)
    return step
  }

  async #walk(way: Exclude<Way, 'catch-up'>): Promise<void> {
    const log = this.#log
    const window = log.shown
    const isWhole = () => (way === 'older' ? window!.from <= log.first : window!.to >= log.head)
    if (window === undefined || isWhole()) return
    const turn = this.#turn
    const before = this.#count(window)
    this.#loading = way
    this.#touch(false)
    try {
      for (let pages = 0; pages < pagesAtOnceMax && !isWhole(); pages++) {
        const edge = way === 'older' ? window.from : window.to
        const page = await this.#read(way === 'older' ? { before: edge } : { after: edge })
        if (log !== this.#log) return
        log.page(page, edge)
        if (log.shown !== window || this.#count(window) - before >= rowsEnough) break
      }
      this.#error = undefined
    } catch (thrown) {
      if (turn === this.#turn) this.#error = thrown as FlotillaError
    }
    if (turn === this.#turn) this.#loading = 'none'
    this.#touch(true)
  }

  /** Entries came that do not follow what is shown: reads what lies between. */
  async #catchUp(): Promise<void> {
    const log = this.#log
    try {
      for (let pages = 0; pages < catchUpPagesMax; pages++) {
        const window = log.shown
        if (window === undefined || window.to >= log.head) return
        const page = await this.#read({ after: window.to })
        if (log !== this.#log) return
        log.page(page, page.span.to)
        this.#touch(true)
      }
    } catch (thrown) {
      if (log === this.#log) this.#error = thrown as FlotillaError
      this.#options.failed(thrown)
      this.#touch(false)
    }
  }

  /** A page of the store as it is now. */
  async #read(range: Range): Promise<Page> {
    const log = this.#log
    log.reads += 1
    try {
      const page = await this.#options.readPage(range)
      this.#isOfNow(page.epoch)
      return page
    } finally {
      log.reads -= 1
    }
  }

  // ---- rows ---------------------------------------------------------------------------------------------------------

  /** @param isLogged whether what is held has changed */
  #touch(isLogged: boolean): void {
    this.#isDirty = true
    this.#options.changes.tell(this.key)
    if (isLogged) this.#options.changed()
  }

  #shows(seq: number, message: MessageState, now: number): boolean {
    const { posted, content } = message
    if (posted === undefined || content === undefined || content.value.removed === 'expired') return false
    if (isExpired(message, now)) return false
    return seq === this.root || this.#isOf(posted)
  }

  /** Whether a message stands here: in the conversation, or in the thread. */
  #isOf({ thread, alsoInConversation }: Pick<Message, 'thread' | 'alsoInConversation'>): boolean {
    return thread === this.root || (this.root === undefined && alsoInConversation === true)
  }

  #count(window: Span): number {
    const now = this.#options.clock.now()
    const { messages } = this.#log.state
    return this.#log.seqsIn(window).filter(seq => {
      const message = messages.get(seq)
      return message === undefined ? this.root === undefined : this.#shows(seq, message, now)
    }).length
  }

  #build(): TimelineView {
    const log = this.#log
    const { state, shown, head, first } = log
    const hasNewer = shown !== undefined && shown.to < head
    const rows = new Map<string, { readonly parts: object; readonly row: Row }>()
    const pending = this.#pending()
    const changes = pending.filter(isAlteration)
    const seqs = shown === undefined ? [] : log.seqsIn(shown)
    if (this.root !== undefined && seqs[0] !== this.root && state.messages.has(this.root)) seqs.unshift(this.root)
    let expiresAt = Number.POSITIVE_INFINITY
    const now = this.#options.clock.now()
    for (const seq of seqs) {
      const message = state.messages.get(seq)
      if (message === undefined) this.#addNotice(rows, seq)
      else if (this.#shows(seq, message, now)) {
        this.#addMessage(rows, seq, message, changes)
        expiresAt = Math.min(expiresAt, message.posted?.expiresAt ?? expiresAt)
      }
    }
    const isAnew = shown === undefined && this.#before.length > 0
    const stored = isAnew ? this.#before : [...rows.values()].map(({ row }) => row)
    const keys = new Set(stored.map(({ key }) => key))
    const waiting = hasNewer
      ? []
      : pending.filter(isPosting).filter(one => this.#isOurs(one) && !keys.has(one.clientId))
    for (const one of waiting) this.#addPending(rows, one)
    // What is shown until it was read keeps its rows for then.
    this.#rows = isAnew ? new Map([...this.#rows, ...rows]) : rows
    this.#wakeAt(expiresAt)
    return {
      rows: [...stored, ...waiting.map(({ clientId }) => rows.get(clientId)!.row)],
      hasOlder: shown !== undefined && shown.from > first,
      hasNewer,
      loading: shown === undefined && this.#error === undefined ? 'first' : this.#loading,
      ...given({ error: this.#error }),
      discontinuity: this.#discontinuity,
    }
  }

  #addNotice(rows: Map<string, { parts: object; row: Row }>, seq: number): void {
    const entry = this.root === undefined ? this.#log.noticeAt(seq) : undefined
    if (entry === undefined) return
    this.#add(rows, `#${seq}`, { entry }, () => noticeRow(entry))
  }

  #addMessage(
    rows: Map<string, { parts: object; row: Row }>,
    seq: number,
    message: MessageState,
    all: readonly Pending<Alteration>[],
  ): void {
    const self = this.#options.self() ?? ''
    const changes = all.filter(({ draft }) => draft.target === seq)
    const quote = this.#quoteOf(message.posted?.replyTo)
    const parts: Parts = { seq, message, quote, vote: this.#log.voteOn(seq), changes }
    this.#add(rows, `${seq}`, parts, () => rowOf(parts, self))
  }

  #addPending(rows: Map<string, { parts: object; row: Row }>, pending: Pending<Posting>): void {
    const { draft } = pending
    const quote = this.#quoteOf(draft.op === 'message.send' ? draft.replyTo : undefined)
    const parts = { body: this.#bodyOf(draft), quote }
    this.#add(rows, pending.clientId, { pending, ...parts }, () =>
      pendingRow(pending, this.#options.self() ?? '', parts),
    )
  }

  /** The row before, where its parts are the same: whoever shows it has nothing to do. */
  #add(
    rows: Map<string, { parts: object; row: Row }>,
    id: string,
    parts: object,
    make: () => MessageRow | NoticeRow | undefined,
  ): void {
    const before = this.#rows.get(id)
    if (before !== undefined && isMadeOf(before.parts, parts)) return void rows.set(id, before)
    const row = make()
    if (row !== undefined) rows.set(id, { parts, row: kept(before?.row, row) })
  }

  #pending(): Pending[] {
    return [...this.#options.sends.of(this.conversation)]
  }

  /** The rows without what one is sending. */
  #stored(): readonly Row[] {
    const pending = this.#pending()
    return this.get().rows.filter(({ key }) => !pending.some(({ clientId }) => clientId === key))
  }

  #isOurs({ draft, state, seq }: Pending<Posting>): boolean {
    // Its entry is in the log.
    if (state === 'sent' && seq !== undefined && seq <= this.#log.head) return false
    return this.#isOf(draft.op === 'message.forward' ? {} : draft)
  }

  #bodyOf(draft: Posting): Body {
    if (draft.op === 'message.send') return draft.body
    const { conversation, seq } = draft.source
    const source = conversation === this.conversation ? this.#log.state.messages.get(seq) : undefined
    return source?.content?.value.body ?? { type: 'forwarded', fallback: '…' }
  }

  /** What is not known is read, once. */
  #quoteOf(replyTo: number | undefined): Quote | undefined {
    if (replyTo === undefined) return undefined
    const quote = this.#log.quoteOf(replyTo)
    if (quote === undefined && !this.#asked.has(replyTo)) void this.#readQuote(replyTo)
    return quote
  }

  async #readQuote(seq: number): Promise<void> {
    const log = this.#log
    this.#asked.add(seq)
    try {
      const { entries } = await this.#options.client.rest.history(this.conversation, { after: seq - 1, limit: 1 })
      const [found] = entries
      log.quote(quoteFrom(seq, found))
      this.#asked.delete(seq)
      if (log === this.#log) this.#touch(true)
    } catch (thrown) {
      this.#options.failed(thrown)
    }
  }

  #wakeAt(at: number): void {
    const { clock } = this.#options
    this.#cancelExpiry()
    if (at < Number.POSITIVE_INFINITY)
      this.#cancelExpiry = clock.after(Math.max(1, at - clock.now()), () => this.#touch(false))
  }
}

/** A message that was read for one that answers it. */
function quoteFrom(seq: number, found: Entry | undefined): Quote {
  if (found?.event !== 'message.new' || found.seq !== seq) return { seq, state: 'unavailable' }
  const { by, body, removed } = found
  return removed === undefined ? { seq, state: 'shown', by, body: quoted(body) } : { seq, state: 'deleted', by }
}

/** What the log holds is the same where it is the same object; the rest is compared. */
function isMadeOf(before: object, now: object): boolean {
  return Object.entries(now).every(([name, part]) => {
    const was = (before as Record<string, unknown>)[name]
    return name === 'message' ? was === part : same(was, part)
  })
}
