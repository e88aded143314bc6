import type { User } from '@flotilla/protocol'
import { randomUUID } from 'node:crypto'
import { openTestChat, type TestChat, type TestDatabase, testDatabase, until } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { list as listSecurity } from '../../notices/security/list.ts'
import { create } from '../registration/create.ts'
import { check } from './check.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { end } from './end.ts'
import { open } from './open.ts'
import { refresh as refreshBy } from './refresh.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let alice: User

const client: ClientDevice = { deviceName: 'laptop', address: '192.0.2.1', country: 'NL', agent: 'Firefox' }
const elsewhere: ClientDevice = { ...client, address: '203.0.113.9' }
const anotherProgram: ClientDevice = { ...client, agent: 'curl' }

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
  alice = await create(ctx, { username: 'alice' })
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

const openSession = async () => (await open(ctx, alice.id, client, 'password')).session
const refresh = (session: string, number: number, by = client, attempt?: string) =>
  refreshBy(ctx, { session, number, client: by, attempt })
const change = (session: string, set: string) => ctx.pool.query(`UPDATE sessions SET ${set} WHERE id = $1`, [session])
const isRevoked = async (session: string) =>
  (await ctx.pool.query('SELECT 1 FROM sessions WHERE id = $1 AND revoked_at IS NOT NULL', [session])).rowCount === 1
const reused = (attempt: Promise<unknown>) => expect(attempt).rejects.toMatchObject({ code: 'refresh_token_reused' })
const invalid = (attempt: Promise<unknown>) => expect(attempt).rejects.toMatchObject({ code: 'refresh_token_invalid' })

test('refreshing counts on, and lengthens the session up to its whole life', async () => {
  const session = await openSession()
  await change(session, "expires_at = now() + interval '1 minute'")
  expect(await refresh(session, 1)).toEqual({ user: alice, session, number: 2 })
  expect(await refresh(session, 2)).toMatchObject({ number: 3 })
  const expiry = async () =>
    (
      await ctx.pool.query<{ days: number }>(
        'SELECT round(extract(epoch FROM expires_at - now()) / 86400)::int AS days FROM sessions WHERE id = $1',
        [session],
      )
    ).rows[0]!.days
  expect(await expiry()).toBe(30)
  await change(session, "created_at = now() - interval '175 days'")
  await refresh(session, 3)
  expect(await expiry()).toBe(5)
})

test('the session says where it was last refreshed, and when', async () => {
  const session = await openSession()
  await change(session, "seen_at = '2001-01-01'")
  await refresh(session, 1, { deviceName: 'ignored', address: '198.51.100.7', country: 'FR', agent: 'Firefox 2' })
  const { rows } = await ctx.pool.query(
    `SELECT device_name, address, country, agent, seen_at > now() - interval '1 minute' AS seen FROM sessions WHERE id = $1`,
    [session],
  )
  expect(rows).toEqual([
    { device_name: 'laptop', address: '198.51.100.7', country: 'FR', agent: 'Firefox 2', seen: true },
  ])
})

