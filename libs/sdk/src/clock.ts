/** Time and chance are arguments: a test brings a clock that it moves itself and dice that it knows. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number
  /** Calls once after `ms`. The answer cancels it. */
  after(ms: number, call: () => void): () => void
}

/** The longest time that a timer can hold; a longer one would fire at once. */
const timerMaxMs = 2_147_483_647

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, call) {
    const timer = setTimeout(call, Math.min(ms, timerMaxMs))
    return () => clearTimeout(timer)
  },
}

/** A number from 0 up to but not including 1. */
export type Random = () => number

/** Full jitter: anywhere between nothing and the ceiling, which doubles with each failure in a row. */
export function fullJitterMs(policy: { baseMs: number; maxMs: number }, attempt: number, random: Random): number {
  return Math.floor(random() * Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(attempt, 30)))
}
