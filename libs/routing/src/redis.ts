/** The whole store in Redis. */
import { createRedisBroker } from './broker-redis.ts'
import { type Clock, systemClock } from './clock.ts'
import { createRedisCounters } from './counters-redis.ts'
import { createRedisLeases } from './leases-redis.ts'
import { connectRedis, type RedisLinkOptions } from './redis-link.ts'
import { createSeal, type FleetKeys } from './seal.ts'
import type { RoutingStore } from './store.ts'
import { createRedisWhereabouts } from './whereabouts-redis.ts'

export interface RedisRoutingOptions extends RedisLinkOptions {
  readonly fleetKeys: FleetKeys
  readonly clock?: Clock
}

/** Opens the store of one node. Redis need not be there yet. */
export async function createRedisRouting(options: RedisRoutingOptions): Promise<RoutingStore> {
  const link = await connectRedis(options)
  const seal = createSeal(options.fleetKeys)
  const broker = createRedisBroker(link, seal, options.clock ?? systemClock, options.logger)
  return {
    broker,
    whereabouts: createRedisWhereabouts(link),
    leases: createRedisLeases(link, seal, options.logger),
    counters: createRedisCounters(link),
    refusals: link.refusals,
    async close() {
      await broker.close()
      await link.close()
    },
  }
}
