/**
 * The heart: turns whatever arrives, in whatever order, into each conversation's entries exactly once and in order, or
 * into a plain word that it starts again (`resync`) or is over (`left`). Pure: what happens comes in with the time,
 * what is to be done goes out as effects. No clock, no socket, no store.
 *
 * Per conversation there is a cursor: everything up to it was handed on. Entries beyond a gap wait in a small buffer;
 * a gap that does not close by itself is fetched with `history.page`. Whatever is dropped here for want of room stays
 * known as a head and is fetched later. So nothing can get lost between the parts: only the cursor counts.
 */
import {
  type ConversationCursor,
  type ConversationHead,
  type Entry,
  limits,
  type MemberRef,
  type ReplyOf,
  type Verdict,
} from '@flotilla/protocol'
import { Pace } from './pace.ts'
import type { Fields } from './requests.ts'

/**
 * Where a conversation begins that this device does not know: with its latest entries, after what the person has read, or
 * with the first entry that the person may see. What is older is read as history.
 */
export type HistoryStart = 'latest' | 'unread' | 'all'

export const syncDefaults = {
  history: 'latest' as HistoryStart,
  /** How long a gap may close by itself: nodes publish to one conversation in no common order. */
  gapWaitMs: 200,
  /** Entries of one conversation that wait beyond a gap. */
  bufferEntriesMax: 500,
  /** Entries of one conversation that the application has not taken yet. Beyond, nothing is fetched for it. */
  unhandedEntriesMax: 1_000,
  /** Pages asked for at the same time; fewer behind a line that does not carry so many. */
  pagesAtOnceMax: 4,
  /** Pages in a row that bring nothing although something is missing. Then the conversation starts again. */
  emptyPagesMax: 5,
  /** The longest wait between two tries to fetch the same page; the first is the gap's. */
  pageRetryMaxMs: 10_000,
  /** A conversation without traffic for this long is no longer asked about by a ping. */
  activeMs: 600_000,
  /** Conversations left in this run that are remembered, against entries that come late. */
  gravesMax: 1_000,
}

export type SyncOptions = typeof syncDefaults

/** A question for `history.page`; without `after`, for the latest page. */
export interface PageQuestion {
  readonly number: number
  readonly conversation: string
  readonly after?: number
  readonly limit: number
  /** Missing where the line carries as much as a page may have. */
  readonly bytesMax?: number
}

/** A question for `sync.resume`. */
export interface ResumeQuestion {
  readonly number: number
  readonly fields: Fields<'sync.resume'>
}

export type Effect =
  /** The next entry for the application. `replayed`: it was stored before the device was connected. */
  | { readonly do: 'hand'; readonly entry: Entry; readonly epoch: number; readonly replayed: boolean }
  /** What is held of this conversation is void. The entries after `cursor` follow. */
  | {
      readonly do: 'resync'
      readonly conversation: string
      readonly epoch: number
      readonly cursor: number
      readonly from: number
      readonly head: number
    }
  /** The person is not a member any longer. */
  | { readonly do: 'left'; readonly conversation: string }
  | { readonly do: 'page'; readonly question: PageQuestion }
  /** The next question of those that `begin` began. */
  | { readonly do: 'ask'; readonly question: ResumeQuestion }
  /** The store's epoch has changed under way: `begin` again with this one. */
  | { readonly do: 'resume'; readonly epoch: number }

interface Track {
  readonly conversation: string
  /** The epoch that the cursor belongs to. */
  epoch: number
  /** Everything up to here was handed on. Unknown until the first answer says where the person's part begins. */
  cursor: number | undefined
  /** The highest seq heard of. */
  head: number
  /** The head when the node answered the question of resuming: up to it everything is replayed. */
  oldUpTo: number
  readonly buffer: Map<number, Entry>
  /** The cursor counts no longer: the latest page is wanted. */
  void: boolean
  /** When to fetch, and the cursor that this time was set for. */
  dueAt: number | undefined
  dueFor: number | undefined
  asked: boolean
  tries: number
  emptyPages: number
  unhanded: number
  full: boolean
  activeAt: number
  /** The resume question that names this conversation. */
  namedIn: number
  /** The head when a node answered the person as a member: a removal up to it was followed by being added again. */
  memberUpTo: number
  /** The last question before an entry came live. A refusal of it may be older than the membership that the entry shows. */
  heardAfter: number
}

