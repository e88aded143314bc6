/**
 * Node leases in Redis: one hash, one script a step, all times by Redis's own clock. What a lease says of its node is sealed,
 * so that nobody else names a URL to clients; whether it holds is Redis's word.
 */
import { type Leases, type NodeInfo, type NodeView, splitPlace } from './leases.ts'
import type { RoutingLogger } from './logger.ts'
import { loadScript, type RedisLink } from './redis-link.ts'
import type { Seal } from './seal.ts'

const acquireScript = loadScript('lease-acquire')
const beatScript = loadScript('lease-beat')
const endScript = loadScript('lease-end')

export function createRedisLeases(link: RedisLink, seal: Seal, logger: RoutingLogger): Leases {
  const keys = [link.key('leases')]
  let unreadNoted = false

  const purpose = (node: string) => `lease:${node}`
  const write = (node: string, info: NodeInfo) => seal.seal(JSON.stringify(info), purpose(node)).toString('base64')
  const read: ReadInfo = (node, text) => {
    const opened = seal.open(Buffer.from(text, 'base64'), purpose(node))
    return opened === undefined ? undefined : readInfo(opened)
  }
  function noteUnread(place: string) {
    if (!unreadNoted) logger.warn({ place }, 'lease ignored: forged, or sealed with other MASTER_KEYS')
    unreadNoted = true
  }

  return {
    async acquire(node, info, above) {
      return Number(await link.script(acquireScript, keys, [node, write(node, info), above]))
    },
    async beat(place, info, leaseMs) {
      const answer = await link.script(beatScript, keys, [place, write(splitPlace(place).node, info), leaseMs])
      const [held, now, ...leases] = answer as [number, string, ...string[]]
      const nodes: NodeView[] = []
      for (let i = 0; i < leases.length; i += 2) {
        const view = parseLease(leases[i]!, leases[i + 1]!, Number(now), read)
        if (view !== undefined) nodes.push(view)
        else noteUnread(leases[i]!)
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

type ReadInfo = (node: string, text: string) => NodeInfo | undefined

/** What is known of it is of the right kind; whatever a newer version adds stays. */
function readInfo(text: string): NodeInfo | undefined {
  const info = JSON.parse(text) as Partial<NodeInfo> | null
  const isWhole =
    typeof info?.kind === 'string' &&
    typeof info.url === 'string' &&
    typeof info.region === 'string' &&
    typeof info.accepting === 'boolean' &&
    Number.isSafeInteger(info.connections) &&
    info.connections! >= 0
  return isWhole ? (info as NodeInfo) : undefined
}

/** Takes `state swept beatAt info` apart; undefined for one that cannot be believed, or of a version not known here. */
function parseLease(place: string, lease: string, now: number, read: ReadInfo): NodeView | undefined {
  const found = /^(live|expired|released) ([01]) (\d+) (.*)$/.exec(lease)
  if (found === null) return undefined
  const [, state, swept, beatAt, text] = found as unknown as [string, NodeView['state'], string, string, string]
  const { node, generation } = splitPlace(place)
  try {
    const info = read(node, text)
    if (info === undefined || !Number.isSafeInteger(generation)) return undefined
    return {
      node,
      generation,
      state,
      swept: swept === '1',
      beatAt: Number(beatAt),
      beatAgeMs: now - Number(beatAt),
      info,
    }
  } catch {
    return undefined
  }
}
