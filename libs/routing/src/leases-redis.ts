/** Node leases in Redis: one hash, one script a step, all times by Redis's own clock. */
import { type Leases, type NodeInfo, type NodeView, splitPlace } from './leases.ts'
import { loadScript, type RedisLink } from './redis-link.ts'

const acquireScript = loadScript('lease-acquire')
const beatScript = loadScript('lease-beat')
const endScript = loadScript('lease-end')

export function createRedisLeases(link: RedisLink): Leases {
  const keys = [link.key('leases')]
  return {
    async acquire(node, info, above) {
      return Number(await link.script(acquireScript, keys, [node, JSON.stringify(info), above]))
    },
    async beat(place, info, leaseMs) {
      const answer = await link.script(beatScript, keys, [place, JSON.stringify(info), leaseMs])
      const [held, now, ...leases] = answer as [number, string, ...string[]]
      const nodes: NodeView[] = []
      for (let i = 0; i < leases.length; i += 2) {
        const view = parseLease(leases[i]!, leases[i + 1]!, Number(now))
        if (view !== undefined) nodes.push(view)
      }
      return { held: held === 1, nodes }
    },
    async release(place) {
      await link.script(endScript, keys, [place, 'release'])
    },
    async swept(place) {
      await link.script(endScript, keys, [place, 'swept'])
    },
  }
}

/** Takes `state swept beatAt info` apart; undefined for one that a newer version wrote in a way not known here. */
function parseLease(place: string, lease: string, now: number): NodeView | undefined {
  const found = /^(live|expired|released) ([01]) (\d+) (.*)$/.exec(lease)
  if (found === null) return undefined
  const [, state, swept, beatAt, info] = found as unknown as [string, NodeView['state'], string, string, string]
  try {
    return {
      ...splitPlace(place),
      state,
      swept: swept === '1',
      beatAt: Number(beatAt),
      beatAgeMs: now - Number(beatAt),
      info: JSON.parse(info) as NodeInfo,
    }
  } catch {
    return undefined
  }
}
