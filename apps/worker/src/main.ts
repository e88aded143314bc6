/** The process of a worker: settings, parts, signals. */
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
  toStoragePlace,
} from '@flotilla/service'
import { readWorkerSettings } from './config.ts'
import { createSmtpMailer } from './mailer.ts'
import { openPushProviders } from './push-providers.ts'
import { createWorker, mailMsMax } from './worker.ts'

readCommandLine({
  usage: 'node apps/worker/dist/main.js',
  about: 'A worker: does what may happen later, such as mail, push, erasure and clean-up.',
  settings: 'Worker',
})
const settings = settingsOrEnd(readWorkerSettings)
const logger = createLogger('worker', settings.LOG_LEVEL)
const registry = createRegistry({ node: settings.NODE_ID, region: settings.REGION })
let chat: ChatContext | undefined
let working = false
let draining = false
const applicationName = `flotilla-worker ${settings.NODE_ID}`
let waitsFor = 'starting'

function unready(): string | undefined {
  if (draining) return 'draining'
  if (!working) return waitsFor
  return chat?.pulse.unready()
}

const storagePlace = toStoragePlace(settings)
const mailer =
  settings.SMTP_URL === undefined
    ? undefined
    : createSmtpMailer({
        url: settings.SMTP_URL,
        from: settings.MAIL_FROM,
        connectionsMax: settings.MAILS_AT_ONCE_MAX,
        mailMsMax,
      })
const pushProviders = await openPushProviders({
  fcm: settings.FCM_ACCOUNT,
  vapid: {
    publicKey: settings.VAPID_PUBLIC_KEY,
    privateKey: settings.VAPID_PRIVATE_KEY,
    subject: settings.VAPID_SUBJECT,
  },
  limits: { sendMs: settings.PUSH_SEND_MS_MAX, ttlMs: settings.PUSH_TTL_MS, publicName: settings.DEPLOYMENT_NAME },
  clock: () => chat?.clock() ?? Date.now(),
})

const steps: DrainStep[] = []
drainOnSignal({
  logger,
  drainMsMax: settings.STOP_MS_MAX + 30_000,
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
  name: 'worker',
  node: settings.NODE_ID,
  region: settings.REGION,
  logger,
})
const storage = await openStorage(storagePlace)

const traced = tracing === undefined ? {} : { trace: tracing.trace }

/** As in the API: a worker has no sockets, and what it does (an erasure, say) is heard by others like everything else. */
async function join(): Promise<{ chat: ChatContext; node: RoutingNode }> {
  const chat = await createChat({
    pool,
    masterKeys: settings.MASTER_KEYS,
    settings: {
      deploymentName: settings.DEPLOYMENT_NAME,
      mail: mailer !== undefined,
      pushNames: settings.PUSH_CONTENT === 'names',
      pushDelayMs: settings.PUSH_DELAY_MS,
      pushCollapseMs: settings.PUSH_COLLAPSE_MS,
      pushSendMs: settings.PUSH_SEND_MS_MAX,
      pushAttemptsMax: settings.PUSH_ATTEMPTS_MAX,
    },
    logger,
    presumedAbsent: users => node.presumedAbsent(users),
    ...traced,
    emit: ({ event, ...place }) => void node.route([{ frame: JSON.stringify(event), ...place }]),
  })
  const node = createNode({
    id: settings.NODE_ID,
    store: routing,
    logger,
    ...traced,
    info: () => ({ kind: 'worker', url: '', region: settings.REGION, connections: 0, accepting: false }),
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
const worker = createWorker({
  chat,
  mailer,
  pushProviders,
  storage,
  publicName: settings.DEPLOYMENT_NAME,
  logger,
  registry,
  random: Math.random,
  settings: {
    jobsAtOnceMax: settings.JOBS_AT_ONCE_MAX,
    pushesInFlightMax: settings.PUSHES_IN_FLIGHT_MAX,
    stopMsMax: settings.STOP_MS_MAX,
  },
})

steps.push(
  {
    name: 'work under way',
    run: () => {
      draining = true
      return worker.stop()
    },
  },
  { name: 'chat', run: () => joined.chat.close() },
  { name: 'node', run: () => joined.node.stop() },
  { name: 'redis', run: () => routing.close() },
  { name: 'postgresql', run: () => pool.end() },
  { name: 'files', run: async () => storage.close() },
  { name: 'traces', run: () => tracing?.close() },
  { name: 'operator port', run: () => health.close() },
)

working = true
logger.info({ node: settings.NODE_ID, region: settings.REGION }, 'the worker works')
