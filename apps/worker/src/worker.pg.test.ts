import { createHash, randomUUID } from 'node:crypto'
import { messages, operators, push } from '@flotilla/chat'
import { createRegistry, type Registry, silentLogger } from '@flotilla/service'
import {
  makeConversation,
  makeSessions,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
  until,
} from '@flotilla/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fakeCredential, type FcmReaction, type FcmTestbed, startFcm } from './fcm.testbed.ts'
import { createFcm } from './push-fcm.ts'
import { createWorker, type Worker, type WorkerSettings } from './worker.ts'

let database: TestDatabase
let chat: TestChat
let fcm: FcmTestbed
let react: () => FcmReaction
let registry: Registry
/** What was reported for traces: the entry's seq, the part, and what is said of it. */
let parts: { seq: number; name: string; attributes: object | undefined }[]
const workers: Worker[] = []

beforeEach(async () => {
  parts = []
  database = await testDatabase()
  chat = await openTestChat(database.url, {
    presumedAbsent: users => users,
    trace: ({ seq }, { name, attributes }) => void parts.push({ seq, name, attributes }),
    settings: { pushDelayMs: 50, pushCollapseMs: 60_000, pushSendMs: 30_000, erasureSettleMs: 0 },
  })
  react = () => 'take'
  fcm = await startFcm(() => react())
})
afterEach(async () => {
  await Promise.all(workers.splice(0).map(worker => worker.stop()))
  await fcm.close()
  await chat.close()
  await database.drop()
})

/** @param sendMs longer than a machine stands still */
async function start(settings: Partial<WorkerSettings> = {}, sendMs = 30_000): Promise<Worker> {
  registry = createRegistry({})
  const provider = await createFcm({
    serviceAccount: { projectId: 'test' },
    limits: { sendMs, ttlMs: 60_000, publicName: 'Harbour' },
    clock: Date.now,
    testbed: { credential: fakeCredential, connect: () => fcm.connect() },
  })
  const worker = createWorker({
    chat: chat.ctx,
    mailer: undefined,
    pushProviders: [provider],
    storage: { remove: () => Promise.resolve() },
    publicName: 'Harbour',
    logger: silentLogger,
    registry,
    random: Math.random,
    settings: { pollMs: { busy: 20, idle: 40 }, eraseMs: 20, ...settings },
  })
  workers.push(worker)
  return worker
}

/** Two people, of whom the second has a device. */
async function makePair() {
  const [alice, bob] = (await makeUsers(chat.ctx.pool, 2)) as [string, string]
  const conversation = await makeConversation(chat.ctx.pool, [alice, bob], 'direct')
  const [session] = await makeSessions(chat.ctx.pool, [bob])
  await chat.ctx.pool.query(
    `INSERT INTO devices (id, user_id, session_id, name, platform, provider, token, token_hash)
     VALUES ($1, $2, $3, 'phone', 'android', 'fcm', $4, $5)`,
    [randomUUID(), bob, session, `token-${bob}`, createHash('sha256').update(bob).digest()],
  )
  const say = () =>
    messages.post(chat.ctx, alice, { conversation, clientId: randomUUID(), body: { text: 'a secret thing' } })
  return { alice, bob, conversation, say }
}

test('a message to somebody who is away arrives at their device, without what it says, and leaves its trace', async () => {
  await start()
  const { bob, conversation, say } = await makePair()
  const { seq } = await say()
  await until(() => fcm.taken.length === 1, { what: 'the push arrives' })
  expect(fcm.taken[0]).toMatchObject({ token: `token-${bob}`, collapseKey: conversation, uptoSeq: seq })
  expect(JSON.stringify(fcm.taken[0])).not.toContain('secret')
  const traced = await until(
    async () => (await push.list(chat.ctx, { user: bob, state: 'sent' }, { limit: 1 })).pushes[0],
    { what: 'the trace says so' },
  )
  expect(traced.attempts).toMatchObject([{ answer: 'sent', id: 'projects/test/messages/1' }])
  await until(async () => /flotilla_pushes_total\{provider="fcm",outcome="sent"\} 1/.test(await registry.metrics()), {
    what: 'it is counted',
  })
  expect(await registry.metrics()).toMatch(/flotilla_push_seconds_count\{provider="fcm"\} 1/)
  // The push is a part of the trace of the message that it is about.
  expect(parts.filter(part => part.name === 'push')).toEqual([
    { seq, name: 'push', attributes: { 'flotilla.provider': 'fcm', 'flotilla.answer': 'sent' } },
  ])
})

test('a worker that ends waits for what is under way, and notes it', async () => {
  react = () => 'take and hang'
  const worker = await start({}, 500)
  const { bob, say } = await makePair()
  await say()
  await until(() => fcm.taken.length === 1, { what: 'the push is under way' })
  await worker.stop()
  const [traced] = (await push.list(chat.ctx, { user: bob }, { limit: 1 })).pushes
  expect(traced!.attempts).toMatchObject([{ answer: 'unclear', reason: 'timeout' }])
  await say()
  await new Promise(resolve => setTimeout(resolve, 300))
  expect(fcm.requests).toHaveLength(1)
})

test('accounts whose time is up are erased, and others hear it', async () => {
  const { alice } = await makePair()
  const { bob } = await makePair()
  await chat.ctx.pool.query('INSERT INTO contacts (user_id, contact_id) VALUES ($1, $2), ($2, $1)', [alice, bob])
  await chat.ctx.pool.query(`UPDATE users SET delete_after = now() - interval '1 minute' WHERE id = $1`, [alice])
  await start()
  await until(
    async () =>
      (await chat.ctx.pool.query(`SELECT FROM users WHERE id = $1 AND delete_after IS NULL`, [alice])).rowCount === 1,
    { what: 'the account is erased' },
  )
  await until(() => chat.emitted.some(one => one.event.event === 'contact.removed'), { what: 'it is told' })
  const left = await chat.ctx.pool.query<{ username: string }>('SELECT username FROM users WHERE id = $1', [alice])
  expect(left.rows[0]!.username).toMatch(/^deleted-/)
})

test('what has had its time is cleaned up when a worker starts', async () => {
  await chat.ctx.pool.query(
    `INSERT INTO challenges (id, kind, expires_at) VALUES (gen_random_uuid(), 'x', now() - interval '2 hours')`,
  )
  await start()
  await until(async () => (await chat.ctx.pool.query('SELECT FROM challenges')).rowCount === 0, { what: 'it is gone' })
  await until(async () => /flotilla_upkeep_rows_total\{table="challenges"\} 1/.test(await registry.metrics()), {
    what: 'it is counted',
  })
})

test('what is written is counted by day and kind, and the feed says how far behind it is', async () => {
  const { say } = await makePair()
  // As it was before there was a feed: nothing of it is noted.
  await say()
  await chat.ctx.pool.query('TRUNCATE feed_notes')
  await chat.ctx.pool.query('UPDATE conversations SET fed_seq = 0')
  await start()
  await say()
  const counted = async () => (await operators.entryCounts(chat.ctx, 1)).map(({ event, entries }) => [event, entries])
  await until(async () => JSON.stringify(await counted()) === '[["message.new",2]]', { what: 'both are counted' })
  const figures = [
    /flotilla_feed_lag_entries\{consumer="entry-counts"\} 0/,
    /flotilla_feed_lag_seconds\{consumer="entry-counts"\} 0/,
  ]
  await until(
    async () => {
      const metrics = await registry.metrics()
      return figures.every(figure => figure.test(metrics)) && /flotilla_feed_waits_seconds \d/.test(metrics)
    },
    { what: 'the feed says that it is not behind' },
  )
})
