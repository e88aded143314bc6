/** The process of a gateway: settings, parts, signals. */
import { startNode, toMessageSettings } from '@flotilla/node'
import { measureProcess, readCommandLine, settingsOrEnd, socketsMax, toBudgets } from '@flotilla/service'
import { readGatewaySettings } from './config.ts'
import { keepDeletionCost } from './deletion-cost.ts'
import { createGateway } from './gateway.ts'

readCommandLine({
  usage: 'node apps/gateway/dist/main.js',
  about: 'A gateway: holds the sockets of clients. Serves /healthz, /readyz and /metrics on its operator port.',
  settings: 'Gateway',
})
const settings = settingsOrEnd(readGatewaySettings)
const { endWith, logger, pool, ready, registry, routing, trace } = await startNode({
  kind: 'gateway',
  settings,
  drainMsMax: settings.DRAIN_MS + 15_000,
})
const gateway = await createGateway({
  pool,
  routing,
  logger,
  registry,
  masterKeys: settings.MASTER_KEYS,
  ticketKeys: settings.TICKET_KEYS,
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
  ...(trace === undefined ? {} : { trace }),
  chat: {
    commitWindowMs: settings.COMMIT_WINDOW_MS,
    personPoolPercent: settings.DATABASE_PERSON_PERCENT,
    ...toBudgets(settings),
    ...toMessageSettings(settings),
  },
})
measureProcess(registry, { pool, ...gateway })
const deletionCost = settings.DELETION_COST
  ? keepDeletionCost({
      pod: settings.POD_NAME,
      namespace: settings.POD_NAMESPACE,
      host: settings.KUBERNETES_SERVICE_HOST,
      port: settings.KUBERNETES_SERVICE_PORT,
      folder: settings.SERVICE_ACCOUNT_FOLDER,
      connections: () => gateway.connections(),
      logger,
    })
  : undefined
endWith({ name: 'deletion cost', run: () => deletionCost?.stop() }, { name: 'gateway', run: () => gateway.drain() })
ready(() => gateway.unready())
