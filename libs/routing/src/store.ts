/** The contracts as one object: what a node needs of the world. */
import type { Broker } from './broker.ts'
import type { Counters } from './counters.ts'
import type { Leases } from './leases.ts'
import type { Whereabouts } from './whereabouts.ts'

export interface RoutingStore {
  readonly broker: Broker
  readonly whereabouts: Whereabouts
  readonly leases: Leases
  readonly counters: Counters
  close(): Promise<void>
}
