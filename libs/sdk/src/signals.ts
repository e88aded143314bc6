/**
 * What is no log has no seq that would show a loss. It is read anew with each connection, and when the node says that
 * signals may have been lost; what differs from what was known is told to the application by the events that it has
 * anyway. Only what somebody listens for is read, at most once in a pause.
 */
import type { Conversation, ConversationSettings, Event } from '@flotilla/protocol'
import { type Clock, fullJitterMs, type Random } from './clock.ts'
import type { Drafts } from './drafts.ts'
import type { Emitter } from './emitter.ts'
import { FlotillaError } from './flotilla-error.ts'
import type { ClientEvents } from './options.ts'
import type { Rest } from './rest.ts'
import {
  allConversations,
  type Conversations,
  type Self,
  type SignalEvent,
  type Topic,
  topics,
} from './signal-topics.ts'

export interface SignalsOptions {
  readonly rest: Rest
  readonly clock: Clock
  readonly random: Random
  readonly events: Emitter<ClientEvents>
  readonly self: Self
  /** Between two times, as long as the node names none of its own. */
  readonly refreshPauseMs: number
  /** They are read with the rest, and tell by themselves what differs. */
  readonly drafts: Pick<Drafts, 'read'>
  readonly report: (thrown: unknown) => void
}

const retryPolicy = { baseMs: 2_000, maxMs: 60_000 }

/** A topic with what is known of it. */
class Watched<T> {
  readonly topic: Topic<T>
  #known = new Map<string, T>()
  /** Whether what signals tell is kept: from the first round on, or always. */
  #isKept: boolean
  #isRead = false
  /** While it is being read: what signals told meanwhile. What was read of that may be older, or newer. */
  #touched: Set<string> | undefined

  constructor(topic: Topic<T>, isKept = false) {
    this.topic = topic
    this.#isKept = isKept
  }

  get(key: string): T | undefined {
    return this.#known.get(key)
  }

