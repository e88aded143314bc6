/** The process of a gateway: settings, parts, signals. */
import { createPool, prepareSchema } from '@flotilla/chat'
import { createRedisRouting } from '@flotilla/routing'
import {
  createLogger,
  createRegistry,
  type DrainStep,
  drainOnSignal,
  measureProcess,
  openTracing,
  parseSecretKeys,
  readCommandLine,
  serveHealth,
  settingsOrEnd,
  socketsMax,
  toBudgets,
} from '@flotilla/service'
import { readGatewaySettings } from './config.ts'
import { keepDeletionCost } from './deletion-cost.ts'
import { createGateway, type Gateway } from './gateway.ts'

readCommandLine({
  usage: 'node apps/gateway/dist/main.js',
  about: 'A gateway: holds the sockets of clients. Answers /healthz, /readyz and /metrics on its operator port.',
  settings: 'Gateway',
})
const settings = settingsOrEnd(readGatewaySettings)
const masterKeys = settingsOrEnd(() => parseSecretKeys(settings.MASTER_KEYS))
const ticketKeys = settingsOrEnd(() => parseSecretKeys(settings.TICKET_KEYS))
const logger = createLogger('gateway', settings.LOG_LEVEL)
const registry = createRegistry({ node: settings.NODE_ID, region: settings.REGION })
const applicationName = `flotilla-gateway ${settings.NODE_ID}`
let waitsFor = 'starting'
let gateway: Gateway | undefined

const steps: DrainStep[] = []
drainOnSignal({ logger, drainMsMax: settings.DRAIN_MS + 15_000, steps })
const health = await serveHealth({
  host: settings.OPERATOR_HOST,
  port: settings.OPERATOR_PORT,
  registry,
  ready: () => (gateway === undefined ? waitsFor : gateway.unready()),
})
await prepareSchema({
  url: settings.DATABASE_URL,
  migrates: settings.MIGRATE,
  waitMsMax: settings.MIGRATE_WAIT_MS,
  logger,
  onWait: reason => (waitsFor = reason),
  applicationName,
})
waitsFor = 'starting'
const pool = createPool({
  url: settings.DATABASE_URL,
  connectionsMax: settings.DATABASE_CONNECTIONS_MAX,
  logger,
  applicationName,
})
const routing = await createRedisRouting({ url: settings.REDIS_URL, fleetKeys: masterKeys, logger })
const tracing = await openTracing({
  url: settings.TRACES_URL,
  oneIn: settings.TRACES_ONE_IN,
  name: 'gateway',
  node: settings.NODE_ID,
  region: settings.REGION,
  logger,
})
const started = await createGateway({
  pool,
  routing,
  logger,
  registry,
  masterKeys,
  ticketKeys,
  nodeId: settings.NODE_ID,
  region: settings.REGION,
  publicUrl: settings.PUBLIC_URL,
  host: settings.HOST,
  port: settings.PORT,
  connectionsMax: settings.CONNECTIONS_MAX,
  socketsMax: socketsMax(settings.DATABASE_CONNECTIONS_MAX),
  connectsPerSecond: settings.CONNECTS_PER_SECOND,
  commandsPerSecond: settings.COMMANDS_PER_SECOND,
  commandsBurst: settings.COMMANDS_BURST,
  commandsInFlightMax: settings.COMMANDS_IN_FLIGHT_MAX,
  sendQueueBytesMax: settings.SEND_QUEUE_BYTES_MAX,
  sendQueuesBytesMax: settings.SEND_QUEUES_BYTES_MAX,
  readStallMsMax: settings.READ_STALL_MS,
  connectionsPerSessionMax: settings.CONNECTIONS_PER_SESSION_MAX,
  connectionsPerPersonMax: settings.CONNECTIONS_PER_PERSON_MAX,
  connectsPerPersonMax: settings.CONNECTS_PER_PERSON_MAX,
  connectsPerAddressMax: settings.CONNECTS_PER_ADDRESS_MAX,
  socketsPerAddressMax: settings.SOCKETS_PER_ADDRESS_MAX,
  trustedProxies: settings.TRUSTED_PROXIES,
  addressHeader: settings.ADDRESS_HEADER,
  refreshesPerSecond: settings.REFRESHES_PER_SECOND,
  pingIntervalMs: settings.PING_INTERVAL_MS,
  reconnect: { baseMs: settings.RECONNECT_BASE_MS, maxMs: settings.RECONNECT_MAX_MS },
  drainMs: settings.DRAIN_MS,
  shed: { abovePercent: settings.SHED_ABOVE_PERCENT, percentPerSecond: settings.SHED_PERCENT_PER_SECOND },
  allowedOrigins: settings.ALLOWED_ORIGINS,
  ...(tracing === undefined ? {} : { trace: tracing.trace }),
  chat: {
    commitWindowMs: settings.COMMIT_WINDOW_MS,
    largeConversationMin: settings.LARGE_CONVERSATION_MIN,
    requestMessagesMax: settings.REQUEST_MESSAGES_MAX,
    personPoolPercent: settings.DATABASE_PERSON_PERCENT,
    ...toBudgets(settings),
  },
})
measureProcess(registry, { pool, ...started })
gateway = started
const deletionCost = settings.DELETION_COST
  ? keepDeletionCost({
      pod: settings.POD_NAME,
      namespace: settings.POD_NAMESPACE,
      host: settings.KUBERNETES_SERVICE_HOST,
      port: settings.KUBERNETES_SERVICE_PORT,
      folder: settings.SERVICE_ACCOUNT_FOLDER,
      connections: () => started.connections(),
      logger,
    })
  : undefined
steps.push(
  { name: 'deletion cost', run: () => deletionCost?.stop() },
  { name: 'gateway', run: () => started.drain() },
  { name: 'redis', run: () => routing.close() },
  { name: 'postgresql', run: () => pool.end() },
  { name: 'traces', run: () => tracing?.close() },
  { name: 'operator port', run: () => health.close() },
)
