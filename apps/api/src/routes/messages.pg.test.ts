/** What people do with messages, conversations and groups, over REST: every route answers as it declares. */
import { randomUUID } from 'node:crypto'
import { testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFixture, type Fixture, openChat, type Person, type TestChat } from '../api.testbed.ts'

let store: TestChat
let api: Fixture
let [alice, bob, carol]: [Person, Person, Person] = [] as never
/** Of alice, its owner, and bob. */
let group: string
/** One pixel. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const tomorrow = () => Date.now() + 86_400_000

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url, { editHistory: true })
  api = createFixture({ chat: store.chat })
  ;[alice, bob, carol] = (await Promise.all(['alice', 'bob', 'carol'].map(api.register))) as [Person, Person, Person]
  const body = { kind: 'group', name: 'harbour', members: [bob.id] }
  group = (await ok(alice, 'POST /v1/conversations', body)).id
  return async () => {
    await api.app.close()
    await store.close()
    await database.drop()
  }
})
afterAll(() => {
  const mine =
    /\/conversations\/:id\/(?!messages$|members|receipts|mute)|\/v1\/(reminders|scheduled-messages|threads|drafts|unread|stars|links|join-requests|hidden)/
  expect(api.unanswered().filter(route => mine.test(route) && !route.includes('/operator/'))).toEqual([])
})

/** @returns the body of an answer that went well */
async function ok(by: Person, at: string, body?: object) {
  const answer = await api.call(at, { token: by.token, ...(body === undefined ? {} : { body }) })
  expect(answer, at).toMatchObject({ status: expect.toSatisfy((status: number) => status < 300) })
  return answer.body
}
const inGroup = (by: Person, method: string, more: string, body?: object) =>
  ok(by, `${method} /v1/conversations/${group}${more}`, body)
const say = async (by: Person, body: object = { text: 'hello' }, more: object = {}): Promise<number> =>
  (await inGroup(by, 'POST', '/messages', { clientId: randomUUID(), body, ...more })).seq
const at = (seq: number) => `/messages/${seq}`

test('a message is pinned, starred, reacted to, edited, forwarded, hidden and deleted', async () => {
  const seq = await say(alice)
  await inGroup(alice, 'PUT', `/pins/${seq}`)
  expect((await inGroup(bob, 'GET', '/pins')).messages).toMatchObject([{ seq, pin: { pinned: true } }])
  await inGroup(alice, 'DELETE', `/pins/${seq}`)
  await inGroup(bob, 'PUT', `${at(seq)}/star`)
  expect((await ok(bob, 'GET /v1/stars')).stars).toMatchObject([{ message: { seq } }])
  await inGroup(bob, 'DELETE', `${at(seq)}/star`)
  const thumb = `${at(seq)}/reactions/${encodeURIComponent('👍')}`
  await inGroup(bob, 'PUT', thumb)
  expect((await inGroup(alice, 'GET', `${at(seq)}/reactions`)).reactions).toMatchObject([{ user: { id: bob.id } }])
  await inGroup(bob, 'DELETE', thumb)
  await inGroup(alice, 'PATCH', at(seq), { clientId: randomUUID(), body: { text: 'hello again' } })
  expect((await inGroup(bob, 'GET', `${at(seq)}/versions`)).versions).toMatchObject([{ body: { text: 'hello' } }, {}])
  const source = { conversation: group, seq }
  await inGroup(bob, 'POST', '/forwards', { clientId: randomUUID(), source })
  await inGroup(bob, 'POST', '/hidden', { seqs: [seq] })
  expect((await ok(bob, 'GET /v1/hidden-messages')).messages).toMatchObject([{ conversation: group, seq }])
  await inGroup(alice, 'DELETE', `${at(seq)}?clientId=${randomUUID()}`)
  await inGroup(bob, 'PUT', '/cleared', { upTo: seq })
})

test('threads and polls', async () => {
  const root = await say(alice)
  const reply = await say(bob, { text: 'reply' }, { thread: root })
  const { messages } = await inGroup(alice, 'GET', `/threads/${root}/messages`)
  expect(messages).toMatchObject([{ seq: reply, thread: root }])
  await inGroup(alice, 'PUT', `/threads/${root}/follow`)
  expect((await ok(alice, 'GET /v1/threads')).threads).toMatchObject([{ seq: root, replies: { count: 1 } }])
  await inGroup(alice, 'PUT', `/threads/${root}/read`, { seq: reply })
  await inGroup(alice, 'DELETE', `/threads/${root}/follow`)
  const poll = await say(alice, { type: 'poll', question: 'Lunch?', options: ['yes', 'no'], fallback: 'Lunch?' })
  await inGroup(bob, 'PUT', `/polls/${poll}/vote`, { clientId: randomUUID(), options: [1] })
  expect((await inGroup(alice, 'GET', `/polls/${poll}/voters`)).voters).toMatchObject([{ options: [1] }])
  await inGroup(alice, 'POST', `/polls/${poll}/close`)
})

