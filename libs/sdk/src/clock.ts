/** Time and chance are arguments: a test brings a clock that it moves itself and dice that it knows. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC, by this device: for what is shown or kept. It may be wrong and it may be set. */
  now(): number
  /** For what lies between two moments, in ms: never falls, and counts the time that the device slept. */
  steady(): number
  /** Calls once after `ms`. The answer cancels it. */
  after(ms: number, call: () => void): () => void
}

/** The longest time that a timer can hold; a longer one would fire at once. */
const timerMaxMs = 2_147_483_647

/**
 * Rises by what either clock says, whichever is more. Most monotonic clocks stand still while the device sleeps; the wall
 * clock goes on, and may be set back, which counts as nothing. Set forward it makes a time look longer than it was: that
 * costs a ping, or a question asked too early.
 */
export function createSteady(wall: () => number, monotonic: () => number): () => number {
  let last = { wall: wall(), monotonic: monotonic() }
  let steady = 0
  return () => {
    const at = { wall: wall(), monotonic: monotonic() }
    steady += Math.max(at.wall - last.wall, at.monotonic - last.monotonic)
    last = at
    return steady
  }
}

export const systemClock: Clock = {
  now: () => Date.now(),
  steady: createSteady(
    () => Date.now(),
    () => performance.now(),
  ),
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
