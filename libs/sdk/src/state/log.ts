/**
 * What is held of one log: its fold, and the windows into it. A window is a range of seqs without a gap: every entry in it
 * was read or heard. Windows become one only where they meet; a live entry lengthens a window only as the very next entry,
 * and begins one of its own where there is a gap before it. Pure: it asks nobody and knows no time.
 */
import {
  conversationOf,
  type ConversationState,
  type Entry,
  type EntryOf,
  type EventOf,
  foldAll,
  foldReaction,
  hide,
  type MessageState,
  type Quote,
  quoteOf,
} from '@flotilla/protocol'
import { given } from './same.ts'
import type { NoticeEntry } from './views.ts'

/** The first and the last seq of a window. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** A part of a log, as it was read. */
export interface Page {
  readonly entries: readonly Entry[]
  /** What it covers; empty where `to` is one less than `from`. */
  readonly span: Span
  readonly epoch: number
  /** The first seq that the reader may see. */
  readonly first: number
  /** The last one there is, where the page knows. */
  readonly head: number
}

/** Messages and notices held in a window; beyond that its far side is let go. */
export const heldMax = 400
/** Windows of one log. */
const windowsMax = 5
/** Messages outside of all windows, before they are let go: what was heard of those that are not held. */
const looseMax = 200

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type MutableSpan = Mutable<Span>

/** A log as an archive keeps it: the end of it. */
export interface KeptLog extends Span {
  readonly epoch: number
  readonly first: number
  readonly messages: readonly (readonly [seq: number, message: MessageState])[]
  readonly notices: readonly NoticeEntry[]
  readonly quotes: readonly (readonly [seq: number, quote: Quote])[]
  readonly votes: readonly (readonly [seq: number, options: readonly number[]])[]
}

export class Log {
  /** The root, where it is a thread. It is held whatever the windows are. */
  readonly root: number | undefined
  /** The last entry that is known of, and the first that one may see; 0: nothing is known. */
  head = 0
  first = 0
  epoch = 0
  /** The window that is looked at. */
  shown: Span | undefined
  /** Reads under way: what is heard of messages that are not held yet is kept for them. */
  reads = 0
  #state: ConversationState
  readonly #windows: MutableSpan[] = []
  readonly #notices = new Map<number, NoticeEntry>()
  readonly #quotes = new Map<number, Quote>()
  readonly #votes = new Map<number, readonly number[]>()
  /** Made of a message as it stands, so that they are made once. */
  readonly #quoted = new WeakMap<MessageState, Quote>()
  #waiting: Entry[] = []
  #isGrown = false

  constructor(viewer: string, root?: number) {
    this.#state = conversationOf(viewer)
    this.root = root
  }

  // ---- what comes ---------------------------------------------------------------------------------------------------

  /** @returns whether it left a gap behind the window that was at the head */
  live(entry: Entry): boolean {
    const { seq, epoch } = entry
    this.epoch = Math.max(this.epoch, epoch)
    this.#take(entry)
    const before = this.head
    this.head = Math.max(before, seq)
    const next = this.#windows.find(window => window.to === seq - 1)
    if (next === undefined && seq <= before) return false
    this.#isGrown = true
    if (next !== undefined) {
      next.to = seq
      this.#join(next)
      return false
    }
    this.#add({ from: seq, to: seq })
    return this.shown?.to === before
  }

  /** @param around what is looked at: of a window that has become too long, what lies far from it is let go */
  page(page: Page, around: number): Span {
    for (const entry of page.entries) this.#take(entry)
    this.#fold()
    if (this.first > 0 && page.first > this.first) this.clear(page.first - 1)
    this.first = page.first
    this.epoch = page.epoch
    this.head = Math.max(this.head, page.span.to, page.head)
    this.#isGrown = false
    const window = this.#add({ ...page.span })
    this.#cut(window, around)
    this.#letGo()
    return window
  }

  /** The window at the head, which may hold nothing yet. */
  end(): Span {
    return this.#add({ from: this.head + 1, to: this.head })
  }

