import { createECDH, randomBytes, randomUUID } from 'node:crypto'
import {
  makeSessions,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type ChatContext, chatDefaults } from '../../context.ts'
import { type DeviceInput, list, register, remove } from './index.ts'

interface Caller {
  readonly user: string
  readonly session: string
}

const { devicesMax } = chatDefaults
const hosts = ['fcm.googleapis.com', 'push.services.mozilla.com', 'localhost:4443']
let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let alice: Caller
let bob: Caller

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob] = (await signIn(2)) as [Caller, Caller]
})

async function signIn(count: number): Promise<Caller[]> {
  const users = await makeUsers(ctx.pool, count)
  const sessions = await makeSessions(ctx.pool, users)
  return users.map((user, at) => ({ user, session: sessions[at]! }))
}

/** Another sign-in of the same person. */
async function again({ user }: Caller): Promise<Caller> {
  const [session] = (await makeSessions(ctx.pool, [user])) as [string]
  return { user, session }
}

const phone = (token: string = randomUUID(), name = 'Phone'): DeviceInput => ({
  name,
  platform: 'android',
  provider: 'fcm',
  token,
})
const enroll = (by: Caller, input = phone()) => register(ctx, by, input, hosts)
const ownersOf = async (token: string) =>
  (await ctx.pool.query<{ user_id: string }>('SELECT user_id FROM devices WHERE token = $1', [token])).rows.map(
    row => row.user_id,
  )
const endSession = (session: string, how: 'revoked' | 'expired') =>
  ctx.pool.query(
    how === 'revoked'
      ? 'UPDATE sessions SET revoked_at = now() WHERE id = $1'
      : "UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id = $1",
    [session],
  )

function publicKey(): string {
  const pair = createECDH('prime256v1')
  pair.generateKeys()
  return pair.getPublicKey().toString('base64url')
}
const keys = { p256dh: publicKey(), auth: randomBytes(16).toString('base64url') }
const browser = (endpoint: string, more: Partial<typeof keys> = {}): DeviceInput => ({
  name: 'Browser',
  platform: 'web',
  provider: 'webpush',
  subscription: { endpoint, keys: { ...keys, ...more } },
})

test('a device is listed for its owner, with the one that asks marked', async () => {
  const other = await again(alice)
  const first = await enroll(alice, phone('one', '  Work phone '))
  expect(first).toEqual({
    id: expect.any(String),
    name: 'Work phone',
    platform: 'android',
    provider: 'fcm',
    createdAt: expect.any(Number),
    seenAt: expect.any(Number),
    current: true,
  })
  const second = await enroll(other, browser('https://updates.push.services.mozilla.com/wpush/v2/abc'))
  expect(await list(ctx, alice)).toEqual([{ ...second, current: false }, first])
  expect(await list(ctx, bob)).toEqual([])
  const stored = await ctx.pool.query('SELECT token, web_keys FROM devices WHERE id = $1', [second.id])
  expect(stored.rows).toEqual([{ token: 'https://updates.push.services.mozilla.com/wpush/v2/abc', web_keys: keys }])
})

test('the same token again is the same device, with the name and the sign-in of now', async () => {
  const later = await again(alice)
  const first = await enroll(alice, phone('renewed'))
  const second = await enroll(later, phone('renewed', 'New name'))
  expect(second).toMatchObject({ id: first.id, name: 'New name', createdAt: first.createdAt, current: true })
  await endSession(alice.session, 'revoked')
  expect(await list(ctx, later)).toHaveLength(1)
})

test('a token goes over to whoever registers it last, as another device', async () => {
  const hers = await enroll(alice, phone('shared'))
  const his = await enroll(bob, phone('shared'))
  expect(await ownersOf('shared')).toEqual([bob.user])
  expect(his.id).not.toBe(hers.id)
  expect(await list(ctx, alice)).toEqual([])
})

test('of several who register one token at once, one has it', async () => {
  const people = await signIn(6)
  for (let round = 0; round < 10; round++) {
    const token = randomUUID()
    await Promise.all([...people, ...people].map(one => enroll(one, phone(token))))
    const owners = await ownersOf(token)
    expect(owners).toHaveLength(1)
    const listed = await Promise.all(people.map(one => list(ctx, one)))
    expect(listed.flat().length).toBe(round + 1)
  }
})

test('beyond the maximum the longest unseen goes, also when many register at once', async () => {
  const old = await enroll(await again(alice), phone('old'))
  const used = await again(alice)
  await enroll(used, phone('used'))
  await ctx.pool.query("UPDATE devices SET seen_at = now() - interval '9 days' WHERE id = $1", [old.id])
  await ctx.pool.query("UPDATE devices SET seen_at = now() - interval '10 days' WHERE token = 'used'")
  await ctx.pool.query("UPDATE sessions SET seen_at = now() - interval '9 days' WHERE user_id = $1 AND id <> $2", [
    alice.user,
    used.session,
  ])
  await Promise.all(Array.from({ length: devicesMax - 1 }, () => enroll(alice)))
  const listed = await list(ctx, alice)
  expect(listed).toHaveLength(devicesMax)
  expect(listed.map(one => one.id)).not.toContain(old.id)
  // Its sign-in was used lately, so it is not lying in a drawer.
  expect(await ownersOf('used')).toEqual([alice.user])
  await Promise.all(Array.from({ length: 10 }, () => enroll(alice)))
  expect(await list(ctx, alice)).toHaveLength(devicesMax)
  expect((await ctx.pool.query('SELECT FROM devices WHERE user_id = $1', [alice.user])).rowCount).toBe(devicesMax)
})

