/** The process of the API: settings, parts, signals. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openStorage } from '@flotilla/files'
import { joinNode, startNode } from '@flotilla/node'
import {
  measureProcess,
  readCommandLine,
  settingsOrEnd,
  socketsMax,
  toBudgets,
  toStoragePlace,
} from '@flotilla/service'
import { buildApp } from './build-app.ts'
import { toBounds } from './http/bound-settings.ts'
import { readApiSettings, toApiSettings } from './config.ts'
import { toRegistration } from './sign-in/registration-settings.ts'
import { loadCountries } from './regions/regions.ts'

readCommandLine({
  usage: 'node apps/api/dist/main.js',
  about: 'The API: sign-in, gateway look-up, and everything over REST that needs no socket.',
  settings: 'API',
})
const settings = settingsOrEnd(readApiSettings)
const storagePlace = toStoragePlace(settings)
const { endWith, logger, pool, ready, registry, routing, trace, unready } = await startNode({
  kind: 'api',
  settings,
  drainMsMax: settings.DRAIN_WAIT_MS + settings.REQUEST_MS_MAX + 15_000,
})
const storage = await openStorage(storagePlace)

// The API has no sockets: whatever is told is for others.
const joined = await joinNode({
  chat: {
    pool,
    masterKeys: settings.MASTER_KEYS,
    settings: {
      deploymentName: settings.DEPLOYMENT_NAME,
      mail: settings.MAIL,
      ...toRegistration(settings),
      ...toBounds(settings),
      securityMailWindowMs: settings.SECURITY_MAIL_WINDOW_MS,
      searchesAtOnceMax: settings.SEARCHES_AT_ONCE_MAX,
      personPoolPercent: settings.DATABASE_PERSON_PERCENT,
      ...toBudgets(settings),
    },
  },
  node: {
    id: settings.NODE_ID,
    store: routing,
    info: () => ({ kind: 'api', url: '', region: settings.REGION, connections: 0, accepting: false }),
  },
  logger,
  trace,
})
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

endWith(
  { name: 'proxies notice', run: () => sleep(settings.DRAIN_WAIT_MS) },
  { name: 'requests', run: () => app.close() },
  { name: 'chat', run: () => joined.chat.close() },
  { name: 'node', run: () => joined.node.stop() },
  { name: 'files', run: async () => storage.close() },
)
await app.listen({ host: settings.HOST, port: settings.PORT })
ready(() => joined.chat.pulse.unready())
logger.info({ port: settings.PORT, node: settings.NODE_ID, region: settings.REGION }, 'api started')