  hide(seqs: readonly number[]): void {
    this.#fold()
    this.#state = hide(this.#state, seqs)
  }

  /** The log begins after it, for whoever reads. */
  clear(upTo: number): void {
    this.#fold()
    this.first = Math.max(this.first, upTo + 1)
    for (const window of this.#windows) {
      window.from = Math.max(window.from, this.first)
      window.to = Math.max(window.to, window.from - 1)
    }
    this.#letGo(0)
  }

  react(event: EventOf<'reaction.stored'>): void {
    this.#fold()
    this.#state = foldReaction(this.#state, event)
  }

  vote(target: number, options: readonly number[]): void {
    this.#votes.set(target, options)
  }

  quote(quote: Quote): void {
    this.#quotes.set(quote.seq, quote)
  }

  // ---- what is held -------------------------------------------------------------------------------------------------

  get windows(): readonly Span[] {
    return this.#windows
  }

  get state(): ConversationState {
    this.#fold()
    // While a page is on its way, the window stays what it was asked for.
    if (this.#isGrown && this.reads === 0) {
      this.#isGrown = false
      const last = this.#windows.at(-1)
      if (last !== undefined) this.#cut(last, this.head)
      this.#letGo()
    }
    return this.#state
  }

  windowAt(seq: number): Span | undefined {
    return this.#windows.find(({ from, to }) => from <= seq && seq <= to)
  }

