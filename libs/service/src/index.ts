export {
  type AddressHeader,
  addressHeaders,
  type Caller,
  callerNetworkOf,
  type CallerRequest,
  createCallerReader,
  networks,
} from './caller.ts'
export { budgetSettings, toBudgets } from './budget-settings.ts'
export { type Given, type Option, type Program, readCommandLine } from './command-line.ts'
export {
  parseHost,
  parseListenHost,
  parseNodeName,
  parseOrigin,
  parseOrigins,
  urlOf,
  type UrlRule,
} from './addresses.ts'
export {
  choice,
  decimal,
  describeSettings,
  flag,
  integer,
  list,
  optionalText,
  optionalUrl,
  port,
  readSettings,
  settingsOrEnd,
  requiredKeys,
  requiredUrl,
  type Setting,
  type Settings,
  secret,
  text,
  unreadSettings,
  type Values,
} from './config.ts'
export { type DrainOptions, type DrainStep, drainOnSignal } from './drain.ts'
export { checkFileLimit, fileLimit, socketsMax } from './file-limit.ts'
export { nameOf, openFolder, ownerOf, unusable } from './folder.ts'
export { type Health, serveHealth } from './health.ts'
export { type DescribedError, describeError, messageOf } from './log-errors.ts'
export { plainLines } from './log-lines.ts'
export { createLogger, type LogFields, type Logger, requestIdOf, silentLogger, withLogFields } from './logger.ts'
export {
  type Catalogue,
  Counter,
  counter,
  createRegistry,
  describeMetrics,
  gauge,
  Histogram,
  histogram,
  type Instruments,
  type Labels,
  latencyBucketsSeconds,
  type Metric,
  openMetrics,
  type Reading,
  readTogether,
  Registry,
} from './metrics.ts'
export { measureProcess, type PoolFigures, processMetrics, type RoutingFigures } from './process-metrics.ts'
export { type StoragePlace, storageSettings, toStoragePlace } from './storage-settings.ts'
export { openTracing, type TracedPart, type TraceEntry, type Tracing, tracingSettings } from './tracing.ts'
export {
  clockSkewMsMax,
  generateSecretKey,
  parseSecretKeys,
  type SecretKey,
  signTicket,
  type Ticket,
  ticketLifeMs,
  type TicketFault,
  verifyTicket,
} from './ticket.ts'
