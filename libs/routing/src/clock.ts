/** Time is an argument, so that a test can hold it. */
export interface Clock {
  /** The wall clock in ms. It may jump. */
  now(): number
  /** Rises evenly in ms, also while the process is stopped: for what lies between two moments. */
  steady(): number
  /** Runs something once after so many ms. Returns how to call it off. */
  after(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/**
 * A clock whose `now` never falls and never runs behind: it rises by what the wall clock or the steady one says, whichever
 * is more. A wall clock that is set back, or differs from others', and a machine that was suspended, for which the steady
 * clock stood still, lead to no shorter an age than the true one. It is good for ages only, within one process.
 */
export function createAgeClock(clock: Clock): Clock {
  let last = { wall: clock.now(), steady: clock.steady() }
  let age = 0
  return {
    now() {
      const at = { wall: clock.now(), steady: clock.steady() }
      age += Math.max(at.wall - last.wall, at.steady - last.steady)
      last = at
      return age
    },
    steady: () => clock.steady(),
    after: (ms, run) => clock.after(ms, run),
  }
}
