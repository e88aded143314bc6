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
