/** A clock that a test moves. Between two timers it lets everything run that has been promised by then. */
import type { Clock } from '../clock.ts'

interface Timer {
  at: number
  readonly call: () => void
  over: boolean
}

export class SimClock implements Clock {
  #steady = 0
  /** What the clock on the wall says above that. */
  #wall = 1_700_000_000_000
  #timers: Timer[] = []

  now(): number {
    return this.#wall + this.#steady
  }

  steady(): number {
    return this.#steady
  }

  /** Sets the clock on the wall, forward or back. */
  set(byMs: number): void {
    this.#wall += byMs
  }

  /** The device sleeps: the timers stand still. */
  sleep(ms: number): void {
    this.#steady += ms
    for (const timer of this.#timers) timer.at += ms
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.#steady + Math.max(0, Math.ceil(ms)), call, over: false }
    let at = this.#timers.length
    while (at > 0 && (this.#timers[at - 1]?.at ?? 0) > timer.at) at -= 1
    this.#timers.splice(at, 0, timer)
    return () => {
      timer.over = true
    }
  }

  /** Resolves after so long. */
  wait(ms: number): Promise<void> {
    return new Promise(resolve => this.after(ms, resolve))
  }

  /** Lets everything run that waits for nothing but its turn. */
  async settle(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve))
  }

  async advance(ms: number): Promise<void> {
    const until = this.#steady + ms
    await this.settle()
    for (;;) {
      const timer = this.#timers[0]
      if (timer === undefined || timer.at > until) break
      this.#timers.shift()
      if (timer.over) continue
      this.#steady = Math.max(this.#steady, timer.at)
      timer.call()
      await this.settle()
    }
    this.#steady = Math.max(this.#steady, until)
  }

  /** The clock of a process that can be killed: then none of its timers goes off any more. */
  process(): Clock & { kill(): void } {
    let alive = true
    return {
      now: () => this.now(),
      steady: () => this.steady(),
      after: (ms, call) => this.after(ms, () => alive && call()),
      kill: () => {
        alive = false
      },
    }
  }
}

/** Dice that fall the same way each time: mulberry32. */
export function dice(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