/** What one question of resuming is about: these, and those that lie between two ids and are not known here. */
interface Round {
  readonly epoch: number | undefined
  readonly tracks: readonly Track[]
  readonly only: boolean
  readonly after?: string | undefined
  readonly upto?: string | undefined
}

export class Sync {
  readonly #options: SyncOptions
  readonly #tracks = new Map<string, Track>()
  /** Those that miss something. */
  readonly #restless = new Set<Track>()
  readonly #questions = new Map<number, Track>()
  readonly #graves = new Map<string, number>()
  #effects: Effect[] = []
  #me = ''
  #epoch = 0
  #live = false
  /** Every question has a number of its own; those of resuming before this one are of no interest any more. */
  #number = 0
  #roundFrom = 1
  /** What is still to be asked, after the question that is under way. */
  #rounds: Round[] = []
  #round: Round | undefined
  readonly #pace = new Pace()
  /** What was asked before this number says nothing about the pace of now. */
  #pacedFrom = 1

  constructor(options: Partial<SyncOptions> = {}) {
    this.#options = { ...syncDefaults, ...options }
  }

  // ---- what comes in ------------------------------------------------------------------------------------------------

  /** What the device remembers from its last run. */
  restore(cursors: readonly { conversation: string; epoch: number; seq: number }[]): void {
    for (const { conversation, epoch, seq } of cursors) this.#track(conversation, epoch, seq)
  }

