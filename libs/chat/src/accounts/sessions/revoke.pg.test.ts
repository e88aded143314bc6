import { randomUUID } from 'node:crypto'
import { makeUsers, openTestChat, type TestChat, type TestDatabase, testDatabase, until } from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { list as listSecurity } from '../../notices/security/list.ts'
import { check } from './check.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { endAll } from './end.ts'
import { list } from './list.ts'
import { open } from './open.ts'
import { revoke, revokeAll } from './revoke.ts'
import { signOut } from './sign-out.ts'
import { transaction } from '../../store/transaction.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext

const client: ClientDevice = { deviceName: 'laptop', address: '192.0.2.1', country: 'NL', agent: 'Firefox' }

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { settings: { pulseMs: 20 } })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

async function person(sessions: number): Promise<{ user: string; sessions: string[] }> {
  const [user] = (await makeUsers(ctx.pool, 1)) as [string]
  const opened: string[] = []
  for (let nth = 0; nth < sessions; nth++)
    opened.push((await open(ctx, user, { ...client, deviceName: `device ${nth}` }, 'passkey')).session)
  return { user, sessions: opened }
}

const addDevice = (user: string, session: string) =>
  ctx.pool.query(
    `INSERT INTO devices (id, user_id, session_id, name, platform, provider, token, token_hash)
     VALUES ($3::uuid, $1, $2, 'phone', 'android', 'fcm', 'token', sha256($3::uuid::text::bytea))`,
    [user, session, randomUUID()],
  )
const devicesOf = async (session: string) =>
  (await ctx.pool.query('SELECT 1 FROM devices WHERE session_id = $1', [session])).rowCount
const live = async (sessions: readonly string[]) =>
  (await Promise.all(sessions.map(session => check(ctx, session)))).map(one => one !== undefined)
const noted = async (user: string) =>
  (await listSecurity(ctx, user, { limit: 50 })).events.map(({ kind, session, detail }) => ({ kind, session, detail }))

test('the good sessions are listed: the one that asks, then the newest', async () => {
  const { user, sessions } = await person(5)
  const [first, second, third, ended, over] = sessions as [string, string, string, string, string]
  await ctx.pool.query('UPDATE sessions SET revoked_at = now() WHERE id = $1', [ended])
  await ctx.pool.query('UPDATE sessions SET expires_at = now() WHERE id = $1', [over])
  const listed = await list(ctx, user, first)
  expect(listed.map(one => one.id)).toEqual([first, third, second])
  expect(listed[0]).toEqual({
    id: first,
    deviceName: 'device 0',
    signInMethod: 'passkey',
    address: '192.0.2.1',
    country: 'NL',
    agent: 'Firefox',
    createdAt: expect.any(Number),
    seenAt: expect.any(Number),
    current: true,
  })
  expect(Math.abs(listed[0]!.seenAt - Date.now())).toBeLessThan(60_000)
  expect(listed.filter(one => one.current)).toHaveLength(1)
})

test('at most a hundred are listed, the one that asks among them although it is the oldest', async () => {
  const { user, sessions } = await person(1)
  await ctx.pool.query(
    `INSERT INTO sessions (id, user_id, device_name, created_at, expires_at)
     SELECT gen_random_uuid(), $1, 'more', now() + n * interval '1 second', now() + interval '1 day'
       FROM generate_series(1, 120) n`,
    [user],
  )
  const listed = await list(ctx, user, sessions[0]!)
  expect(listed).toHaveLength(100)
  expect(listed[0]).toMatchObject({ id: sessions[0], current: true })
})

test('a revoked session is worth nothing at once, is told by the pulse, and takes its devices along', async () => {
  const { user, sessions } = await person(2)
  const [lost, kept] = sessions as [string, string]
  for (const session of sessions) await addDevice(user, session)
  expect(await live(sessions)).toEqual([true, true])
  const told: string[] = []
  ctx.pulse.onRevoked(ended => told.push(...ended))
  await revoke(ctx, user, { session: lost, client })
  expect(await live(sessions)).toEqual([false, true])
  expect([await devicesOf(lost), await devicesOf(kept)]).toEqual([0, 1])
  await until(() => told.includes(lost), { what: 'the pulse names the session' })
  expect(await noted(user)).toEqual([{ kind: 'session_revoked', session: lost, detail: { device: 'device 0' } }])
})

test('nobody revokes what is not theirs, has ended or never was', async () => {
  const [alice, mallory] = [await person(1), await person(1)]
  const refused = (session: string) =>
    expect(revoke(ctx, mallory.user, { session, client })).rejects.toMatchObject({ code: 'session_unknown' })
  await refused(alice.sessions[0]!)
  await refused(randomUUID())
  await revoke(ctx, mallory.user, { session: mallory.sessions[0]!, client })
  await refused(mallory.sessions[0]!)
  expect(await live(alice.sessions)).toEqual([true])
  expect(await noted(alice.user)).toEqual([])
})

test('all others end, or all, and each leaves a line', async () => {
  const { user, sessions } = await person(4)
  const stranger = await person(1)
  for (const session of sessions) await addDevice(user, session)
  expect(await revokeAll(ctx, user, { except: sessions[1], client })).toBe(3)
  expect(await live(sessions)).toEqual([false, true, false, false])
  expect(await Promise.all(sessions.map(devicesOf))).toEqual([0, 1, 0, 0])
  const lines = await noted(user)
  expect(lines).toHaveLength(3)
  expect(new Set(lines.map(one => one.session))).toEqual(new Set([sessions[0], sessions[2], sessions[3]]))
  expect(await revokeAll(ctx, user, { except: sessions[1], client })).toBe(0)
  expect(await revokeAll(ctx, user, { client })).toBe(1)
  expect(await live([...sessions, ...stranger.sessions])).toEqual([false, false, false, false, true])
})

test('many who revoke the same sessions at once do not wait for each other, and each end is noted once', async () => {
  const { user, sessions } = await person(12)
  const ended = await Promise.all([
    ...sessions.slice(0, 3).map(except => revokeAll(ctx, user, { except, client })),
    ...sessions.slice(6).map(session => revoke(ctx, user, { session, client }).catch(() => undefined)),
  ])
  expect(ended.length).toBe(9)
  expect(await live(sessions)).toEqual(Array(12).fill(false))
  const lines = await noted(user)
  expect(lines).toHaveLength(12)
  expect(new Set(lines.map(one => one.session))).toEqual(new Set(sessions))
})

test('who signs out is out with that session alone, and it is noted once', async () => {
  const { user, sessions } = await person(2)
  await addDevice(user, sessions[0]!)
  await signOut(ctx, user, { session: sessions[0]!, client })
  await signOut(ctx, user, { session: sessions[0]!, client })
  expect(await live(sessions)).toEqual([false, true])
  expect(await devicesOf(sessions[0]!)).toBe(0)
  expect(await noted(user)).toEqual([{ kind: 'signed_out', session: sessions[0], detail: {} }])
})

test('a transaction that fails ends no session', async () => {
  const { user, sessions } = await person(1)
  const failed = transaction(ctx, async tx => {
    expect(await endAll(ctx, { user }, tx)).toHaveLength(1)
    throw new Error('afterwards')
  })
  await expect(failed).rejects.toThrow('afterwards')
  expect(await live(sessions)).toEqual([true])
})
