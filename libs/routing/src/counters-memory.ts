/** Counts inside one process. Shared by all nodes of the process. */
import type { Clock } from './clock.ts'
import type { Counters } from './counters.ts'

/** So many hits between two clean-ups of the windows that are over. */
const hitsPerCleanup = 10_000

export function createMemoryCounters(clock: Clock): Counters {
  const windows = new Map<string, { count: number; endsAt: number }>()
  let hits = 0

  return {
    async hit(key, windowMs, by = 1) {
      const now = clock.steady()
      if (++hits % hitsPerCleanup === 0)
        for (const [key, window] of windows) if (window.endsAt <= now) windows.delete(key)
      let window = windows.get(key)
      if (window === undefined || window.endsAt <= now) {
        window = { count: 0, endsAt: now + windowMs }
        windows.set(key, window)
      }
      window.count += by
      return { count: window.count, resetMs: Math.min(windowMs, Math.ceil(window.endsAt - now)) }
    },
  }
}
