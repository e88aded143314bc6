/**
 * Takes away what a dead place left behind: its people, its watches, its interests. Every node sees a lease end, one
 * claims the sweep; a claim runs out, so a sweeper that crashes is succeeded. Two who sweep at the same time do no harm:
 * each entry goes once, and who took it away tells the watchers.
 */
import type { Clock } from './clock.ts'
import type { Counters } from './counters.ts'
import type { Leases } from './leases.ts'
import type { RoutingLogger } from './logger.ts'
import { type Kind, kinds, type Whereabouts } from './whereabouts.ts'

export interface SweeperOptions {
  readonly whereabouts: Whereabouts
  readonly leases: Leases
  readonly counters: Counters
  readonly clock: Clock
  readonly logger: RoutingLogger
  /** How long a claim holds. */
  readonly claimMs: number
  /** Somebody was entered for the place, and is no more. */
  onGone(user: string): void
  onSwept(): void
}

export interface Sweeper {
  /** Sweeps a place if nobody else does. Never rejects: what fails is tried again when it is called again. */
  sweep(place: string): Promise<void>
  /** Sweeps a place of this node's own past, whoever else does. @throws on failure */
  sweepOwn(place: string): Promise<void>
}

export function createSweeper(options: SweeperOptions): Sweeper {
  const { whereabouts, clock } = options
  const underWay = new Set<string>()

  async function take(place: string, isClaimed: () => boolean): Promise<boolean> {
    for await (const chunk of whereabouts.entries(place)) {
      const names: Record<Kind, string[]> = { presence: [], watch: [], interest: [] }
      for (const { kind, name } of chunk) names[kind].push(name)
      for (const kind of kinds) {
        if (names[kind].length === 0) continue
        const left = await whereabouts.leave(kind, names[kind], place)
        if (kind === 'presence')
          names.presence.forEach((user, i) => {
            if (left[i] !== undefined) options.onGone(user)
          })
      }
      if (!isClaimed()) return false
    }
    await whereabouts.forget(place)
    await options.leases.swept(place)
    options.onSwept()
    return true
  }

  return {
    async sweep(place) {
      if (underWay.has(place)) return
      underWay.add(place)
      try {
        const claimedUntil = clock.steady() + options.claimMs
        const { count } = await options.counters.hit(`sweep:${place}`, options.claimMs)
        if (count > 1) return
        const isDone = await take(place, () => clock.steady() < claimedUntil)
        if (isDone) options.logger.info({ place }, 'dead place swept')
      } catch (error) {
        options.logger.debug({ err: error, place }, 'sweep failed')
      } finally {
        underWay.delete(place)
      }
    },
    async sweepOwn(place) {
      await take(place, () => true)
    },
  }
}
