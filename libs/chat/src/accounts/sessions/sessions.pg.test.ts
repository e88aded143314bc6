import type { User } from '@flotilla/protocol'
import { randomUUID } from 'node:crypto'
import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
  until,
} from '@flotilla/testing'
import type { QueryConfig } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { registerUser as register } from '../registration/register.testbed.ts'
import { createAdmissions } from './admissions.ts'
import { admit } from './admit.ts'
import type { SignedIn } from './begin.ts'
import { check } from './check.ts'
import { end } from './end.ts'
import { open } from './open.ts'
import { signIn } from './sign-in.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let alice: User
let now = Date.now()

const password = 'correct horse'
const client = { deviceName: 'laptop', address: '192.0.2.1', country: 'NL', agent: 'Firefox' }

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { settings: { pulseMs: 20 } })
  ctx = chat.ctx
  alice = await register(ctx, { username: 'alice', password })
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

const openSession = async () => (await open(ctx, alice.id, client, 'password')).session
const change = (session: string, set: string) => ctx.pool.query(`UPDATE sessions SET ${set} WHERE id = $1`, [session])
const passTime = (ms: number) => (now += ms)

test('name and password open a session', async () => {
  const signedIn = (await signIn(ctx, {
    username: 'ALICE',
    password,
    client: { ...client, deviceName: ' Firefox ' },
  })) as SignedIn
  expect(signedIn).toEqual({ user: alice, session: expect.any(String), number: 1 })
  const row = await ctx.pool.query(
    `SELECT device_name, expires_at BETWEEN now() + interval '29 days' AND now() + interval '31 days' AS in_a_month
       FROM sessions WHERE id = $1`,
    [signedIn.session],
  )
  expect(row.rows).toEqual([{ device_name: 'Firefox', in_a_month: true }])
})

test.each([
  ['alice', 'wrong horse'],
  ['nobody', password],
  ['not a name\u0000', password],
])('%s with %s is refused, and nothing says why', async (username, wrong) => {
  const refused = signIn(ctx, { username, password: wrong, client })
  await expect(refused).rejects.toMatchObject({ code: 'invalid_credentials', detail: {} })
})

test('a person without a password cannot sign in with one', async () => {
  const [id] = await makeUsers(ctx.pool, 1)
  await ctx.pool.query("UPDATE users SET username = 'guest' WHERE id = $1", [id])
  const refused = signIn(ctx, { username: 'guest', password: '', client })
  await expect(refused).rejects.toMatchObject({ code: 'invalid_credentials' })
})

test('the end of a session is told once and keeps its time', async () => {
  const told: string[] = []
  ctx.pulse.onRevoked(sessions => told.push(...sessions))
  const session = await openSession()
  await end(ctx, session)
  await until(() => told.includes(session), { what: 'the pulse names the session' })
  await change(session, "revoked_at = '2001-01-01'")
  await end(ctx, session)
  const row = await ctx.pool.query('SELECT revoked_at FROM sessions WHERE id = $1', [session])
  expect(row.rows).toEqual([{ revoked_at: new Date('2001-01-01') }])
  await end(ctx, randomUUID())
})

test('a check answers whose session it is while it is good', async () => {
  const session = await openSession()
  expect(await check(ctx, session)).toEqual({ user: alice.id })
  expect(await check(ctx, randomUUID())).toBeUndefined()
  await end(ctx, session)
  expect(await check(ctx, session)).toBeUndefined()
  const over = await openSession()
  await change(over, 'expires_at = now()')
  expect(await check(ctx, over)).toBeUndefined()
})

test('a check trusts an answer for one second, and not when it is told of the end', async () => {
  // Another process: its pulse is the only way in which it hears of the end.
  const admissions = createAdmissions({ pool: ctx.pool, steady: () => now })
  const [first, second] = [await openSession(), await openSession()]
  for (const session of [first, second]) expect(await admissions.check(session)).toEqual({ user: alice.id })
  for (const session of [first, second]) await end(ctx, session)
  expect(await admissions.check(first)).toEqual({ user: alice.id })
  admissions.forget([first])
  expect(await admissions.check(first)).toBeUndefined()
  passTime(999)
  expect(await admissions.check(second)).toEqual({ user: alice.id })
  passTime(1)
  expect(await admissions.check(second)).toBeUndefined()
})

test('checks of one turn are one query, and a failed one is not remembered', async () => {
  let queries = 0
  let fail = true
  const pool = Object.create(ctx.pool) as typeof ctx.pool
  pool.query = ((config: QueryConfig) => {
    queries++
    return fail ? Promise.reject(new Error('away')) : ctx.pool.query(config)
  }) as unknown as typeof pool.query
  const admissions = createAdmissions({ pool, steady: () => now })
  const sessions = await Promise.all(Array.from({ length: 20 }, openSession))
  const failed = await Promise.allSettled(sessions.map(session => admissions.check(session)))
  expect(failed.every(one => one.status === 'rejected')).toBe(true)
  fail = false
  expect(await Promise.all(sessions.map(session => admissions.check(session)))).toEqual(
    sessions.map(() => ({ user: alice.id })),
  )
  await Promise.all(sessions.map(session => admissions.admit(alice.id, session)))
  expect(queries).toBe(3)
})

test('a socket is admitted with a good session of its own, and learns the conversations that go by interest', async () => {
  const [bob] = await makeUsers(ctx.pool, 1)
  const session = await openSession()
  expect(await admit(ctx, { user: alice.id, session })).toEqual({ suspended: false, interests: [] })
  const [small, group] = [await makeConversation(ctx.pool, [alice.id]), await makeConversation(ctx.pool, [alice.id])]
  await ctx.pool.query('UPDATE conversations SET large_since = now(), version = 7 WHERE id = $1', [group])
  await ctx.pool.query('UPDATE members SET joined_seq = 5 WHERE conversation_id = $1', [group])
  expect(small).not.toBe(group)
  expect(await admit(ctx, { user: alice.id, session })).toEqual({
    suspended: false,
    interests: [{ conversation: group, version: 7, joinedSeq: 5 }],
  })
  expect(await admit(ctx, { user: bob!, session })).toBeUndefined()
  await end(ctx, session)
  expect(await admit(ctx, { user: alice.id, session })).toBeUndefined()
  expect(await admit(ctx, { user: alice.id, session: randomUUID() })).toBeUndefined()
})
