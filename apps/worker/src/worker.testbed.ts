/** For the fault test: a worker as a process that can be killed, with FCM on the test's own service. */
import { connect } from 'node:net'
import { createChat, createPool } from '@flotilla/chat'
import { createLogger, createRegistry, drainOnSignal, parseSecretKeys, serveHealth } from '@flotilla/service'
import { fakeCredential } from './fcm.testbed.ts'
import { createFcm } from './push-fcm.ts'
import { createWorker, type WorkerSettings } from './worker.ts'

/** Numbers of the domain and of the worker. */
export interface WorkerTestbed {
  readonly databaseUrl: string
  readonly masterKeys: string
  readonly fcmPort: number
  readonly operatorPort: number
  /** What its connections to PostgreSQL are called. */
  readonly name?: string
  readonly sendMs: number
  readonly chat: Readonly<Record<string, unknown>>
  readonly worker: Partial<WorkerSettings>
}

const options = JSON.parse(process.env['WORKER_TESTBED'] ?? '{}') as WorkerTestbed
const logger = createLogger('worker', 'warn')
const registry = createRegistry({})
const pool = createPool({
  url: options.databaseUrl,
  connectionsMax: 8,
  logger,
  applicationName: options.name ?? 'worker',
})
const chat = await createChat({
  pool,
  masterKeys: parseSecretKeys(options.masterKeys),
  logger,
  settings: options.chat,
  presumedAbsent: () => [],
  emit() {},
})
const fcm = await createFcm({
  serviceAccount: { projectId: 'test' },
  limits: { sendMs: options.sendMs, ttlMs: 60_000, publicName: 'Harbour' },
  clock: Date.now,
  testbed: { credential: fakeCredential, connect: () => connect(options.fcmPort, '127.0.0.1') },
})
const worker = createWorker({
  chat,
  mailer: undefined,
  pushProviders: [fcm],
  storage: { remove: () => Promise.resolve() },
  publicName: 'Harbour',
  logger,
  registry,
  random: Math.random,
  settings: options.worker,
})
const health = await serveHealth({ host: '127.0.0.1', port: options.operatorPort, registry, ready: () => undefined })

drainOnSignal({
  logger,
  drainMsMax: 30_000,
  steps: [
    { name: 'worker', run: () => worker.stop() },
    { name: 'chat', run: () => chat.close() },
    { name: 'postgresql', run: () => pool.end() },
    { name: 'operator port', run: () => health.close() },
  ],
})
