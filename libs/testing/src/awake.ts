/**
 * Time without that in which this process stood still: what a promise of so many seconds is measured by. A shared machine
 * may stop all of it between two statements, and nobody could have done anything meanwhile.
 */

export interface Awake {
  /** Milliseconds since the beginning in which this process could run. */
  ms(): number
  stop(): void
}

const tickMs = 20
/** What is missing beyond this between two ticks was taken from it. */
const gapMsMax = 5 * tickMs

/** Begins to count. */
export function watchAwake(): Awake {
  let ms = 0
  let before = performance.now()
  const tick = () => {
    const now = performance.now()
    ms += Math.min(now - before, gapMsMax)
    before = now
  }
  const timer = setInterval(tick, tickMs)
  timer.unref()
  return {
    ms() {
      tick()
      return ms
    },
    stop: () => clearInterval(timer),
  }
}
