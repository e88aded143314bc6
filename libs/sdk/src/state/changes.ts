/**
 * Who waits for what to change. The first change after a rest is told at the end of the turn; of those that come in a burst
 * (a replay, a busy conversation) the listeners hear once a frame.
 */
import type { Clock } from '../clock.ts'
import type { Readable } from './views.ts'

/** About a frame of a screen. */
const gatherMs = 16

/** What is done while somebody listens. */
export interface Attendance {
  begin?(): void
  end?(): void
}

export class Changes {
  readonly #clock: Clock
  readonly #listeners = new Map<string, Set<() => void>>()
  readonly #changed = new Set<string>()
  #toldAt = Number.NEGATIVE_INFINITY
  #isPlanned = false
  #cancel: () => void = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
  }

  readable<T>(key: string, get: () => T, attendance: Attendance = {}): Readable<T> {
    return { get, subscribe: changed => this.#subscribe(key, changed, attendance) }
  }

  has(key: string): boolean {
    return this.#listeners.has(key)
  }

  tell(key: string): void {
    if (!this.#listeners.has(key)) return
    this.#changed.add(key)
    if (this.#isPlanned) return
    this.#isPlanned = true
    const waitMs = this.#toldAt + gatherMs - this.#clock.steady()
    if (waitMs > 0) this.#cancel = this.#clock.after(waitMs, () => this.flush())
    else queueMicrotask(() => this.flush())
  }

  /** Tells what has changed at once: what a person does themselves is shown in the same frame. */
  flush(): void {
    this.#cancel()
    this.#isPlanned = false
    this.#toldAt = this.#clock.steady()
    const changed = [...this.#changed]
    this.#changed.clear()
    for (const key of changed) for (const listener of Array.from(this.#listeners.get(key) ?? [])) listener()
  }

  /** Nothing is told any more. */
  close(): void {
    this.#cancel()
    this.#listeners.clear()
    this.#changed.clear()
  }

  #subscribe(key: string, changed: () => void, { begin, end }: Attendance): () => void {
    const before = this.#listeners.get(key)
    const listeners = before ?? new Set()
    this.#listeners.set(key, listeners)
    // A wrapper of its own, so that a function that listens twice is ended once at a time.
    const own = () => changed()
    listeners.add(own)
    if (before === undefined) begin?.()
    return () => {
      if (!listeners.delete(own) || listeners.size > 0 || this.#listeners.get(key) !== listeners) return
      this.#listeners.delete(key)
      end?.()
    }
  }
}
