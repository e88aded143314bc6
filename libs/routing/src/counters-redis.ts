/** Counts in Redis: a key for each window, bucket and thing that is held, gone when it is over. */
import type { Counters } from './counters.ts'
import { loadScript, type RedisLink, type Script } from './redis-link.ts'

const hitScript = loadScript('hit')
const spendScript = loadScript('spend')
const holdScript = loadScript('hold')

/** Keys in one script: Redis is busy with it for about a millisecond at most. */
const keysMax = 256

export function createRedisCounters(link: RedisLink): Counters {
  /** Runs a script over keys, in as many commands as parts and chunks need. @returns a number for each key */
  async function overAll(
    script: Script,
    prefix: string,
    names: readonly string[],
    before: readonly (string | number)[],
    each: (at: number) => readonly (string | number)[],
  ): Promise<number[]> {
    const parts = new Map<number, number[][]>()
    for (let at = 0; at < names.length; at++) {
      const shard = link.shardOf(names[at]!)
      const chunks = parts.get(shard) ?? [[]]
      parts.set(shard, chunks)
      if (chunks.at(-1)!.length === keysMax) chunks.push([])
      chunks.at(-1)!.push(at)
    }
    const answers = names.map(() => Number.NaN)
    const commands = [...parts].flatMap(([shard, chunks]) =>
      chunks.map(async chunk => {
        const keys = chunk.map(at => link.shardKey(shard, `${prefix}:${names[at]!}`))
        const answer = (await link.script(script, keys, [...before, ...chunk.flatMap(each)])) as unknown[]
        chunk.forEach((at, nth) => (answers[at] = Number(answer[nth])))
      }),
    )
    await Promise.all(commands)
    return answers
  }

  return {
    async hit(key, windowMs, by = 1) {
      const answer = await link.script(hitScript, [link.key(`hit:${key}`)], [windowMs, by])
      const [count, resetMs] = answer as [number, number]
      return { count, resetMs }
    },
    spend: spendings =>
      overAll(
        spendScript,
        'budget',
        spendings.map(one => one.key),
        [],
        at => [spendings[at]!.perSecond, spendings[at]!.burst, spendings[at]!.spent],
      ),
    hold(node, held, lifeMs) {
      const counts = [...held.values()]
      return overAll(holdScript, 'held', [...held.keys()], [node, lifeMs], at => [counts[at]!])
    },
  }
}
