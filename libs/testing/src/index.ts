export { type Awake, watchAwake } from './awake.ts'
export { bundle } from './bundle.ts'
export { checkAgainstStore, type Crowd, type CrowdOptions, readHeads, settle, startCrowd } from './crowd.ts'
export { makeStages, sayEveryKind, type Stages } from './every-kind.ts'
export { FoldedViews } from './folded-views.ts'
export { type Certificate, makeCertificate } from './certificate.ts'
export { findChromium, openBrowser } from './chromium.ts'
export { type Cast, type CastMember, type CastRole, castRoles, makeCast } from './cast.ts'
export { freshDatabase, migrated, type TemplateContent, type TestDatabase, testDatabase } from './databases.ts'
export type { Direction } from './fault-lane.ts'
export {
  type FaultProxy,
  type FaultProxyOptions,
  type ProxiedConnection,
  type Shape,
  startFaultProxy,
  type Trap,
  type Which,
} from './fault-proxy.ts'
export { type Fleet, type FleetNode, type FleetOptions, projectRoot, startFleet } from './fleet.ts'
export { type Gaps, percentile, watchGaps } from './gaps.ts'
export {
  History,
  type HistoryRecord,
  type MembershipChange,
  type SeenEntry,
  type SeenReceipt,
  type Send,
} from './history.ts'
export { checkHistory, type Promised, type Violation } from './history-checker.ts'
export { type MailSink, startMailSink } from './mail-sink.ts'
export {
  makeConversation,
  makeConversations,
  makeLarge,
  makePeople,
  makeSessions,
  makeUsers,
  type Person,
  type PlannedConversation,
} from './population.ts'
export { type DebianProgram, unpackDebian } from './debian-packages.ts'
export { findPgBouncer, type PgBouncer, type PoolMode, startPgBouncer } from './pgbouncer.ts'
export { findPostgres, type PostgresOptions, type PostgresServer, startPostgres, type StopMode } from './postgres.ts'
export { type OldVersion, openOldVersion, versionBefore } from './old-version.ts'
export { type NarrowLine, startNarrowLine } from './narrow-line.ts'
export { freePort, type ProcessOptions, type StartedProcess, startProcess } from './processes.ts'
export { dropFolder, makeFolder } from './reaper.ts'
export {
  type RedisCluster,
  type RedisClusterOptions,
  type RedisOptions,
  type RedisServer,
  startRedis,
  startRedisCluster,
  type TestRedis,
  testRedis,
} from './redis.ts'
export { findRedis, type RedisProgram } from './redis-program.ts'
export { type RedisSentinels, startRedisSentinels } from './redis-sentinel.ts'
export { sharedPostgres } from './servers.ts'
export { isLong, type Stage, scale, setStage } from './stage.ts'
export { type StandaloneProcess, startStandaloneProcess } from './standalone-process.ts'
export {
  type Closed,
  connectSocket,
  type Fields,
  type Frame,
  RequestError,
  SocketClosedError,
  type SocketOptions,
  type TestSocket,
} from './socket-client.ts'
export { clocksMissing, makeSteppedClock, type SteppedClock } from './stepped-clock.ts'
export { type ComposedStage, setComposedStage } from './composed/composed-stage.ts'
export { type ComposedOptions, type ComposedReport, runComposed } from './composed/composed.ts'
export { dumpStore, type ReadBody, type StoreDump } from './store-dump.ts'
export { openTestChat, type TestChat } from './test-chat.ts'
export {
  type Climbed,
  climb,
  noteFirstMessages,
  noteKeys,
  sendAndLook,
  type SentAndSeen,
  switchTo,
} from './timeline-measures.ts'
export { type CollectedSpan, startTraceCollector, type TraceCollector } from './trace-collector.ts'
export { until, type UntilOptions } from './until.ts'
