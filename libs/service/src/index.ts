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
  requiredSecret,
  requiredUrl,
  type Setting,
  type Settings,
  secret,
  text,
  type Values,
} from './config.ts'
export { type DrainOptions, type DrainStep, drainOnSignal } from './drain.ts'
export { type Health, serveHealth } from './health.ts'
export { createLogger, type Logger, silentLogger } from './logger.ts'
export { Counter, createRegistry, Gauge, Histogram, latencyBucketsSeconds, Registry } from './metrics.ts'
export { schemaSettings } from './schema-settings.ts'
export { type StoragePlace, storageSettings, toStoragePlace } from './storage-settings.ts'
export { openTracing, type TracedPart, type TraceEntry, type Tracing, tracingSettings } from './tracing.ts'
export {
  generateSecretKey,
  parseSecretKeys,
  type SecretKey,
  signTicket,
  type Ticket,
  ticketLifeMs,
  verifyTicket,
} from './ticket.ts'
