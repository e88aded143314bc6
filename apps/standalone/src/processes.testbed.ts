/** For tests: a gateway, the API and a worker as processes of their own, as in a fleet, and whatever they have said. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generateTokenKey } from '@flotilla/api'
import { generateSecretKey } from '@flotilla/service'
import {
  dropFolder,
  freePort,
  makeFolder,
  type StartedProcess,
  startMailSink,
  startProcess,
  startRedis,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'

export const parts = ['gateway', 'api', 'worker'] as const
export type Part = (typeof parts)[number]

export interface Processes {
  readonly database: TestDatabase
  /** Where the API is: `http://127.0.0.1:…` */
  readonly url: string
  /** Keys and passwords that the processes were given. */
  readonly secrets: readonly string[]
  /** Every mail, as it came. */
  readonly mails: readonly string[]
  metrics(part: Part): Promise<string>
  /** All that the process has written. */
  log(part: Part): string
  stop(): Promise<void>
}

/** @param settings for all three, beyond those that they need */
export async function startProcesses(settings: Readonly<Record<string, string>> = {}): Promise<Processes> {
  const [database, redis, smtp] = await Promise.all([testDatabase(), startRedis(), startMailSink()])
  const keys = {
    MASTER_KEYS: generateSecretKey('master'),
    TICKET_KEYS: generateSecretKey('ticket'),
    REFRESH_KEYS: generateSecretKey('refresh'),
    TOKEN_KEYS: generateTokenKey(),
  }
  const root = makeFolder('fleet')
  const socketPort = await freePort()
  const started: { part: Part; process: StartedProcess; folder: string; operator: string }[] = []
  let apiPort = 0
  for (const part of parts) {
    const folder = makeFolder(part)
    const [port, operatorPort] = [part === 'gateway' ? socketPort : await freePort(), await freePort()]
    if (part === 'api') apiPort = port
    const operator = `http://127.0.0.1:${operatorPort}`
    const process_ = await startProcess({
      command: process.execPath,
      args: ['--conditions=source', fileURLToPath(new URL(`../../${part}/src/main.ts`, import.meta.url))],
      folder,
      env: {
        ...keys,
        DATABASE_URL: database.url,
        REDIS_URL: redis.url,
        HOST: '127.0.0.1',
        PORT: String(port),
        OPERATOR_HOST: '127.0.0.1',
        OPERATOR_PORT: String(operatorPort),
        NODE_ID: `${part}-1`,
        REGION: 'here',
        // Who may write to whom is not what these tests are about.
        DIRECT_FROM: 'anyone',
        PUBLIC_URL: part === 'gateway' ? `ws://127.0.0.1:${port}/v1/socket` : `http://127.0.0.1:${port}`,
        STORAGE_FOLDER: join(root, 'files'),
        SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
        MAIL_FROM: 'Harbour <noreply@harbour.example>',
        // On a busy machine every process is late now and then.
        EVENT_LOOP_DELAY_MS_MAX: '60000',
        DRAIN_MS: '0',
        DRAIN_WAIT_MS: '0',
        ...settings,
      },
      ready: async () => (await fetch(`${operator}/readyz`)).ok,
    })
    started.push({ part, process: process_, folder, operator })
  }
  const find = (part: Part) => started.find(one => one.part === part)!
  return {
    database,
    url: `http://127.0.0.1:${apiPort}`,
    secrets: Object.values(keys).flatMap(key => [key, key.replace(/^\w+:/, '')]),
    mails: smtp.mails,
    metrics: async part => (await fetch(`${find(part).operator}/metrics`)).text(),
    log: part => readFileSync(join(find(part).folder, 'log'), 'utf8'),
    async stop() {
      await Promise.all(started.map(({ process: one }) => one.end('SIGTERM')))
      await smtp.close()
      await redis.stop()
      await database.drop()
      for (const { folder } of started) dropFolder(folder)
      dropFolder(root)
    },
  }
}
