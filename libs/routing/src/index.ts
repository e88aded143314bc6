export type { Absence } from './absences.ts'
export type { Broker } from './broker.ts'
export {
  type Budget,
  type Budgets,
  type Charge,
  type Counter,
  createBudgets,
  createCounter,
  type Holding,
  isWithin,
  type Limit,
  take,
  tooOften,
} from './budgets.ts'
export { type Clock, systemClock } from './clock.ts'
export type { Counters, Hit } from './counters.ts'
export type { AsOf, Delivery, RoutedEntry, Interest } from './envelope.ts'
export type { SuspectReason } from './keeper.ts'
export { setLatest } from './latest.ts'
export type { Beat, Leases, NodeInfo, NodeView } from './leases.ts'
export type { RoutingLogger } from './logger.ts'
export type { Missed } from './missed.ts'
export { createMemoryBus, createMemoryRouting, type MemoryBus } from './memory.ts'
export {
  createNode,
  type NodeOptions,
  type NodePorts,
  type NodeStats,
  portsWithoutSockets,
  type RoutingNode,
} from './node.ts'
export { createRedisRouting, type RedisRoutingOptions } from './redis.ts'
export { checkRedisUrl, redisUrlSentence } from './redis-url.ts'
export { connectRedis, type RedisLink, type RedisLinkOptions, redisDefaults } from './redis-link.ts'
export type { RoutedFrame, TraceEntry } from './router.ts'
export { type RedisFailure, redisFailures } from './redis-failures.ts'
export { type NodeSettings, nodeDefaults } from './settings.ts'
export type { FleetKey, FleetKeys } from './seal.ts'
export type { RoutingStore } from './store.ts'
export { type Rate, TokenBucket, tokensTaken, tokensWait } from './token-bucket.ts'
export type { Kind, Places, Whereabouts } from './whereabouts.ts'
export type { PresenceChange } from './watching.ts'
