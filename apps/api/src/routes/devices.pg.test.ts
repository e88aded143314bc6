import { createECDH, randomBytes, randomUUID } from 'node:crypto'
import { limits } from '@flotilla/protocol'
import { testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSettings } from '@flotilla/service'
import { apiSettings } from '../config.ts'
import { createFixture, type Fixture, openChat, password, type Person, type TestChat } from '../api.testbed.ts'

let store: TestChat
let api: Fixture
let call: Fixture['call']
let alice: Person
let bob: Person
let carol: Person
/** Of alice (owner) and bob. */
let group: string
const vapidPublicKey = publicKey()

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  api = createFixture({ chat: store.chat, settings: { vapidPublicKey } })
  call = api.call
  ;[alice, bob, carol] = (await Promise.all(['alice', 'bob', 'carol'].map(api.register))) as [Person, Person, Person]
  const opened = await call('POST /v1/conversations', {
    token: alice.token,
    body: { kind: 'group', name: 'harbour', members: [bob.id] },
  })
  group = opened.body.id
  return async () => {
    await api.app.close()
    await store.close()
    await database.drop()
  }
})

function publicKey(): string {
  const pair = createECDH('prime256v1')
  pair.generateKeys()
  return pair.getPublicKey().toString('base64url')
}

const phone = (token: string = randomUUID()) => ({ name: 'Phone', platform: 'ios', provider: 'fcm', token })
const subscription = (endpoint: string) => ({
  endpoint,
  expirationTime: null,
  keys: { p256dh: publicKey(), auth: randomBytes(16).toString('base64url') },
})
const register = (by: Person, body: object) => call('POST /v1/devices', { token: by.token, body })
const post = (by: Person, mentions: unknown) =>
  call(`POST /v1/conversations/${group}/messages`, {
    token: by.token,
    body: { clientId: randomUUID(), body: { text: 'ahoy', mentions } },
  })
const notificationsOf = async (by: Person, query = '') =>
  (await call(`GET /v1/notifications${query}`, { token: by.token })).body.notifications

describe('devices', () => {
  test('are registered, listed and removed by their owner', async () => {
    const mine = await register(alice, phone())
    expect(mine).toMatchObject({ status: 200, body: { name: 'Phone', platform: 'ios', current: true } })
    const browser = { name: 'Browser', platform: 'web', provider: 'webpush' }
    const web = await register(alice, { ...browser, subscription: subscription('https://fcm.googleapis.com/a') })
    expect(web.status).toBe(200)
    expect((await call('GET /v1/devices', { token: alice.token })).body.devices).toHaveLength(2)
    const foreign = await call(`DELETE /v1/devices/${mine.body.id}`, { token: bob.token })
    expect(foreign).toMatchObject({ status: 404, body: { error: { code: 'device_unknown' } } })
    expect((await call(`DELETE /v1/devices/${mine.body.id}`, { token: alice.token })).status).toBe(204)
    expect((await call('GET /v1/devices', { token: alice.token })).body.devices).toEqual([web.body])
  })

  test('end with the sign-in that registered them', async () => {
    const guest = await api.register('guest')
    await register(guest, phone('of a guest'))
    await call('DELETE /v1/sessions/current', { token: guest.token })
    const again = await call('POST /v1/sessions', { body: { username: 'guest', password } })
    expect((await call('GET /v1/devices', { token: again.body.accessToken })).body.devices).toEqual([])
  })

  test.each([
    ['no token', { ...phone(), token: undefined }, 'token', 'required'],
    ['a token too long', phone('x'.repeat(4_097)), 'token', /pattern/],
    ['a token with a line break', phone('a\nb'), 'token', /pattern/],
    ['a platform that is none', { ...phone(), platform: 'toaster' }, 'platform', /one of/],
    ['no name', { ...phone(), name: '' }, 'name', /pattern/],
    [
      'an endpoint of its own network',
      { name: 'x', platform: 'web', provider: 'webpush', subscription: subscription('https://10.0.0.1/x') },
      'subscription.endpoint',
      /https URL/,
    ],
    [
      'an endpoint too long',
      {
        name: 'x',
        platform: 'web',
        provider: 'webpush',
        subscription: subscription(`https://fcm.googleapis.com/${'x'.repeat(2_048)}`),
      },
      'subscription.endpoint',
      /maxLength 2048/,
    ],
  ])('with %s are refused', async (_name, body, field, rule) => {
    const answer = await register(alice, body)
    expect(answer.status).toBe(400)
    expect(answer.body.error).toMatchObject({ code: 'field_invalid', field, rule: expect.stringMatching(rule) })
  })

  test('a browser learns the public key, where there is one', async () => {
    expect((await call('GET /v1/push', { token: alice.token })).body).toEqual({ vapidPublicKey })
    const silent = createFixture({ chat: store.chat, keys: api.deps.keys })
    expect((await silent.call('GET /v1/push', { token: alice.token })).body).toEqual({})
    await silent.app.close()
  })

  test('the settings are checked at the start', () => {
    const read = (VAPID_PUBLIC_KEY: string, WEB_PUSH_HOSTS = '') =>
      readSettings(
        { VAPID_PUBLIC_KEY: apiSettings.VAPID_PUBLIC_KEY, WEB_PUSH_HOSTS: apiSettings.WEB_PUSH_HOSTS },
        { VAPID_PUBLIC_KEY, WEB_PUSH_HOSTS },
      )
    expect(read(vapidPublicKey, ' Push.Example.org,localhost:4443')).toEqual({
      VAPID_PUBLIC_KEY: vapidPublicKey,
      WEB_PUSH_HOSTS: ['push.example.org', 'localhost:4443'],
    })
    expect(read('').WEB_PUSH_HOSTS).toContain('fcm.googleapis.com')
    for (const wrong of ['abc', Buffer.alloc(65, 3).toString('base64url')])
      expect(() => read(wrong)).toThrow(/VAPID_PUBLIC_KEY must be/)
  })
})