  /** The connection is live, or the epoch has changed: the first question. Each answer brings the next. */
  begin(me: string, epoch: number): ResumeQuestion {
    this.#me = me
    this.#live = true
    const another = epoch !== this.#epoch
    this.#epoch = epoch
    if (another) this.#graves.clear()
    this.#questions.clear()
    for (const track of this.#tracks.values()) {
      track.asked = false
      track.void = false
      track.dueAt = undefined
      if (!another && !this.#isStale(track)) continue
      // What was heard in another epoch means nothing in this one.
      track.buffer.clear()
      track.head = 0
      track.oldUpTo = 0
      track.memberUpTo = 0
    }
    this.#roundFrom = this.#number + 1
    const [first, ...others] = this.#planRounds()
    this.#rounds = others
    return this.#ask(first)
  }

  /** Whether the answer to this question is still wanted. */
  wants(question: ResumeQuestion): boolean {
    return this.#live && question.number >= this.#roundFrom
  }

  /** The answer to a question of resuming. `undefined` when it is to be asked again: this node is behind the times. */
  resumed(question: ResumeQuestion, reply: ReplyOf<'sync.resume'>, now: number): Effect[] | undefined {
    if (!this.wants(question)) return []
    if (reply.epoch < this.#epoch) return undefined
    if (!this.#sameEpoch(reply.epoch)) return this.#take()
    this.#pace.went()
    for (const verdict of reply.verdicts) this.#judge(verdict, question, now)
    const { next } = reply
    const round = this.#round
    if (next !== undefined && round !== undefined)
      this.#rounds.unshift({ ...round, tracks: round.tracks.filter(one => one.conversation > next), after: next })
    const following = this.#rounds.shift()
    this.#round = undefined
    if (following !== undefined) this.#effects.push({ do: 'ask', question: this.#ask(following) })
    // Here the patience with gaps is over: the node has just said what there is.
    else for (const track of this.#tracks.values()) this.#settle(track, now, 0)
    return this.#take()
  }

  /** The answer did not come in time: the same question, for less. */
  slower(question: ResumeQuestion): ResumeQuestion {
    this.#slow(question.number)
    return { ...question, fields: { ...question.fields, ...this.#bytesMax() } }
  }

  /** The connection is gone, and why. Cursors and buffers stay. */
  disconnected(reason?: string): void {
    this.#live = false
    const waits = this.#round !== undefined || this.#questions.size > 0
    // A line that is busy with a large answer carries no sign of life beside it.
    if (reason === 'slow_consumer' || (reason === 'timed_out' && waits)) this.#slow(this.#number)
  }

  /** An entry from the socket. */
  entry(entry: Entry, now: number): Effect[] {
    if (!this.#live || !this.#sameEpoch(entry.epoch)) return this.#take()
    let track = this.#tracks.get(entry.conversation)
    if (track === undefined) {
      if (entry.seq <= (this.#graves.get(entry.conversation) ?? 0)) return this.#take()
      track = this.#track(entry.conversation, entry.epoch, undefined)
    }
    if (track.cursor === undefined && this.#isBeginning(entry)) this.#start(track, entry.seq - 1)
    if (entry.seq > (track.cursor ?? 0)) track.heardAfter = this.#number
    this.#receive(track, entry, now)
    // A conversation that is new here has no gap that could close by itself.
    if (this.#tracks.get(entry.conversation) === track)
      this.#settle(track, now, track.cursor === undefined ? 0 : this.#options.gapWaitMs)
    return this.#take()
  }

  /** Heads that a node names because it cannot rule out a loss. What is missing may still be on its way. */
  heads(epoch: number | undefined, heads: readonly ConversationHead[], now: number): Effect[] {
    if (!this.#live || (epoch !== undefined && !this.#sameEpoch(epoch))) return this.#take()
    for (const { conversation, head } of heads) {
      if (head <= (this.#graves.get(conversation) ?? 0)) continue
      const track = this.#tracks.get(conversation) ?? this.#track(conversation, this.#epoch, undefined)
      track.head = Math.max(track.head, head)
      this.#settle(track, now, this.#options.gapWaitMs)
    }
    return this.#take()
  }

  /** The answer to a page question. */
  paged(question: PageQuestion, reply: ReplyOf<'history.page'>, now: number): Effect[] {
    const track = this.#answered(question)
    if (track === undefined || (reply.epoch > this.#epoch && !this.#sameEpoch(reply.epoch))) return this.#take()
    this.#pace.went()
    track.activeAt = now
    if (reply.epoch === this.#epoch) track.memberUpTo = Math.max(track.memberUpTo, reply.head)
    if (reply.epoch < this.#epoch) this.#tryLater(track, now, 0)
    else if (question.after === undefined) this.#startAgain(track, reply, now)
    else this.#fill(track, question.after, reply, now)
    return this.#take()
  }

  /**
   * A page question that was refused, or not answered in time. `gone` says that the person may not see the conversation (any
   * longer). Somebody may have added them again meanwhile, and that entry overtakes the refusal: then it is asked again.
   */
  pageFailed(
    question: PageQuestion,
    why: { gone: boolean; late?: boolean; retryMs?: number | undefined },
    now: number,
  ): Effect[] {
    const track = this.#answered(question)
    if (track === undefined) return []
    if (why.late) this.#slow(question.number)
    if (why.gone && question.number > track.heardAfter) {
      this.#leave(track, now)
      return this.#take()
    }
    // Until an answer says how it is, more may be there than is known.
    if (why.gone && track.cursor !== undefined) track.head = Math.max(track.head, track.cursor + 1)
    this.#tryLater(track, now, why.retryMs ?? 0)
    return this.#take()
  }

  /** The application has taken one entry of this conversation. */
  handed(conversation: string, now: number): Effect[] {
    const track = this.#tracks.get(conversation)
    if (track === undefined || track.unhanded === 0) return []
    track.unhanded -= 1
    if (!track.full || track.unhanded > this.#options.unhandedEntriesMax / 2) return []
    track.full = false
    if (!track.void && !this.#isStale(track)) this.#drain(track, now)
    if (this.#tracks.get(conversation) === track) this.#settle(track, now, 0)
    return this.#take()
  }

  /** The person does something in this conversation: a ping asks about it for a while. */
  touch(conversation: string, now: number): void {
    const track = this.#tracks.get(conversation)
    if (track !== undefined) track.activeAt = now
  }

  /** The time has come: what to fetch now. */
  due(now: number): Effect[] {
    for (const track of this.#restless) {
      if (!this.#mayAsk()) break
      if (track.asked || track.full || track.dueAt === undefined || track.dueAt > now) continue
      track.asked = true
      const number = ++this.#number
      this.#questions.set(number, track)
      const latest = track.void || this.#isStale(track)
      const after = latest ? {} : { after: track.cursor ?? 0 }
      const size = { limit: this.#pace.of(limits.historyPageMax), ...this.#bytesMax() }
      this.#effects.push({ do: 'page', question: { number, conversation: track.conversation, ...after, ...size } })
    }
    return this.#take()
  }

  // ---- what can be asked --------------------------------------------------------------------------------------------

  /** When `due` has something to do. */
  dueAt(): number | undefined {
    if (!this.#mayAsk()) return undefined
    let at: number | undefined
    for (const track of this.#restless)
      if (!track.asked && !track.full && track.dueAt !== undefined && track.dueAt < (at ?? Number.POSITIVE_INFINITY))
        at = track.dueAt
    return at
  }

  /** The conversations that a ping should ask about: the liveliest first. */
  seen(now: number): ConversationCursor[] {
    const seen: { conversation: string; seq: number; activeAt: number }[] = []
    for (const { conversation, cursor, activeAt, epoch } of this.#tracks.values())
      if (cursor !== undefined && epoch === this.#epoch && activeAt > now - this.#options.activeMs)
        seen.push({ conversation, seq: cursor, activeAt })
    seen.sort((one, other) => other.activeAt - one.activeAt)
    return seen.slice(0, limits.pingSeenMax).map(({ conversation, seq }) => ({ conversation, seq }))
  }

  // ---- inside -------------------------------------------------------------------------------------------------------

  #take(): Effect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  /**
   * Those of the latest epoch in the order of their ids: each question is also answered about what this device does not know
   * between its first and its last one. Those of other epochs apart: a question has one epoch.
   */
  #planRounds(): [Round, ...Round[]] {
    const tracks = [...this.#tracks.values()].filter(track => track.cursor !== undefined)
    const latest = Math.max(0, ...tracks.map(track => track.epoch))
    const rounds: Round[] = []
    for (const epoch of new Set(tracks.map(track => track.epoch)))
      if (epoch !== latest)
        for (const part of this.#parts(tracks, epoch)) rounds.push({ epoch, tracks: part, only: true })
    const parts = this.#parts(tracks, latest)
    for (const [nth, part] of parts.entries()) {
      const upto = nth === parts.length - 1 ? undefined : part.at(-1)?.conversation
      const after = parts[nth - 1]?.at(-1)?.conversation
      rounds.push({ epoch: latest, tracks: part, only: false, after, upto })
    }
    const [first = { epoch: undefined, tracks: [], only: false }, ...others] = rounds
    return [first, ...others]
  }

  #parts(tracks: readonly Track[], epoch: number): Track[][] {
    const named = tracks
      .filter(track => track.epoch === epoch)
      .sort((one, other) => (one.conversation < other.conversation ? -1 : 1))
    const size = this.#pace.of(limits.resumeCursorsMax)
    return Array.from({ length: Math.ceil(named.length / size) }, (_, nth) => named.slice(nth * size, (nth + 1) * size))
  }

  /** The question of a round, with the cursors of now. */
  #ask(round: Round): ResumeQuestion {
    const { epoch, tracks, only, after, upto } = round
    const number = ++this.#number
    this.#round = round
    const cursors: ConversationCursor[] = []
    for (const track of tracks) {
      // It was left meanwhile, and perhaps joined again.
      if (this.#tracks.get(track.conversation) !== track || track.epoch !== epoch) continue
      track.namedIn = number
      cursors.push({ conversation: track.conversation, seq: track.cursor ?? 0 })
    }
    const { history } = this.#options
    const fields = {
      ...(epoch === undefined ? {} : { epoch }),
      cursors,
      only,
      ...(only || history === 'all' ? {} : { start: history }),
      ...(after === undefined ? {} : { after }),
      ...(upto === undefined ? {} : { upto }),
      ...this.#bytesMax(),
    }
    return { number, fields }
  }

  /** How large an answer may be, where the line does not carry the largest. */
  #bytesMax(): { bytesMax?: number } {
    return this.#pace.isFull ? {} : { bytesMax: this.#pace.of(limits.replyBytesMax) }
  }

  /** What this question asked for was too much; several that were under way together count once. */
  #slow(number: number): void {
    if (number < this.#pacedFrom) return
    this.#pacedFrom = this.#number + 1
    this.#pace.slow()
  }

  #judge(verdict: Verdict, { number, fields }: ResumeQuestion, now: number): void {
    const known = this.#tracks.get(verdict.conversation)
    if (verdict.verdict === 'left') {
      // A conversation that was left and joined again since the question is not what the answer is about.
      if (known?.namedIn === number) this.#leave(known, now)
      return
    }
    // Left meanwhile: the node answered by what was before.
    if (known === undefined && verdict.head <= (this.#graves.get(verdict.conversation) ?? 0)) return
    const track = known ?? this.#track(verdict.conversation, this.#epoch, undefined)
    track.head = Math.max(track.head, verdict.head)
    track.oldUpTo = Math.max(track.oldUpTo, verdict.head)
    track.memberUpTo = Math.max(track.memberUpTo, verdict.head)
    track.activeAt = now
    const start = track.cursor === undefined ? this.#startOf(verdict, fields.start !== undefined) : undefined
    if (start !== undefined) this.#start(track, start)
    if (verdict.verdict === 'replayed') for (const entry of verdict.entries) this.#receive(track, entry, now)
    // Only an answer about our own cursor makes it void: another question's answer takes us for a new device.
    if (verdict.verdict === 'resync' && (track.cursor === undefined || track.namedIn === number)) track.void = true
  }

  /**
   * The cursor with which a conversation begins here. A node that was not asked, because it is of a version that would not
   * understand, begins with the first entry: then the latest ones are picked out of what it says.
   */
  #startOf(verdict: Exclude<Verdict, { verdict: 'left' }>, asked: boolean): number | undefined {
    const first =
      verdict.verdict === 'replayed'
        ? (verdict.entries[0]?.seq ?? verdict.head + 1) - 1
        : verdict.verdict === 'behind' && verdict.after !== undefined
          ? verdict.after
          : verdict.from - 1
    if (asked || this.#options.history === 'all') return verdict.verdict === 'resync' ? undefined : first
    return Math.max(first, verdict.head - limits.resumeLatestMax)
  }

  #mayAsk(): boolean {
    const pagesMax = this.#pace.of(this.#options.pagesAtOnceMax)
    return this.#live && this.#round === undefined && this.#questions.size < pagesMax
  }

  #answered(question: PageQuestion): Track | undefined {
    const track = this.#questions.get(question.number)
    this.#questions.delete(question.number)
    if (track !== undefined) track.asked = false
    return track
  }

  #track(conversation: string, epoch: number, cursor: number | undefined): Track {
    const track: Track = {
      conversation,
      epoch,
      cursor,
      head: cursor ?? 0,
      oldUpTo: 0,
      buffer: new Map(),
      void: false,
      dueAt: undefined,
      dueFor: undefined,
      asked: false,
      tries: 0,
      emptyPages: 0,
      unhanded: 0,
      full: false,
      activeAt: Number.NEGATIVE_INFINITY,
      namedIn: 0,
      memberUpTo: 0,
      heardAfter: 0,
    }
    this.#tracks.set(conversation, track)
    return track
  }

  /** An epoch can only rise while we are connected: what comes with an older one was on its way for too long. */
  #sameEpoch(epoch: number): boolean {
    if (epoch > this.#epoch) this.#effects.push({ do: 'resume', epoch })
    return epoch === this.#epoch
  }

  #isStale(track: Track): boolean {
    return track.cursor !== undefined && track.epoch !== this.#epoch
  }

  /** The entry with which this person's part of a conversation begins, by definition. */
  #isBeginning(entry: Entry): boolean {
    if (entry.event === 'conversation.created') return true
    if (entry.event !== 'member.added' || entry.since !== undefined) return false
    return this.#isIn(entry.members)
  }

  /** What a newcomer is shown of what was said before they came in, where this page reaches so far. */
  #historyUpTo(track: Track, { entries }: ReplyOf<'history.page'>): number {
    const shown = [...entries, ...track.buffer.values()].filter(
      entry => entry.event === 'member.added' && entry.since !== undefined && this.#isIn(entry.members),
    )
    return Math.max(0, ...shown.map(({ seq }) => seq - 1))
  }

  #isIn(members: readonly MemberRef[]): boolean {
    return members.some(({ user }) => user === this.#me)
  }

  #isEnd(entry: Entry): boolean {
    if (entry.event === 'member.left') return entry.by === this.#me
    return entry.event === 'member.removed' && entry.user === this.#me
  }

  #start(track: Track, cursor: number): void {
    track.epoch = this.#epoch
    track.cursor = cursor
    this.#forgetUpTo(track, cursor)
  }

  #forgetUpTo(track: Track, cursor: number): void {
    for (const seq of track.buffer.keys()) if (seq <= cursor) track.buffer.delete(seq)
  }

  #receive(track: Track, entry: Entry, now: number): void {
    // The entry before was this person's last one.
    if (this.#tracks.get(track.conversation) !== track) return
    track.activeAt = now
    track.head = Math.max(track.head, entry.seq)
    const waits = track.cursor === undefined || track.void || this.#isStale(track)
    if (!waits && entry.seq <= (track.cursor ?? 0)) return
    if (track.full) return
    this.#buffer(track, entry)
    if (!waits) this.#drain(track, now)
  }

  /** Keeps the lowest: they are wanted first, and what is dropped stays known by the head. */
  #buffer(track: Track, entry: Entry): void {
    if (track.buffer.size >= this.#options.bufferEntriesMax && !track.buffer.has(entry.seq)) {
      const highest = Math.max(...track.buffer.keys())
      if (entry.seq > highest) return
      track.buffer.delete(highest)
    }
    track.buffer.set(entry.seq, entry)
  }

  #drain(track: Track, now: number): void {
    for (;;) {
      const next = (track.cursor ?? 0) + 1
      const entry = track.buffer.get(next)
      if (entry === undefined || track.full) return
      track.buffer.delete(next)
      track.cursor = next
      track.unhanded += 1
      track.full = track.unhanded >= this.#options.unhandedEntriesMax
      this.#effects.push({ do: 'hand', entry, epoch: track.epoch, replayed: next <= track.oldUpTo })
      if (next > track.memberUpTo && this.#isEnd(entry)) return this.#leave(track, now)
    }
  }

  /** Sets the time of the next fetch, or finds that nothing is missing. A time once set stays while the gap stays. */
  #settle(track: Track, now: number, waitMs: number): void {
    if (track.asked) return
    const missing = track.void || this.#isStale(track) || track.cursor === undefined || track.head > track.cursor
    if (!missing) {
      this.#restless.delete(track)
      track.dueAt = undefined
      track.tries = 0
      track.emptyPages = 0
      return
    }
    this.#restless.add(track)
    if (track.dueFor !== track.cursor) {
      track.dueAt = undefined
      track.tries = 0
      track.emptyPages = 0
    }
    track.dueFor = track.cursor
    if (track.dueAt === undefined || (track.tries === 0 && now + waitMs < track.dueAt)) track.dueAt = now + waitMs
  }

  #tryLater(track: Track, now: number, atLeastMs: number): void {
    const { gapWaitMs, pageRetryMaxMs } = this.#options
    this.#restless.add(track)
    track.dueFor = track.cursor
    track.dueAt = now + Math.max(atLeastMs, Math.min(pageRetryMaxMs, gapWaitMs * 2 ** track.tries))
    track.tries += 1
  }

  /** A page of the range after the cursor. It must go on where the cursor stands: a hole in it counts as missing. */
  #fill(track: Track, after: number, reply: ReplyOf<'history.page'>, now: number): void {
    const before = track.cursor
    const start = reply.from - 1
    if (track.cursor === undefined && reply.head - start > limits.resumeGapMax) {
      track.void = true
      return this.#settle(track, now, 0)
    }
    if (track.cursor === undefined) {
      this.#start(track, start)
      track.oldUpTo = Math.max(track.oldUpTo, this.#historyUpTo(track, reply))
    }
    // The person's part of the conversation begins anew beyond the cursor (removed and added again, unseen by us).
    else if (start > track.cursor) this.#startAt(track, start, reply)
    track.head = Math.max(track.head, reply.head)
    for (const entry of reply.entries) this.#receive(track, entry, now)
    if (this.#tracks.get(track.conversation) !== track) return
    this.#drain(track, now)
    if (this.#tracks.get(track.conversation) !== track) return
    const cursor = track.cursor ?? 0
    // The head that we had heard of is not there (any more): the page knows better than the hint.
    if (reply.entries.length === 0 && reply.head <= cursor && track.buffer.size === 0) track.head = cursor
    if (track.cursor !== before || track.head <= cursor) return this.#settle(track, now, 0)
    // Asked for another gap than there is now, or without room for the answer: that says nothing about the store.
    if (after !== (before ?? 0) || track.full) return this.#settle(track, now, this.#options.gapWaitMs)
    track.emptyPages += 1
    // The store does not have what its heads promise. That is said, never passed over.
    if (track.emptyPages >= this.#options.emptyPagesMax) track.void = true
    this.#tryLater(track, now, 0)
  }

  /** The latest page, after a verdict or a new epoch: the conversation starts again from there. */
  #startAgain(track: Track, reply: ReplyOf<'history.page'>, now: number): void {
    const entries = unbroken(reply.entries)
    const cursor = (entries[0]?.seq ?? reply.head + 1) - 1
    const { conversation } = track
    this.#startAt(track, cursor, reply)
    track.oldUpTo = Math.max(track.oldUpTo, reply.head)
    track.head = Math.max(reply.head, cursor, ...track.buffer.keys())
    for (const entry of entries) this.#receive(track, entry, now)
    if (this.#tracks.get(conversation) === track) this.#drain(track, now)
    if (this.#tracks.get(conversation) === track) this.#settle(track, now, 0)
  }

  #startAt(track: Track, cursor: number, { from, head }: ReplyOf<'history.page'>): void {
    track.void = false
    this.#start(track, cursor)
    this.#effects.push({ do: 'resync', conversation: track.conversation, epoch: track.epoch, cursor, from, head })
  }

  #leave(track: Track, now: number): void {
    const { conversation, cursor } = track
    this.#tracks.delete(conversation)
    this.#restless.delete(track)
    for (const [number, asking] of this.#questions) if (asking === track) this.#questions.delete(number)
    // It was never more than a rumour.
    if (cursor === undefined) return
    this.#effects.push({ do: 'left', conversation })
    // Late entries stop at the grave. A cursor of another epoch marks none.
    const grave = this.#isStale(track) ? 0 : cursor
    if (grave > 0) this.#graves.set(conversation, grave)
    if (this.#graves.size > this.#options.gravesMax) this.#graves.delete(this.#graves.keys().next().value ?? '')
    // Somebody may have added the person again already.
    const later = [...track.buffer.values()].filter(entry => entry.seq > grave)
    if (later.length === 0) return
    const again = this.#track(conversation, this.#epoch, undefined)
    const beginning = later.find(entry => this.#isBeginning(entry))
    if (beginning !== undefined) this.#start(again, beginning.seq - 1)
    for (const entry of later) this.#receive(again, entry, now)
    if (this.#tracks.get(conversation) === again) this.#settle(again, now, 0)
  }
}

/** The end of a page, back to the last hole in it, should it have one. */
function unbroken(entries: readonly Entry[]): readonly Entry[] {
  let start = entries.length - 1
  while (start > 0 && entries[start - 1]?.seq === (entries[start]?.seq ?? 0) - 1) start -= 1
  return entries.slice(Math.max(0, start))
}