test('what happens at a time', async () => {
  expect(await inGroup(alice, 'PUT', '/timer', { timerMs: 3_600_000 })).toMatchObject({ timerMs: 3_600_000 })
  await inGroup(alice, 'PUT', '/timer', { timerMs: null })
  const seq = await say(bob)
  await inGroup(alice, 'PUT', `${at(seq)}/reminder`, { at: tomorrow() })
  expect((await ok(alice, 'GET /v1/reminders')).reminders).toMatchObject([{ conversation: group, seq }])
  await inGroup(alice, 'DELETE', `${at(seq)}/reminder`)
  const later = { conversation: group, clientId: randomUUID(), body: { text: 'later' }, at: tomorrow() }
  const { id } = await ok(alice, 'POST /v1/scheduled-messages', later)
  await ok(alice, `PATCH /v1/scheduled-messages/${id}`, { body: { text: 'much later' } })
  expect((await ok(alice, 'GET /v1/scheduled-messages')).scheduled).toMatchObject([{ id }])
  await ok(alice, `DELETE /v1/scheduled-messages/${id}`)
})

test('what a conversation is to one member', async () => {
  await say(alice)
  expect(await inGroup(bob, 'PATCH', '/preferences', { pinned: true, unreadFrom: 0 })).toMatchObject({ unreadFrom: 0 })
  expect((await ok(bob, 'GET /v1/unread')).conversations).toMatchObject([{ conversation: group, unreadFrom: 0 }])
  await inGroup(bob, 'PUT', '/draft', { at: Date.now(), content: { text: 'I was' } })
  expect((await ok(bob, 'GET /v1/drafts')).drafts).toMatchObject([{ conversation: group, content: { text: 'I was' } }])
})

test('a group is described, pictured, opened by links, kept in order and handed on', async () => {
  const settings = { description: 'Ahoy', slowModeMs: 1_000 }
  expect(await inGroup(alice, 'PATCH', '/settings', settings)).toMatchObject({ group: settings })
  await inGroup(alice, 'PATCH', '/settings', { slowModeMs: 0 })
  const headers = { 'content-type': 'image/png' }
  const pictured = await api.call(`PUT /v1/conversations/${group}/avatar`, {
    token: alice.token,
    raw: picture,
    headers,
  })
  expect(pictured.body).toMatchObject({ group: { avatar: expect.any(String) } })
  await inGroup(alice, 'DELETE', '/avatar')
  const { upload, url } = await ok(alice, 'POST /v1/me/avatar/uploads')
  const octets = { 'content-type': 'application/octet-stream' }
  await api.call(`PUT ${url}`, { token: alice.token, raw: picture, headers: octets })
  await inGroup(alice, 'PUT', '/avatar/from-upload', { upload })
  const open = await inGroup(alice, 'POST', '/links', {})
  expect((await inGroup(alice, 'GET', '/links')).links).toMatchObject([{ id: open.id }])
  expect(await ok(carol, 'POST /v1/links/preview', { token: open.token })).toMatchObject({ name: 'harbour' })
  expect(await ok(carol, 'POST /v1/links/join', { token: open.token })).toMatchObject({ id: group })
  await inGroup(alice, 'DELETE', `/links/${open.id}`)
  await inGroup(alice, 'PUT', `/members/${carol.id}/silence`, { untilMs: tomorrow() })
  await inGroup(alice, 'PUT', `/bans/${carol.id}`)
  expect((await inGroup(alice, 'GET', '/bans')).bans).toMatchObject([{ user: { id: carol.id } }])
  await inGroup(alice, 'DELETE', `/bans/${carol.id}`)
  const asking = await inGroup(alice, 'POST', '/links', { approval: true })
  const ask = () => ok(carol, 'POST /v1/links/join', { token: asking.token })
  await ask()
  expect((await ok(carol, 'GET /v1/join-requests?direction=sent')).requests).toHaveLength(1)
  await ok(carol, `DELETE /v1/join-requests/${group}`)
  await ask()
  expect((await inGroup(alice, 'GET', '/join-requests')).requests).toHaveLength(1)
  await inGroup(alice, 'POST', `/join-requests/${carol.id}/approve`)
  await inGroup(alice, 'DELETE', `/members/${carol.id}`)
  await ask()
  await inGroup(alice, 'POST', `/join-requests/${carol.id}/decline`)
  await inGroup(alice, 'PUT', '/owner', { user: bob.id })
})
