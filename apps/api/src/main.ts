/** The process of the API: settings, parts, signals. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ChatContext, createChat, createPool, offline, prepareSchema } from '@flotilla/chat'
import { openStorage } from '@flotilla/files'
import { createNode, createRedisRouting, portsWithoutSockets, type RoutingNode } from '@flotilla/routing'
import {
  createLogger,
  createRegistry,
  type DrainStep,
  drainOnSignal,
  measureProcess,
  openTracing,
  readCommandLine,
  serveHealth,
  settingsOrEnd,
  socketsMax,
  toStoragePlace,
  toBudgets,
} from '@flotilla/service'
import { buildApp } from './app.ts'
import { toBounds } from './bound-settings.ts'
import { readApiSettings, toApiSettings } from './config.ts'
import { toRegistration } from './registration-settings.ts'
import { loadCountries } from './regions.ts'

readCommandLine({
  usage: 'node apps/api/dist/main.js',
  about: 'The API: signs people in, names the gateways, and does over REST what needs no socket.',
  settings: 'API',
})
const settings = settingsOrEnd(readApiSettings)
const logger = createLogger('api', settings.LOG_LEVEL)
const registry = createRegistry({ node: settings.NODE_ID, region: settings.REGION })
let chat: ChatContext | undefined
let listening = false
let draining = false
const applicationName = `flotilla-api ${settings.NODE_ID}`
let waitsFor = 'starting'

function unready(): string | undefined {
  if (draining) return 'draining'
  if (!listening) return waitsFor
  return chat?.pulse.unready()
}

const storagePlace = toStoragePlace(settings)
const steps: DrainStep[] = []
drainOnSignal({
  logger,
  drainMsMax: settings.DRAIN_WAIT_MS + settings.REQUEST_MS_MAX + 15_000,
  steps,
})
const health = await serveHealth({
  host: settings.OPERATOR_HOST,
  port: settings.OPERATOR_PORT,
  registry,
  ready: unready,
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
const routing = await createRedisRouting({ url: settings.REDIS_URL, fleetKeys: settings.MASTER_KEYS, logger })
const tracing = await openTracing({
  url: settings.TRACES_URL,
  oneIn: settings.TRACES_ONE_IN,
  name: 'api',
  node: settings.NODE_ID,
  region: settings.REGION,
  logger,
})
const storage = await openStorage(storagePlace)

const traced = tracing === undefined ? {} : { trace: tracing.trace }

/** The domain and the way to the nodes know each other only here. The API has no sockets: all that is for others. */
async function join(): Promise<{ chat: ChatContext; node: RoutingNode }> {
  const chat = await createChat({
    pool,
    masterKeys: settings.MASTER_KEYS,
    settings: {
      deploymentName: settings.DEPLOYMENT_NAME,
      mail: settings.MAIL,
      ...toRegistration(settings),
      ...toBounds(settings),
      securityMailWindowMs: settings.SECURITY_MAIL_WINDOW_MS,
      searchesAtOnceMax: settings.SEARCHES_AT_ONCE_MAX,
      largeConversationMin: settings.LARGE_CONVERSATION_MIN,
      personPoolPercent: settings.DATABASE_PERSON_PERCENT,
      ...toBudgets(settings),
    },
    logger,
    presumedAbsent: users => node.presumedAbsent(users),
    ...traced,
    spendAll: charges => node.budgets.spendAll(charges),
    emit: ({ event, ...place }) => void node.route([{ frame: JSON.stringify(event), ...place }]),
  })
  const node = createNode({
    id: settings.NODE_ID,
    store: routing,
    logger,
    ...traced,
    info: () => ({ kind: 'api', url: '', region: settings.REGION, connections: 0, accepting: false }),
    ports: portsWithoutSockets(
      absences =>
        void offline
          .note(chat, absences)
          .catch((error: unknown) => logger.warn({ err: error }, 'unable to note who was not reached')),
    ),
  })
  return { chat, node }
}

const joined = await join()
chat = joined.chat
await joined.node.start()
measureProcess(registry, { pool, ...joined })
const app = buildApp({
  ...joined,
  keys: { token: settings.TOKEN_KEYS, refresh: settings.REFRESH_KEYS, ticket: settings.TICKET_KEYS },
  storage,
  settings: toApiSettings(settings),
  logger,
  registry,
  ready: unready,
  random: Math.random,
  countryOf: loadCountries(settings.GEO_DATA_FOLDER),
})

// What is beyond is closed at once, so that the operator port and the stores keep their files.
app.server.maxConnections = socketsMax(settings.DATABASE_CONNECTIONS_MAX)

steps.push(
  {
    name: 'proxies notice',
    run: async () => {
      draining = true
      await sleep(settings.DRAIN_WAIT_MS)
    },
  },
  { name: 'requests', run: () => app.close() },
  { name: 'chat', run: () => joined.chat.close() },
  { name: 'node', run: () => joined.node.stop() },
  { name: 'redis', run: () => routing.close() },
  { name: 'files', run: async () => storage.close() },
  { name: 'postgresql', run: () => pool.end() },
  { name: 'traces', run: () => tracing?.close() },
  { name: 'operator port', run: () => health.close() },
)

await app.listen({ host: settings.HOST, port: settings.PORT })
listening = true
logger.info({ port: settings.PORT, node: settings.NODE_ID, region: settings.REGION }, 'the API takes requests')