describe('the number just before', () => {
  test('of many refreshes at once one counts on and the others get its number', async () => {
    const session = await openSession()
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(session, 1)))
    expect(answers.map(answer => answer.number)).toEqual(Array(8).fill(2))
    expect(await isRevoked(session)).toBe(false)
  })

  test('is good for ten seconds', async () => {
    const { session, answer } = await until(
      async () => {
        const session = await openSession()
        await refresh(session, 1)
        await change(session, "refreshed_at = now() - interval '9 seconds'")
        const answer = await refresh(session, 1).catch((error: unknown) => error)
        // On a machine that stood still the tenth was over before it asked, which says nothing.
        const { rowCount } = await ctx.pool.query(
          "SELECT FROM sessions WHERE id = $1 AND refreshed_at > clock_timestamp() - interval '10 seconds'",
          [session],
        )
        return rowCount === 1 && { session, answer }
      },
      { what: 'it was asked in time' },
    )
    expect(answer).toMatchObject({ number: 2 })
    await change(session, "refreshed_at = now() - interval '11 seconds'")
    await reused(refresh(session, 1))
    expect(await isRevoked(session)).toBe(true)
    await invalid(refresh(session, 2))
  })

  test('is good for a repetition of the same attempt, from wherever it comes: a phone changes its network', async () => {
    const session = await openSession()
    const attempt = randomUUID()
    await refresh(session, 1, client, attempt)
    expect(await refresh(session, 1, elsewhere, attempt)).toMatchObject({ number: 2 })
    expect(await isRevoked(session)).toBe(false)
  })

  test('is good for the attempt that counted on, and for no attempt before it', async () => {
    const session = await openSession()
    const [first, second] = [randomUUID(), randomUUID()]
    await refresh(session, 1, client, first)
    await refresh(session, 2, client, second)
    await reused(refresh(session, 2, elsewhere, first))
  })

  test.each([
    ['another address', elsewhere, undefined],
    ['another program', anotherProgram, undefined],
    ['another address with an attempt of its own', elsewhere, randomUUID()],
  ])('from %s ends the session at once, for the thief and for the victim', async (_name, thief, attempt) => {
    const session = await openSession()
    await refresh(session, 1, client, randomUUID())
    expect(await check(ctx, session)).toBeDefined()
    await reused(refresh(session, 1, thief, attempt))
    expect(await check(ctx, session)).toBeUndefined()
    await invalid(refresh(session, 1, thief, attempt))
    await invalid(refresh(session, 2))
  })
})

test.each([
  ['two before', 1],
  ['one that never was', 4],
])('a number that is %s ends the session, whoever shows it', async (_, number) => {
  const session = await openSession()
  const attempt = randomUUID()
  await refresh(session, 1, client, attempt)
  await refresh(session, 2, client, attempt)
  await reused(refresh(session, number, client, attempt))
  expect(await isRevoked(session)).toBe(true)
})

test('the good token, used first by a thief: the refresh of the victim ends the session of both', async () => {
  const session = await openSession()
  expect(await refresh(session, 1, elsewhere, randomUUID())).toMatchObject({ number: 2 })
  await reused(refresh(session, 1, client, randomUUID()))
  await invalid(refresh(session, 2, elsewhere))
})

test('a thief and many tabs of the victim at once: whoever is first, nobody stays signed in', async () => {
  for (let round = 0; round < 10; round++) {
    const session = await openSession()
    const all = await Promise.allSettled([
      ...Array.from({ length: 4 }, () => refresh(session, 1)),
      refresh(session, 1, elsewhere),
      ...Array.from({ length: 4 }, () => refresh(session, 1)),
    ])
    const codes = all.map(one => (one.status === 'rejected' ? (one.reason as { code: string }).code : 'ok'))
    expect(codes.filter(code => code === 'refresh_token_reused').length).toBeGreaterThan(0)
    expect(await isRevoked(session)).toBe(true)
    for (const by of [client, elsewhere]) await invalid(refresh(session, 2, by))
  }
})

test('a reused token is noted once, with where it was shown', async () => {
  const bob = await create(ctx, { username: 'bob' })
  const { session } = await open(ctx, bob.id, client, 'password')
  await refresh(session, 1)
  await Promise.allSettled(Array.from({ length: 5 }, () => refresh(session, 1, elsewhere)))
  const { events } = await listSecurity(ctx, bob.id, { limit: 10 })
  expect(events.filter(event => event.kind === 'refresh_token_reused')).toEqual([
    expect.objectContaining({ session, address: elsewhere.address, country: 'NL', agent: 'Firefox' }),
  ])
})

test('a session that is unknown, ended or over is not refreshed', async () => {
  await invalid(refresh(randomUUID(), 1))
  const ended = await openSession()
  await end(ctx, ended)
  await invalid(refresh(ended, 1))
  const over = await openSession()
  await change(over, 'expires_at = now()')
  await invalid(refresh(over, 1))
  expect(await isRevoked(over)).toBe(false)
})
