import { createHash, randomUUID } from 'node:crypto'
import { jobs, messages, push } from '@flotilla/chat'
import { makeConversation, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createFixture, type Fixture, openChat, type Person, protect, type TestChat } from '../api.testbed.ts'

let store: TestChat
let api: Fixture
let call: Fixture['call']
let operator: Person
let alice: Person
let bob: Person
let conversation: string

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  const first = createFixture({ chat: store.chat })
  ;[operator, alice, bob] = (await Promise.all(['olivia', 'alice', 'bob'].map(first.register))) as [
    Person,
    Person,
    Person,
  ]
  await protect(store.chat, operator)
  // With the same keys, and the operator known by id.
  api = createFixture({ chat: store.chat, keys: first.deps.keys, settings: { operators: [operator.id] } })
  call = api.call
  conversation = await makeConversation(store.chat.pool, [alice.id, bob.id], 'direct')
  await store.chat.pool.query(
    `INSERT INTO devices (id, user_id, session_id, name, platform, provider, token, token_hash)
     VALUES ($1, $2, $3, 'phone', 'android', 'fcm', 'a token', $4)`,
    [randomUUID(), bob.id, bob.session, createHash('sha256').update('a token').digest()],
  )
  return async () => {
    await first.app.close()
    await api.app.close()
    await store.close()
    await database.drop()
  }
})
beforeEach(() => store.chat.pool.query('TRUNCATE pushes, push_deliveries, offline_messages, jobs'))
afterAll(() => expect(api.unanswered().filter(route => /pushes|jobs/.test(route))).toEqual([]))

const routes = [
  'GET /v1/operator/pushes',
  'GET /v1/operator/dead-pushes',
  `POST /v1/operator/dead-pushes/${randomUUID()}/retry`,
  'GET /v1/operator/dead-jobs',
  `POST /v1/operator/dead-jobs/${randomUUID()}/retry`,
]

/** A message, and the push about it, claimed. */
async function makePush(): Promise<push.Delivery> {
  const { chat } = store
  await messages.post(chat, alice.id, { conversation, clientId: randomUUID(), body: { text: 'a secret thing' } })
  await push.sweep(chat, 100)
  await chat.pool.query(`UPDATE pushes SET due_at = now()`)
  await push.prepare(chat, { max: 10, providers: ['fcm'] })
  const { deliveries } = await push.claim(chat, { provider: 'fcm', max: 10 })
  return deliveries[0]!
}

test.each(routes)('%s is for operators', async route => {
  expect((await call(route)).body.error.code).toBe('unauthenticated')
  expect((await call(route, { token: alice.token })).body.error.code).toBe('operators_only')
})

test('an operator has a second factor, and has shown lately who they are', async () => {
  const { pool } = store.chat
  const route = 'GET /v1/operator/dead-jobs'
  const refusedBy = async () => (await call(route, { token: operator.token })).body.error?.code
  await pool.query('UPDATE users SET mail_factor = false WHERE id = $1', [operator.id])
  expect(await refusedBy()).toBe('operator_mfa_required')
  await protect(store.chat, operator)
  await pool.query("UPDATE sessions SET proved_at = now() - interval '1 hour' WHERE id = $1", [operator.session])
  expect(await refusedBy()).toBe('reauthentication_required')
  await pool.query('UPDATE sessions SET proved_at = now() WHERE id = $1', [operator.session])
  expect(await refusedBy()).toBeUndefined()
})

test('a push can be followed from its message to the answer, without what was written and where it went', async () => {
  const delivery = await makePush()
  await push.answered(store.chat, delivery, { answer: 'later', status: 500, reason: 'INTERNAL', retryMs: 60_000 }, 0.5)
  const { body } = await call(`GET /v1/operator/pushes?user=${bob.id}&conversation=${conversation}&state=waiting`, {
    token: operator.token,
  })
  expect(body).toEqual({
    pushes: [
      {
        id: delivery.id,
        user: bob.id,
        conversation,
        device: delivery.target.device,
        provider: 'fcm',
        fromSeq: expect.any(Number),
        uptoSeq: delivery.content.uptoSeq,
        messageAt: expect.any(Number),
        createdAt: expect.any(Number),
        state: 'waiting',
        attempts: [{ at: expect.any(Number), answer: 'later', status: 500, reason: 'INTERNAL', retryMs: 60_000 }],
        dueAt: expect.any(Number),
      },
    ],
  })
  expect(JSON.stringify(body)).not.toMatch(/secret|a token/)
  const none = await call(`GET /v1/operator/pushes?user=${alice.id}`, { token: operator.token })
  expect(none.body).toEqual({ pushes: [] })
})

test('the list has pages', async () => {
  for (let n = 0; n < 3; n++) {
    const delivery = await makePush()
    await push.answered(store.chat, delivery, { answer: 'sent', id: `m${n}` }, 0)
    await store.chat.pool.query(`UPDATE push_deliveries SET finished_at = now() - interval '1 hour'`)
  }
  const seen: string[] = []
  for (let after = ''; ; ) {
    const { body } = await call(`GET /v1/operator/pushes?limit=2${after}`, { token: operator.token })
    seen.push(...body.pushes.map((one: { attempts: { id: string }[] }) => one.attempts[0]!.id))
    if (body.next === undefined) break
    after = `&after=${body.next}`
  }
  expect(seen).toEqual(['m2', 'm1', 'm0'])
  const broken = await call('GET /v1/operator/pushes?after=x', { token: operator.token })
  expect(broken.body.error).toMatchObject({ code: 'field_invalid', field: 'after' })
})

test('a dead push is listed and can be tried again', async () => {
  const delivery = await makePush()
  await push.answered(store.chat, delivery, { answer: 'refused', status: 400, reason: 'INVALID_ARGUMENT' }, 0)
  const listed = await call('GET /v1/operator/dead-pushes', { token: operator.token })
  expect(listed.body.pushes).toMatchObject([{ id: delivery.id, state: 'dead', finishedAt: expect.any(Number) }])
  const path = `POST /v1/operator/dead-pushes/${delivery.id}/retry`
  expect((await call(path, { token: operator.token })).status).toBe(204)
  expect((await call('GET /v1/operator/dead-pushes', { token: operator.token })).body).toEqual({ pushes: [] })
  expect((await call(path, { token: operator.token })).body.error.code).toBe('push_unknown')
})

test('a dead job is listed without what it holds, and can be done again', async () => {
  const mail: jobs.Mail = { template: 'code', purpose: 'register', code: '123456', lifeMs: 600_000 }
  await jobs.add(store.chat, { kind: 'mail', to: 'alice@example.org', mail })
  const [claimed] = await jobs.claim(store.chat, { max: 10, leaseMs: 60_000 })
  await jobs.fail(store.chat, claimed!, 'unable to send a mail: EENVELOPE 550')
  const { body } = await call('GET /v1/operator/dead-jobs', { token: operator.token })
  expect(body.jobs).toEqual([
    {
      id: claimed!.id,
      kind: 'mail',
      createdAt: expect.any(Number),
      diedAt: expect.any(Number),
      attempts: 1,
      error: 'unable to send a mail: EENVELOPE 550',
    },
  ])
  expect(JSON.stringify(body)).not.toMatch(/alice|123456/)
  const path = `POST /v1/operator/dead-jobs/${claimed!.id}/retry`
  expect((await call(path, { token: operator.token })).status).toBe(204)
  expect((await call(path, { token: operator.token })).body.error.code).toBe('job_unknown')
})
