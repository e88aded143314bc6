/** The contracts as one object: what a node needs of the world. */
import type { Broker } from './broker.ts'
import type { Counters } from './counters.ts'
import type { Leases } from './leases.ts'
import type { RedisFailure } from './redis-failures.ts'
import type { Whereabouts } from './whereabouts.ts'

export interface RoutingStore {
  readonly broker: Broker
  readonly whereabouts: Whereabouts
  readonly leases: Leases
  readonly counters: Counters
  /** How often Redis answered that it would not, by why. */
  readonly refusals: Readonly<Partial<Record<RedisFailure, number>>>
  close(): Promise<void>
}