test.each(['revoked', 'expired'] as const)('a device whose sign-in is %s is gone', async how => {
  const gone = await again(alice)
  await enroll(gone, phone('gone'))
  await endSession(gone.session, how)
  expect(await list(ctx, alice)).toEqual([])
  await expect(enroll(gone)).rejects.toMatchObject({ code: 'unauthenticated' })
  await enroll(alice)
  expect(await ownersOf('gone')).toEqual([])
})

test('a session registers for its own person only', async () => {
  await expect(enroll({ user: bob.user, session: alice.session })).rejects.toMatchObject({ code: 'unauthenticated' })
})

test('one is removed by its owner, and unknown to anybody else', async () => {
  const { id } = await enroll(alice)
  await expect(remove(ctx, bob.user, id)).rejects.toMatchObject({ code: 'device_unknown' })
  expect(await list(ctx, alice)).toHaveLength(1)
  await remove(ctx, alice.user, id)
  await expect(remove(ctx, alice.user, id)).rejects.toMatchObject({ code: 'device_unknown' })
  expect(await list(ctx, alice)).toEqual([])
})

// ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────

test.each([
  'https://fcm.googleapis.com/fcm/send/abc',
  'https://updates.push.services.mozilla.com/wpush/v2/abc',
  'https://push.services.mozilla.com/x',
  'https://localhost:4443/x',
])('an endpoint at a known push service is taken: %s', async endpoint => {
  expect(await enroll(alice, browser(endpoint))).toMatchObject({ provider: 'webpush' })
})

test.each([
  ['plain HTTP', 'http://fcm.googleapis.com/x'],
  ['another host', 'https://example.com/x'],
  ['a host that only ends like a known one', 'https://evilfcm.googleapis.com.example.com/x'],
  ['a host that ends in a known name without the dot', 'https://evil-fcm.googleapis.com.evil/x'],
  ['a host that is glued to a known name', 'https://xfcm.googleapis.com/x'],
  ['the name in the path', 'https://10.0.0.1/fcm.googleapis.com'],
  ['the name as a user', 'https://fcm.googleapis.com@10.0.0.1/x'],
  ['a user at the known host', 'https://user:pass@fcm.googleapis.com/x'],
  ['an IP address', 'https://127.0.0.1/x'],
  ['an IP address in another spelling', 'https://0x7f000001/x'],
  ['an IPv6 address', 'https://[::1]/x'],
  ['the metadata service', 'https://169.254.169.254/latest'],
  ['localhost', 'https://localhost/x'],
  ['another port of localhost', 'https://localhost:4444/x'],
  ['another port of a known host', 'https://fcm.googleapis.com:6379/x'],
  ['a fragment, which would make one endpoint two', 'https://fcm.googleapis.com/x#y'],
  ['no URL', 'fcm.googleapis.com'],
])('an endpoint with %s is refused', async (_name, endpoint) => {
  await expect(enroll(alice, browser(endpoint))).rejects.toMatchObject({
    code: 'field_invalid',
    detail: { field: 'subscription.endpoint' },
  })
})

test('one endpoint in two spellings is one device', async () => {
  await enroll(alice, browser('https://fcm.googleapis.com/x'))
  await enroll(bob, browser('HTTPS://FCM.googleapis.com:443/x'))
  expect(await list(ctx, alice)).toEqual([])
})

test.each([
  ['a key that is no point', { p256dh: Buffer.alloc(65, 4).toString('base64url') }, 'keys.p256dh'],
  ['a short key', { p256dh: 'abc' }, 'keys.p256dh'],
  ['a short secret', { auth: 'abc' }, 'keys.auth'],
])('%s is refused', async (_name, wrong, field) => {
  const input = browser('https://fcm.googleapis.com/y', wrong)
  await expect(enroll(alice, input)).rejects.toMatchObject({
    code: 'field_invalid',
    detail: { field: `subscription.${field}` },
  })
})

test.each([
  ['fcm without a token', { ...phone(), token: undefined }, 'token'],
  ['fcm with a subscription', { ...browser('https://fcm.googleapis.com/z'), provider: 'fcm' }, 'subscription'],
  ['webpush without a subscription', { ...phone(), provider: 'webpush', token: undefined }, 'subscription'],
  ['webpush with a token', { ...browser('https://fcm.googleapis.com/z'), token: 'x' }, 'token'],
  ['a name of blanks', phone('blank', '   '), 'name'],
])('%s is refused', async (_name, input, field) => {
  await expect(enroll(alice, input as DeviceInput)).rejects.toMatchObject({ code: 'field_invalid', detail: { field } })
  expect(await list(ctx, alice)).toEqual([])
})
