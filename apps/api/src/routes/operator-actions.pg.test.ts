import { randomUUID } from 'node:crypto'
import { messages } from '@flotilla/chat'
import { makeConversation, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFixture, type Fixture, openChat, password, type Person, protect, type TestChat } from '../api.testbed.ts'

let store: TestChat
let api: Fixture
let call: Fixture['call']
let operator: Person
let other: Person
let alice: Person

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  const first = createFixture({ chat: store.chat })
  ;[operator, other, alice] = (await Promise.all(['olivia', 'other', 'alice'].map(first.register))) as [
    Person,
    Person,
    Person,
  ]
  for (const one of [operator, other]) await protect(store.chat, one)
  // With the same keys, and the operators known by id.
  api = createFixture({
    chat: store.chat,
    keys: first.deps.keys,
    settings: { operators: [operator.id, other.id] },
  })
  call = api.call
  return async () => {
    await first.app.close()
    await api.app.close()
    await store.close()
    await database.drop()
  }
})
afterAll(() => {
  expect(api.unanswered().filter(route => /operator\/(users|actions|conversations)/.test(route))).toEqual([])
})

const act = (verb: string, user: string, body: object = { reason: 'Spam' }) =>
  call(`POST /v1/operator/users/${user}/${verb}`, { token: operator.token, body })
const signIn = () => call('POST /v1/sessions', { body: { username: alice.username, password } })
const standing = async () => (await call(`GET /v1/operator/users/${alice.id}`, { token: operator.token })).body
/** No answer is trusted for longer than a second. */
const forget = () => store.chat.admissions.forget([alice.session])

test('whoever is suspended hears it, and until when, wherever they turn', async () => {
  expect((await call('GET /v1/me', { token: alice.token })).status).toBe(200)
  const until = Date.now() + 86_400_000
  expect((await act('suspend', alice.id, { reason: 'Spam', until })).status).toBe(204)
  forget()
  const error = { code: 'account_suspended', message: expect.any(String), until }
  for (const route of ['GET /v1/me', 'GET /v1/connect', 'GET /v1/conversations'])
    expect(await call(route, { token: alice.token })).toMatchObject({ status: 403, body: { error } })
  expect(await signIn()).toMatchObject({ status: 403, body: { error } })
  const refresh = { body: { refreshToken: alice.refreshToken } }
  expect(await call('POST /v1/sessions/refresh', refresh)).toMatchObject({ status: 403, body: { error } })
  expect(await standing()).toMatchObject({ user: { id: alice.id }, suspended: true, until, banned: false })

  expect((await act('lift', alice.id)).status).toBe(204)
  expect((await signIn()).status).toBe(201)
  expect((await act('lift', alice.id)).body.error.code).toBe('suspension_unknown')
})

test('a ban and a sign-out', async () => {
  expect((await act('ban', alice.id)).status).toBe(204)
  expect(await standing()).toMatchObject({ suspended: true, banned: true, sessions: 0 })
  expect((await signIn()).body.error).not.toHaveProperty('until')
  await act('lift', alice.id)
  const { body } = await signIn()
  expect((await act('sign-out', alice.id)).status).toBe(204)
  store.chat.admissions.forget([body.session])
  expect((await call('GET /v1/me', { token: body.accessToken })).body.error.code).toBe('unauthenticated')
})

test.each(['suspend', 'ban', 'lift', 'sign-out'])(
  'no operator is reached by %s, neither another nor oneself',
  async verb => {
    for (const { id, token } of [other, operator]) {
      expect((await act(verb, id)).body.error.code).toBe('operator_protected')
      expect((await call('GET /v1/me', { token })).status).toBe(200)
    }
  },
)

test.each([
  ['without a reason', {}, 'reason'],
  ['with an empty one', { reason: ' ' }, 'reason'],
  ['until yesterday', { reason: 'x', until: Date.now() - 86_400_000 }, 'until'],
  ['until no time at all', { reason: 'x', until: 1e300 }, 'until'],
])('to suspend %s is refused', async (_what, body, field) => {
  expect((await act('suspend', alice.id, body)).body.error).toMatchObject({ code: 'field_invalid', field })
  expect(await standing()).toMatchObject({ suspended: false })
})

test('a message is removed, and its line says where it was', async () => {
  const conversation = await makeConversation(store.chat.pool, [alice.id, other.id])
  const message = { conversation, clientId: randomUUID(), body: { text: 'vile' } }
  const { seq } = await messages.post(store.chat, alice.id, message)
  const remove = (at: number) =>
    call(`POST /v1/operator/conversations/${conversation}/remove-message`, {
      token: operator.token,
      body: { seq: at, reason: 'Threats' },
    })
  expect((await remove(seq)).status).toBe(204)
  const { body } = await call(`GET /v1/conversations/${conversation}/messages`, { token: other.token })
  expect(body.entries).toMatchObject([
    { event: 'message.new', seq, removed: 'operator', by: alice.id },
    { event: 'message.removed', target: seq, removed: 'operator' },
  ])
  expect(JSON.stringify(body)).not.toContain('vile')
  expect((await remove(seq + 2)).body.error.code).toBe('message_unknown')

  const about = `GET /v1/operator/actions?conversation=${conversation}&action=message_removed`
  expect((await call(about, { token: operator.token })).body).toEqual({
    actions: [
      {
        id: expect.any(String),
        at: expect.any(Number),
        operator: expect.objectContaining({ username: 'olivia' }),
        action: 'message_removed',
        user: expect.objectContaining({ id: alice.id }),
        conversation,
        seq,
        reason: 'Threats',
        detail: {},
      },
    ],
  })
})
