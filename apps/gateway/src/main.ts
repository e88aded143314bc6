/** The process of a gateway: settings, parts, signals. */
import { createPool, migrate } from '@flotilla/chat'
import { createRedisRouting } from '@flotilla/routing'
import {
  createLogger,
  createRegistry,
  drainOnSignal,
  measureProcess,
  parseSecretKeys,
  serveHealth,
} from '@flotilla/service'
import { readGatewaySettings } from './config.ts'
import { createGateway, type Gateway } from './gateway.ts'

const settings = readGatewaySettings()
const logger = createLogger('gateway', settings.LOG_LEVEL)
const registry = createRegistry({ node: settings.NODE_ID, region: settings.REGION })
let gateway: Gateway | undefined

const health = await serveHealth({
  host: settings.OPERATOR_HOST,
  port: settings.OPERATOR_PORT,
  registry,
  ready: () => (gateway === undefined ? 'starting' : gateway.unready()),
})
await migrate(settings.DATABASE_URL)
const pool = createPool({
  url: settings.DATABASE_URL,
  connectionsMax: settings.DATABASE_CONNECTIONS_MAX,
  logger,
  applicationName: `flotilla-gateway ${settings.NODE_ID}`,
})
const routing = await createRedisRouting({ url: settings.REDIS_URL, logger })

drainOnSignal({
  logger,
  drainMsMax: settings.DRAIN_MS + 15_000,
  steps: [
    { name: 'gateway', run: () => gateway?.drain() },
    { name: 'redis', run: () => routing.close() },
    { name: 'postgresql', run: () => pool.end() },
    { name: 'operator port', run: () => health.close() },
  ],
})

gateway = await createGateway({
  pool,
  routing,
  logger,
  registry,
  masterKeys: parseSecretKeys(settings.MASTER_KEYS),
  ticketKeys: parseSecretKeys(settings.TICKET_KEYS),
  nodeId: settings.NODE_ID,
  region: settings.REGION,
  publicUrl: settings.PUBLIC_URL,
  host: settings.HOST,
  port: settings.PORT,
  connectionsMax: settings.CONNECTIONS_MAX,
  connectsPerSecond: settings.CONNECTS_PER_SECOND,
  commandsPerSecond: settings.COMMANDS_PER_SECOND,
  commandsBurst: settings.COMMANDS_BURST,
  commandsInFlightMax: settings.COMMANDS_IN_FLIGHT_MAX,
  sendQueueBytesMax: settings.SEND_QUEUE_BYTES_MAX,
  pingIntervalMs: settings.PING_INTERVAL_MS,
  reconnect: { baseMs: settings.RECONNECT_BASE_MS, maxMs: settings.RECONNECT_MAX_MS },
  drainMs: settings.DRAIN_MS,
  allowedOrigins: settings.ALLOWED_ORIGINS,
  chat: { commitWindowMs: settings.COMMIT_WINDOW_MS },
})
measureProcess(registry, { pool, ...gateway })
