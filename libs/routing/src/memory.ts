/** The whole store inside one process: for the embedded default and for tests. */
import { createMemoryBroker, type MemoryInboxes } from './broker-memory.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Counters } from './counters.ts'
import { createMemoryCounters } from './counters-memory.ts'
import type { Leases } from './leases.ts'
import { createMemoryLeases } from './leases-memory.ts'
import type { RoutingStore } from './store.ts'
import type { Whereabouts } from './whereabouts.ts'
import { createMemoryWhereabouts } from './whereabouts-memory.ts'

/** What the nodes of one process share. */
export interface MemoryBus {
  readonly inboxes: MemoryInboxes
  readonly whereabouts: Whereabouts
  readonly leases: Leases
  readonly counters: Counters
}

export function createMemoryBus(clock: Clock = systemClock): MemoryBus {
  return {
    inboxes: new Map(),
    whereabouts: createMemoryWhereabouts(),
    leases: createMemoryLeases(clock),
    counters: createMemoryCounters(clock),
  }
}

/** The store of one node on a bus. Nodes on the same bus reach each other. */
export function createMemoryRouting(bus: MemoryBus): RoutingStore {
  const { inboxes, whereabouts, leases, counters } = bus
  const broker = createMemoryBroker(inboxes)
  return { broker, whereabouts, leases, counters, refusals: {}, close: () => broker.close() }
}