describe('notifications', () => {
  test('are listed, counted and read by the person alone', async () => {
    await post(alice, [bob.id])
    await post(alice, [bob.id])
    const found = await notificationsOf(bob)
    expect(found.map((one: { kind: string }) => one.kind)).toEqual(['mention', 'mention', 'added_to_group'])
    expect(found[0]).toMatchObject({ actor: { username: 'alice' }, conversation: group, read: false, detail: {} })
    expect((await call('GET /v1/notifications/count', { token: bob.token })).body).toEqual({ unread: 3 })
    const one = `POST /v1/notifications/${found[0].id}/read`
    expect(await call(one, { token: alice.token })).toMatchObject({
      status: 404,
      body: { error: { code: 'notification_unknown' } },
    })
    expect((await call(one, { token: bob.token })).body).toEqual({ unread: 2 })
    expect(await notificationsOf(bob, '?unread=true')).toHaveLength(2)
    expect((await call('POST /v1/notifications/read', { token: bob.token })).body).toEqual({ unread: 0 })
    expect(await notificationsOf(bob, '?unread=true')).toEqual([])
    expect(await notificationsOf(alice)).toEqual([])
  })

  test('are paged', async () => {
    const first = await call('GET /v1/notifications?limit=2', { token: bob.token })
    expect(first.body.notifications).toHaveLength(2)
    const second = await call(`GET /v1/notifications?limit=2&after=${first.body.next}`, { token: bob.token })
    expect(second.body.notifications).toHaveLength(1)
    expect(second.body.next).toBeUndefined()
  })

  test.each([
    ['a page too large', 'limit=51', 'limit'],
    ['a cursor that is none', 'after=x', 'after'],
    ['another word for unread', 'unread=yes', 'unread'],
  ])('%s is refused', async (_name, query, field) => {
    const answer = await call(`GET /v1/notifications?${query}`, { token: bob.token })
    expect(answer.body.error).toMatchObject({ code: 'field_invalid', field })
  })
})

describe('mentions', () => {
  test('travel with the message', async () => {
    expect((await post(alice, [bob.id, carol.id])).status).toBe(201)
    const page = await call(`GET /v1/conversations/${group}/messages?limit=1`, { token: bob.token })
    expect(page.body.entries[0].body).toEqual({ text: 'ahoy', mentions: [bob.id, carol.id] })
    expect(await notificationsOf(carol)).toEqual([])
  })

  test.each([
    ['too many', Array.from({ length: limits.mentionsMax + 1 }, () => randomUUID()), /maxItems 20/],
    ['one twice', Array.from({ length: 2 }, () => '00000000-0000-4000-8000-000000000000'), /uniqueItems/],
    ['no list', 'bob', /type array/],
  ])('%s are refused', async (_name, mentions, rule) => {
    const answer = await post(alice, mentions)
    expect(answer.body.error).toMatchObject({
      code: 'field_invalid',
      field: 'body.mentions',
      rule: expect.stringMatching(rule),
    })
  })
})

afterAll(() => {
  const mine = /^\w+ \/v1\/(devices|push|notifications)/
  expect(api.unanswered().filter(route => mine.test(route))).toEqual([])
})
