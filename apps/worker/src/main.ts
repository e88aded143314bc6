/** The process of a worker: settings, parts, signals. */
import type { ChatContext } from '@flotilla/chat'
import { openStorage } from '@flotilla/files'
import { joinNode, startNode, toMessageSettings } from '@flotilla/node'
import { measureProcess, readCommandLine, settingsOrEnd, toBudgets, toStoragePlace } from '@flotilla/service'
import { readWorkerSettings } from './config.ts'
import { createSmtpMailer } from './mailer.ts'
import { openPushProviders } from './push-providers.ts'
import { createWorker, mailMsMax } from './worker.ts'

readCommandLine({
  usage: 'node apps/worker/dist/main.js',
  about: 'A worker: background jobs such as mail, push, erasure and clean-up.',
  settings: 'Worker',
})
const settings = settingsOrEnd(readWorkerSettings)
const storagePlace = toStoragePlace(settings)
let chat: ChatContext | undefined
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

const { endWith, logger, pool, ready, registry, routing, trace } = await startNode({
  kind: 'worker',
  settings,
  drainMsMax: settings.STOP_MS_MAX + 30_000,
})
const storage = await openStorage(storagePlace)

// It has no sockets; what it does (an erasure, say) is heard by others like everything else.
const joined = await joinNode({
  chat: {
    pool,
    masterKeys: settings.MASTER_KEYS,
    settings: {
      deploymentName: settings.DEPLOYMENT_NAME,
      mail: mailer !== undefined,
      pushNames: settings.PUSH_CONTENT === 'names',
      mentionAllToldMax: settings.MENTION_ALL_TOLD_MAX,
      pushDelayMs: settings.PUSH_DELAY_MS,
      pushCollapseMs: settings.PUSH_COLLAPSE_MS,
      pushSendMs: settings.PUSH_SEND_MS_MAX,
      pushAttemptsMax: settings.PUSH_ATTEMPTS_MAX,
      ...toBudgets(settings),
      ...toMessageSettings(settings),
    },
  },
  node: {
    id: settings.NODE_ID,
    store: routing,
    info: () => ({ kind: 'worker', url: '', region: settings.REGION, connections: 0, accepting: false }),
  },
  logger,
  trace,
})
;({ chat } = joined)
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

endWith(
  { name: 'work under way', run: () => worker.stop() },
  { name: 'chat', run: () => joined.chat.close() },
  { name: 'node', run: () => joined.node.stop() },
  { name: 'files', run: async () => storage.close() },
)
ready(() => joined.chat.pulse.unready())
logger.info({ node: settings.NODE_ID, region: settings.REGION }, 'worker started')