  /** The seqs of the messages and notices in a window, rising. */
  seqsIn({ from, to }: Span): number[] {
    const seqs: number[] = []
    const look = (seq: number) => void (from <= seq && seq <= to && seqs.push(seq))
    for (const [seq, { posted }] of this.state.messages) if (posted !== undefined) look(seq)
    for (const seq of this.#notices.keys()) look(seq)
    return seqs.sort((one, other) => one - other)
  }

  noticeAt(seq: number): NoticeEntry | undefined {
    return this.#notices.get(seq)
  }

  voteOn(seq: number): readonly number[] | undefined {
    return this.#votes.get(seq)
  }

  /** What is known of a message that another one answers; undefined where it has to be read. */
  quoteOf(replyTo: number): Quote | undefined {
    const answered = this.state.messages.get(replyTo)
    const known = answered === undefined ? undefined : this.#quoted.get(answered)
    if (known !== undefined) return known
    const quote = this.#quotes.get(replyTo)
    const asking = { replyTo, ...given({ quote }) } as EntryOf<'message.new'>
    const made = quoteOf(this.#state, asking)
    if (made !== undefined && made !== quote && answered !== undefined) this.#quoted.set(answered, made)
    return made
  }

  /** The last messages of the window at the head; undefined where that is not held. */
  keep(count: number): KeptLog | undefined {
    const { state } = this
    const last = this.#windows.at(-1)
    if (last === undefined || last.to !== this.head || this.root !== undefined) return undefined
    const seqs = this.seqsIn(last)
    const from = seqs.length > count ? seqs.at(-count)! : last.from
    const held = <T>(map: ReadonlyMap<number, T>) => [...map].filter(([seq]) => seq >= from && seq <= last.to)
    const messages = held(state.messages)
    const answered = new Set(messages.map(([, { posted }]) => posted?.replyTo))
    return {
      from,
      to: last.to,
      epoch: this.epoch,
      first: this.first,
      messages,
      notices: held(this.#notices).map(([, notice]) => notice),
      quotes: [...answered].flatMap(seq => {
        const quote = seq === undefined ? undefined : this.quoteOf(seq)
        return quote === undefined ? [] : [[quote.seq, quote] as const]
      }),
      votes: held(this.#votes),
    }
  }

  /** Takes up what was kept, as the window that is shown. */
  restore({ from, to, epoch, first, messages, notices, quotes, votes }: KeptLog): void {
    this.#state = { ...this.#state, messages: new Map(messages), head: to }
    for (const notice of notices) this.#notices.set(notice.seq, notice)
    for (const quote of quotes) this.#quotes.set(...quote)
    for (const vote of votes) this.#votes.set(...vote)
    this.head = to
    this.epoch = epoch
    this.first = first
    this.shown = this.#add({ from, to })
  }

  // ---- within -------------------------------------------------------------------------------------------------------

  #take(entry: Entry): void {
    this.#waiting.push(entry)
    if (isNotice(entry)) this.#notices.set(entry.seq, entry)
    else if (entry.event === 'message.new') {
      const { seq, quote, poll } = entry
      if (quote !== undefined) this.#quotes.set(quote.seq, quote)
      if (poll?.mine !== undefined) this.#votes.set(seq, poll.mine)
    } else if (entry.event === 'poll.voted') {
      if (entry.by === this.#state.viewer) this.#votes.set(entry.target, entry.options)
    } else if (entry.event === 'messages.expired') for (const target of entry.targets) this.#quotes.delete(target)
    else if ('body' in entry) this.#quotes.delete(entry.target)
    if (this.#waiting.length >= looseMax) this.#fold()
  }

  #fold(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    this.#state = foldAll(this.#state, waiting)
  }

  #add(span: MutableSpan): MutableSpan {
    const at = this.#windows.findIndex(window => window.from > span.from)
    this.#windows.splice(at < 0 ? this.#windows.length : at, 0, span)
    const joined = this.#join(span)
    while (this.#windows.length > windowsMax) this.#windows.splice(this.#farthest(joined), 1)
    return joined
  }

  /** Makes one window of those that meet: nothing lies between them. The one that is shown stays what it is. */
  #join(span: MutableSpan): MutableSpan {
    const meeting = this.#windows.filter(({ from, to }) => from <= span.to + 1 && span.from <= to + 1)
    const joined = meeting.find(window => window === this.shown) ?? span
    const from = Math.min(...meeting.map(window => window.from))
    joined.to = Math.max(...meeting.map(window => window.to))
    joined.from = from
    for (const window of meeting) if (window !== joined) this.#windows.splice(this.#windows.indexOf(window), 1)
    return joined
  }

  /** The place of the window that is worth the least: neither shown, nor new, nor at the head. */
  #farthest(added: Span): number {
    const near = this.shown ?? added
    const distances = this.#windows.map((window, at) =>
      window === this.shown || window === added || at === this.#windows.length - 1
        ? -1
        : Math.abs(window.from - near.from),
    )
    return distances.indexOf(Math.max(...distances))
  }

  #cut(window: MutableSpan, around: number): void {
    const seqs = this.seqsIn(window)
    const over = seqs.length - heldMax
    if (over <= 0) return
    const at = seqs.findIndex(seq => seq >= around)
    const start = Math.min(over, Math.max(0, (at < 0 ? seqs.length : at) - heldMax / 2))
    if (start > 0) window.from = seqs[start]!
    if (start < over) window.to = seqs[start + heldMax - 1]!
  }

  /** Lets go of what lies in no window. */
  #letGo(spared = looseMax): void {
    if (this.reads > 0) return
    const isHeld = (seq: number) => seq === this.root || this.windowAt(seq) !== undefined
    const loose = [...this.#state.messages.keys()].filter(seq => !isHeld(seq))
    if (loose.length <= spared) return
    const messages = new Map(this.#state.messages)
    for (const seq of loose) messages.delete(seq)
    this.#state = { ...this.#state, messages }
    for (const map of [this.#notices, this.#votes]) for (const seq of map.keys()) if (!isHeld(seq)) map.delete(seq)
    const answered = new Set([...messages.values()].map(({ posted }) => posted?.replyTo))
    for (const seq of this.#quotes.keys()) if (!answered.has(seq)) this.#quotes.delete(seq)
  }
}

const isNotice = (entry: Entry): entry is NoticeEntry => /^(conversation|member)\.|^message\.pinned$/.test(entry.event)
