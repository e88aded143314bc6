import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jobs, messages, scheduled } from '@flotilla/chat'
import { generateSecretKey, parseSecretKeys } from '@flotilla/service'
import {
  dropFolder,
  freePort,
  makeConversation,
  makeFolder,
  makeUsers,
  openTestChat,
  type StartedProcess,
  startProcess,
  startRedis,
  type TestChat,
  testDatabase,
  until,
} from '@flotilla/testing'
import { beforeAll, expect, test } from 'vitest'
import webpush from 'web-push'
import { type SmtpTestbed, startSmtp } from './smtp.testbed.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const masterKeys = generateSecretKey('master')
const vapid = webpush.generateVAPIDKeys()
let worker: StartedProcess
let chat: TestChat
let operatorPort: number
let smtp: SmtpTestbed

const operator = (path: string) => fetch(`http://127.0.0.1:${operatorPort}${path}`)

beforeAll(async () => {
  smtp = await startSmtp()
  const [database, redis] = await Promise.all([testDatabase(), startRedis()])
  chat = await openTestChat(database.url, { masterKeys: parseSecretKeys(masterKeys) })
  const folder = makeFolder('worker')
  operatorPort = await freePort()
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  worker = await startProcess({
    command: process.execPath,
    args: ['--conditions=source', main],
    folder,
    env: {
      OPERATOR_HOST: '127.0.0.1',
      OPERATOR_PORT: String(operatorPort),
      NODE_ID: 'worker-test',
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      MASTER_KEYS: masterKeys,
      STORAGE_FOLDER: join(folder, 'files'),
      SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
      MAIL_FROM: 'Harbour <noreply@harbour.example>',
      DEPLOYMENT_NAME: 'Harbour',
      MENTION_ALL_FREE_MAX: '2',
      MESSAGES_PER_SECOND: '1',
      FANOUT_PER_SECOND: '1',
      FANOUT_BURST: '1',
      VAPID_PUBLIC_KEY: vapid.publicKey,
      VAPID_PRIVATE_KEY: vapid.privateKey,
      VAPID_SUBJECT: 'mailto:operator@harbour.example',
      FCM_ACCOUNT: JSON.stringify({
        project_id: 'test',
        client_email: 'test@test.example',
        private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      }),
    },
    ready: async () => (await operator('/readyz')).ok,
  })
  return async () => {
    await worker.end('SIGTERM')
    await chat.close()
    await redis.stop()
    await database.drop()
    await smtp.close()
    dropFolder(folder)
  }
})

test('a job that the API leaves is done', async () => {
  const mail: jobs.Mail = { template: 'code', purpose: 'register', code: '271828', lifeMs: 600_000 }
  await jobs.add(chat.ctx, { kind: 'mail', to: 'alice@example.org', mail })
  await until(() => smtp.arrived.length === 1, { what: 'the mail arrives' })
  expect(smtp.arrived[0]!.email.text).toContain('271828')
})

test('operators see its figures', async () => {
  // A mail is counted when its job is done, which is after it has arrived.
  const metrics = await until(
    async () => {
      const text = await (await operator('/metrics')).text()
      return /flotilla_jobs_total\{.*kind="mail",outcome="done".*\} 1/.test(text) && text
    },
    { what: 'the mail is counted' },
  )
  expect(metrics).toMatch(/flotilla_pushes_in_flight\{.*\} 0/)
  expect(metrics).toMatch(/flotilla_jobs_dead\{.*\} 0/)
  expect((await operator('/healthz')).status).toBe(200)
})

test('what it posts for people is held to their budgets and to the rules of the deployment', async () => {
  const { ctx } = chat
  const [owner, bob, ...others] = (await makeUsers(ctx.pool, 40)) as [string, string, ...string[]]
  const conversation = await makeConversation(ctx.pool, [owner, bob, ...others])
  const schedule = async (by: string, body: { text: string; mentionsAll?: true }) => {
    const { id } = await scheduled.schedule(ctx, by, {
      conversation,
      clientId: randomUUID(),
      body,
      at: Date.now() + 86_400_000,
    })
    await ctx.pool.query('UPDATE scheduled_messages SET due_at = now(), attempt_at = now() WHERE id = $1', [id])
    return id
  }
  const left = async () => (await scheduled.list(ctx, bob, { limit: 10 })).scheduled
  const sent = async () =>
    (await messages.history(ctx, bob, { conversation })).entries.map(entry => 'clientId' in entry && entry.clientId)

  const forAll = await schedule(bob, { text: 'all', mentionsAll: true })
  await until(async () => (await left())[0]?.state === 'failed', { what: 'the mention of everybody is refused' })
  expect(await left()).toMatchObject([{ id: forAll, failure: 'role_insufficient' }])

  const first = await schedule(bob, { text: 'first' })
  await until(async () => (await sent()).length === 1, { what: 'the first is sent' })
  const second = await schedule(bob, { text: 'second' })
  await until(
    async () => /flotilla_scheduled_total\{.*outcome="later".*\} [1-9]/.test(await (await operator('/metrics')).text()),
    { what: 'the second is put off' },
  )
  expect(await sent()).toEqual([first])
  expect(await left()).toContainEqual(expect.objectContaining({ id: second, state: 'waiting' }))
})

test('on SIGTERM it ends by itself', async () => {
  worker.signal('SIGTERM')
  expect(await worker.exited).toBe(0)
})
