/** Counts in Redis: a key for each window, gone when the window is over. */
import type { Counters } from './counters.ts'
import { loadScript, type RedisLink } from './redis-link.ts'

const hitScript = loadScript('hit')

export function createRedisCounters(link: RedisLink): Counters {
  return {
    async hit(key, windowMs, by = 1) {
      const answer = await link.script(hitScript, [link.key(`hit:${key}`)], [windowMs, by])
      const [count, resetMs] = answer as [number, number]
      return { count, resetMs }
    },
  }
}
