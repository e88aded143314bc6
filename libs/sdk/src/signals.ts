/**
 * What is no log has no seq that would show a loss. It is read anew with each connection, and when the node says that
 * signals may have been lost; what differs from what was known is told to the application by the events that it has
 * anyway. Only what somebody listens for is read, at most once in a pause.
 */
import type { Event } from '@flotilla/protocol'
import { type Clock, fullJitterMs, type Random } from './clock.ts'
import type { Emitter } from './emitter.ts'
import { FlotillaError } from './flotilla-error.ts'
import type { ClientEvents } from './options.ts'
import type { Rest } from './rest.ts'
import { type Self, type SignalEvent, type Topic, topics } from './signal-topics.ts'

export interface SignalsOptions {
  readonly rest: Rest
  readonly clock: Clock
  readonly random: Random
  readonly events: Emitter<ClientEvents>
  readonly self: Self
  /** Between two times, as long as the node names none of its own. */
  readonly refreshPauseMs: number
  /** Hears what is found to differ before listeners do. */
  readonly found: (told: SignalEvent) => void
  readonly report: (thrown: unknown) => void
}

const retryPolicy = { baseMs: 2_000, maxMs: 60_000 }

/** A topic with what is known of it; undefined before it was read. */
class Watched<T> {
  readonly topic: Topic<T>
  #known: Map<string, T> | undefined
  /** While it is being read: what signals told meanwhile. What was read of that may be older, or newer. */
  #touched: Set<string> | undefined

  constructor(topic: Topic<T>) {
    this.topic = topic
  }

  heard(event: Event): void {
    for (const [key, thing] of this.topic.heard(event, this.#known ?? new Map<string, T>())) {
      this.#touched?.add(key)
      if (thing === undefined) this.#known?.delete(key)
      else this.#known?.set(key, thing)
    }
  }

  /** @returns what differs, and whether that is all: what was told meanwhile is left for the next time */
  async read(rest: Rest, self: Self): Promise<{ readonly told: readonly SignalEvent[]; readonly isSettled: boolean }> {
    const touched = new Set<string>()
    this.#touched = touched
    const read = this.topic.read(rest, this.#known ?? new Map<string, T>())
    const now = new Map(await read.finally(() => (this.#touched = undefined)))
    const before = this.#known
    if (before !== undefined)
      for (const key of touched) {
        const thing = before.get(key)
        if (thing === undefined) now.delete(key)
        else now.set(key, thing)
      }
    this.#known = now
    const told = before === undefined ? [] : this.#differences(before, now, self)
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
  readonly #watched = Object.values(topics).map(topic => new Watched<unknown>(topic as Topic<unknown>))
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

  #plan(waitMs = 0): void {
    if (!this.#isLive || this.#isReading) return
    this.#callOff()
    const { clock } = this.#options
    this.#callOff = clock.after(Math.max(waitMs, this.#mayReadAt - clock.steady()), () => void this.#read())
  }

  async #read(): Promise<void> {
    const { events, clock, rest, self, random, found } = this.#options
    this.#mayReadAt = clock.steady() + this.#pauseMs
    this.#isReading = true
    this.#isWanted = false
    if (this.#isMissed) events.emit('refresh', {})
    this.#isMissed = false
    try {
      for (const one of this.#watched) {
        if (!one.topic.events.some(name => events.has(name))) continue
        const read = await one.read(rest, self)
        for (const told of read.told) {
          found(told)
          events.emit(told[0], told[1])
        }
        this.#isWanted ||= !read.isSettled
      }
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
