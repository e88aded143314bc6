/** Being asked into conversations, as a client sees it; and the bounds of what one person may have, by the defaults. */
import { randomUUID } from 'node:crypto'
import { testDatabase } from '@flotilla/testing'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createFixture, type Fixture, openChat, type Person, type TestChat } from '../api.testbed.ts'

let store: TestChat
let api: Fixture
let [alice, bob] = [] as unknown as [Person, Person]
let names = 0

beforeAll(async () => {
  const database = await testDatabase()
  // As a deployment is that sets nothing.
  store = await openChat(database.url, { directFrom: 'known' })
  api = createFixture({ chat: store.chat, settings: { registrations: { max: 100, windowMs: 60_000 } } })
  return async () => {
    await api.app.close()
    await store.close()
    await database.drop()
  }
})
beforeEach(async () => {
  const n = ++names
  alice = await api.register(`alice-${n}`)
  bob = await api.register(`bob-${n}`)
})
afterEach(() => expect(api.broken()).toEqual([]))

const ask = (by: Person, request: string, body?: unknown) => {
  const [method, path] = request.split(' ')
  return api.call(`${method} /v1${path}`, { token: by.token, ...(body === undefined ? {} : { body }) })
}
const say = (by: Person, conversation: string) =>
  ask(by, `POST /conversations/${conversation}/messages`, { clientId: randomUUID(), body: { text: 'Hello' } })
const received = async (by: Person) => (await ask(by, 'GET /conversation-requests?direction=received')).body.requests

test('a stranger writes five messages, which are read, accepted, and then it is a conversation like any other', async () => {
  const opened = await ask(alice, 'POST /conversations', { kind: 'direct', user: bob.id })
  expect(opened).toMatchObject({ status: 201, body: { pending: true, memberCount: 1 } })
  const { id } = opened.body
  for (let nth = 0; nth < 5; nth++) expect(await say(alice, id)).toMatchObject({ status: 201 })
  expect(await say(alice, id)).toMatchObject({
    status: 409,
    body: { error: { code: 'request_pending', rule: 'maxItems 5 before it is accepted' } },
  })
  expect((await ask(bob, 'GET /conversations')).body).toEqual({ conversations: [] })
  const [request] = await received(bob)
  expect(request).toMatchObject({ kind: 'direct', from: { id: alice.id }, messages: 5 })
  const read = await ask(bob, `GET /conversation-requests/${request.id}`)
  expect(read.body.messages.map((one: { seq: number }) => one.seq)).toEqual([2, 3, 4, 5, 6])
  const accepted = await ask(bob, `POST /conversation-requests/${request.id}/accept`)
  expect(accepted).toMatchObject({ status: 200, body: { id, memberCount: 2, unread: 5 } })
  for (const by of [alice, bob]) expect(await say(by, id)).toMatchObject({ status: 201 })
})

test('a group asks strangers, and says whom', async () => {
  const { body: group } = await ask(alice, 'POST /conversations', { kind: 'group', name: 'Crew', members: [] })
  const added = await ask(alice, `POST /conversations/${group.id}/members`, { users: [bob.id] })
  expect(added).toMatchObject({ status: 200, body: { seq: 1, asked: [bob.id] } })
  const [request] = await received(bob)
  expect(await ask(bob, `POST /conversation-requests/${request.id}/decline`)).toMatchObject({ status: 204 })
  const again = await ask(alice, `POST /conversations/${group.id}/members`, { users: [bob.id] })
  expect(again).toMatchObject({ status: 409, body: { error: { code: 'request_declined', field: 'users' } } })
  expect(again.body.error.retryMs).toBeGreaterThan(6 * 86_400_000)
  expect(again.headers['retry-after']).toBeDefined()
})

test('a person decides to take conversations from anyone, or from nobody unasked', async () => {
  expect(await ask(bob, 'PATCH /me/settings', { directFrom: 'anyone' })).toMatchObject({
    status: 200,
    body: { directFrom: 'anyone' },
  })
  const opened = await ask(alice, 'POST /conversations', { kind: 'direct', user: bob.id })
  expect(opened.body).not.toHaveProperty('pending')
  expect(await ask(bob, 'PATCH /me/settings', { directFrom: 'request' })).toMatchObject({ status: 200 })
  const { body: group } = await ask(alice, 'POST /conversations', { kind: 'group', name: 'Crew', members: [bob.id] })
  expect(group).toMatchObject({ memberCount: 1 })
  expect(await ask(bob, 'PATCH /me/settings', { directFrom: 'nobody' })).toMatchObject({ status: 400 })
})
