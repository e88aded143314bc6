/** Node leases inside one process. Shared by all nodes of the process. Ages are by its monotonic clock. */
import type { Clock } from './clock.ts'
import { type Leases, type NodeInfo, type NodeView, placeOf } from './leases.ts'

interface Lease {
  readonly node: string
  readonly generation: number
  info: NodeInfo
  state: NodeView['state']
  swept: boolean
  beatAt: number
}

export function createMemoryLeases(clock: Clock): Leases {
  const leases = new Map<string, Lease>()
  let lastBeat: number | undefined

  return {
    async acquire(node, info, above) {
      const now = clock.steady()
      let generation = Math.max(clock.now(), above + 1)
      for (const lease of leases.values()) {
        if (lease.node !== node) continue
        generation = Math.max(generation, lease.generation + 1)
        if (lease.state === 'live') lease.state = 'expired'
      }
      leases.set(placeOf(node, generation), { node, generation, info, state: 'live', swept: false, beatAt: now })
      return generation
    },
    async beat(place, info, leaseMs) {
      const now = clock.steady()
      const amnesty = lastBeat !== undefined && now - lastBeat > (leaseMs * 2) / 3
      lastBeat = now
      let held = false
      const nodes: NodeView[] = []
      for (const [name, lease] of leases) {
        const age = now - lease.beatAt
        if (lease.state === 'live') {
          if (age > leaseMs && !amnesty) lease.state = 'expired'
          else if (name === place) {
            lease.beatAt = now
            lease.info = info
            held = true
          } else if (amnesty) lease.beatAt = now
        }
        if (lease.state !== 'live' && lease.swept && age > leaseMs * 6) leases.delete(name)
        else nodes.push({ ...lease, beatAgeMs: now - lease.beatAt })
      }
      return { held, nodes }
    },
    async release(place) {
      const lease = leases.get(place)
      if (lease?.state !== 'live') return
      lease.state = 'released'
      lease.beatAt = clock.steady()
    },
    async swept(place) {
      const lease = leases.get(place)
      if (lease !== undefined) lease.swept = true
    },
  }
}
