/** Counts inside one process. Shared by all nodes of the process. */
import type { Clock } from './clock.ts'
import type { Counters } from './counters.ts'
import { TokenBucket } from './token-bucket.ts'

/** So many hits, or spendings, between two clean-ups of what is over. */
const hitsPerCleanup = 10_000

export function createMemoryCounters(clock: Clock): Counters {
  const windows = new Map<string, { count: number; endsAt: number }>()
  const buckets = new Map<string, TokenBucket>()
  const holders = new Map<string, Map<string, { count: number; at: number }>>()
  let hits = 0

  function tidy(now: number): void {
    if (++hits % hitsPerCleanup !== 0) return
    for (const [key, window] of windows) if (window.endsAt <= now) windows.delete(key)
    for (const [key, bucket] of buckets) if (bucket.isFull(now)) buckets.delete(key)
  }

  function holdOne(key: string, node: string, count: number, now: number, lifeMs: number): number {
    const notes = holders.get(key) ?? new Map<string, { count: number; at: number }>()
    if (count > 0) notes.set(node, { count, at: now })
    else notes.delete(node)
    let others = 0
    for (const [other, note] of notes) {
      if (note.at <= now - lifeMs) notes.delete(other)
      else if (other !== node) others += note.count
    }
    if (notes.size > 0) holders.set(key, notes)
    else holders.delete(key)
    return others
  }

  return {
    async hit(key, windowMs, by = 1) {
      const now = clock.steady()
      tidy(now)
      let window = windows.get(key)
      if (window === undefined || window.endsAt <= now) {
        window = { count: 0, endsAt: now + windowMs }
        windows.set(key, window)
      }
      window.count += by
      return { count: window.count, resetMs: Math.min(windowMs, Math.ceil(window.endsAt - now)) }
    },
    async spend(spendings) {
      const now = clock.steady()
      return spendings.map(({ key, perSecond, burst, spent }) => {
        tidy(now)
        const bucket = buckets.get(key) ?? new TokenBucket({ perSecond, burst })
        buckets.set(key, bucket)
        const left = bucket.left(now) - spent
        bucket.lower(left, now)
        return left
      })
    },
    async hold(node, held, lifeMs) {
      const now = clock.steady()
      return [...held].map(([key, count]) => holdOne(key, node, count, now, lifeMs))
    },
  }
}