  /** @param thing undefined of one that is gone */
  put(key: string, thing: T | undefined): void {
    this.#touched?.add(key)
    if (thing === undefined) this.#known.delete(key)
    else if (this.#isKept) this.#known.set(key, thing)
  }

  heard(event: Event): void {
    for (const [key, thing] of this.topic.heard(event, this.#known)) this.put(key, thing)
  }

  /** A round begins: what this topic gets to read may be read from now on, for another one. */
  begin(): void {
    this.#isKept = true
    this.#touched = new Set()
  }

  /** @returns what differs, and whether that is all: what was told meanwhile is left for the next time */
  async read(
    rest: Rest,
    self: Self,
    conversations: Conversations,
  ): Promise<{ readonly told: readonly SignalEvent[]; readonly isSettled: boolean }> {
    const now = new Map(await this.topic.read(rest, this.#known, conversations))
    const before = this.#known
    const touched = this.#touched ?? new Set()
    for (const key of touched) {
      const thing = before.get(key)
      if (thing === undefined) now.delete(key)
      else now.set(key, thing)
    }
    const told = this.#isRead ? this.#differences(before, now, self) : []
    this.#known = now
    this.#isRead = true
    this.#touched = undefined
    return { told, isSettled: touched.size === 0 }
  }

  #differences(before: ReadonlyMap<string, T>, now: ReadonlyMap<string, T>, self: Self): SignalEvent[] {
    const told: SignalEvent[] = []
    for (const key of new Set([...now.keys(), ...before.keys()])) {
      const change = { key, before: before.get(key), now: now.get(key), all: { before, now } }
      if (JSON.stringify(change.before) === JSON.stringify(change.now)) continue
      const one = this.topic.tell(change, self)
      if (one !== undefined) told.push(one)
    }
    return told
  }
}

export class Signals {
  readonly #options: SignalsOptions
  /** The client itself asks for them. */
  readonly #settings = new Watched(topics.settings, true)
  readonly #watched: readonly Watched<unknown>[] = Object.values(topics).map(topic =>
    topic === topics.settings ? this.#settings : new Watched(topic as Topic<unknown>),
  )
  /** Conversations whose settings were read by themselves, since signals may have been lost. */
  readonly #asked = new Set<string>()
  #pauseMs: number
  #isLive = false
  #saysRefresh = false
  #isWanted = false
  /** Wanted because signals may have been lost. */
  #isMissed = false
  #isReading = false
  #failures = 0
  #mayReadAt = Number.NEGATIVE_INFINITY
  #callOff: () => void = () => {}

  constructor(options: SignalsOptions) {
    this.#options = options
    this.#pauseMs = options.refreshPauseMs
  }

  /** From here on every signal comes, or the node says that one may not have come. */
  live(pauseMs: number | undefined): void {
    this.#saysRefresh = pauseMs !== undefined
    this.#pauseMs = pauseMs ?? this.#options.refreshPauseMs
    this.#isLive = true
    this.#isWanted = true
    this.#isMissed = false
    this.#asked.clear()
    this.#options.events.emit('refresh', {})
    this.#plan()
  }

  down(): void {
    this.#isLive = false
    this.#callOff()
  }

  /** Signals may have been lost. */
  missed(): void {
    this.#isWanted = true
    this.#isMissed = true
    this.#asked.clear()
    this.#plan()
  }

  /** The node cannot rule out that entries were lost. One that is too old to say `refresh` means signals as well. */
  healed(): void {
    if (!this.#saysRefresh) this.missed()
  }

  /** A signal came: before it is told. */
  heard(event: Event): void {
    for (const one of this.#watched) one.heard(event)
  }

  /** What a conversation is known to be to the person: of what was told, the highest version. */
  settingsOf(conversation: string): ConversationSettings | undefined {
    return this.#settings.get(conversation)
  }

  keepSettings(conversation: string, settings: ConversationSettings): void {
    this.#settings.put(conversation, settings)
  }

  /** Reads them, once while signals come, unless rounds do that anyway; and tells them as a signal would. */
  async askSettings(conversation: string): Promise<void> {
    const { events, rest } = this.#options
    const isRead = this.settingsOf(conversation) !== undefined && events.has('settings')
    if (!this.#isLive || isRead || this.#asked.has(conversation)) return
    this.#asked.add(conversation)
    try {
      const { settings }: Partial<Conversation> = await rest.conversation(conversation)
      // A node of the version before does not say them; those of a membership that is over count no more.
      if (settings === undefined || !this.#asked.has(conversation)) return
      this.heard({ event: 'conversation.settings_changed', conversation, settings })
      if (this.settingsOf(conversation) === settings) events.emit('settings', { conversation, settings })
    } catch (thrown) {
      this.#asked.delete(conversation)
      throw thrown
    }
  }

  /** A membership is over, or begins anew: so do the versions of its settings. */
  forget(conversation: string): void {
    this.#asked.delete(conversation)
    this.#settings.put(conversation, undefined)
  }

  #plan(waitMs = 0): void {
    if (!this.#isLive || this.#isReading) return
    this.#callOff()
    const { clock } = this.#options
    this.#callOff = clock.after(Math.max(waitMs, this.#mayReadAt - clock.steady()), () => void this.#read())
  }

  async #read(): Promise<void> {
    const { events, clock, rest, self, drafts, random } = this.#options
    this.#mayReadAt = clock.steady() + this.#pauseMs
    this.#isReading = true
    this.#isWanted = false
    if (this.#isMissed) events.emit('refresh', {})
    this.#isMissed = false
    const wanted = this.#watched.filter(one => one.topic.events.some(name => events.has(name)))
    let listed: ReturnType<Conversations> | undefined
    const conversations = () => (listed ??= allConversations(rest))
    for (const one of wanted) one.begin()
    try {
      for (const one of wanted) {
        const read = await one.read(rest, self, conversations)
        for (const told of read.told) events.emit(told[0], told[1])
        this.#isWanted ||= !read.isSettled
      }
      if (events.has('draft')) await drafts.read()
      this.#failures = 0
    } catch (thrown) {
      this.#isReading = false
      this.#isWanted = true
      this.#options.report(thrown)
      const asked = thrown instanceof FlotillaError ? (thrown.retryMs ?? 0) : 0
      return this.#plan(asked + fullJitterMs(retryPolicy, this.#failures++, random))
    }
    this.#isReading = false
    if (this.#isWanted) this.#plan()
  }
}
