import { makeUsers, openTestChat, type TestChat, type TestDatabase, testDatabase, until } from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPool, type Pool } from '../store/pool.ts'
import { createLastSeen, seen } from './last-seen.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
let database: TestDatabase
let pool: Pool

beforeAll(async () => {
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 4, logger, applicationName: 'test' })
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})

async function seenAt(users: readonly string[]): Promise<(number | undefined)[]> {
  const found = await pool.query<{ id: string; last_seen_at: Date | null }>(
    'SELECT id, last_seen_at FROM users WHERE id = ANY($1)',
    [users],
  )
  return users.map(user => found.rows.find(row => row.id === user)?.last_seen_at?.getTime())
}

/** A pool that counts its statements. */
function counting() {
  let count = 0
  const query = (...args: Parameters<Pool['query']>) => {
    count++
    return pool.query(...args)
  }
  return { pool: { query } as unknown as Pool, count: () => count }
}

test('those who leave within a window become one statement, and it only rises', async () => {
  const users = await makeUsers(pool, 600)
  const counted = counting()
  const lastSeen = createLastSeen({ pool: counted.pool, logger, windowMs: 20 })
  lastSeen.note(users, 5_000)
  lastSeen.note(users.slice(0, 2), 4_000)
  expect(lastSeen.queued).toBe(600)
  await until(async () => (await seenAt(users)).every(at => at === 5_000), { what: 'everybody was written' })
  expect(counted.count()).toBe(1)
  lastSeen.note(users.slice(0, 1), 3_000)
  lastSeen.note(users.slice(1, 2), 7_000)
  await lastSeen.close()
  expect(await seenAt(users.slice(0, 3))).toEqual([5_000, 7_000, 5_000])
})

test('of two nodes that write the same people at once neither waits for ever, and the later time stays', async () => {
  const users = await makeUsers(pool, 200)
  for (let round = 1; round <= 10; round++) {
    const nodes = [0, 1].map(() => createLastSeen({ pool, logger, windowMs: 60_000 }))
    nodes[round % 2]!.note(users, round * 1_000)
    nodes[(round + 1) % 2]!.note(users.toReversed(), round * 1_000 + 500)
    await Promise.all(nodes.map(node => node.close()))
    expect(new Set(await seenAt(users))).toEqual(new Set([round * 1_000 + 500]))
  }
})

test('what a store that is away did not take is written in the next window, and closing does not wait for ever', async () => {
  const [user] = (await makeUsers(pool, 1)) as [string]
  let away = true
  const query = (...args: Parameters<Pool['query']>) =>
    away ? Promise.reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' })) : pool.query(...args)
  const lastSeen = createLastSeen({ pool: { query } as unknown as Pool, logger, windowMs: 10 })
  lastSeen.note([user], 5_000)
  await new Promise(resolve => setTimeout(resolve, 50))
  expect(lastSeen.queued).toBe(1)
  away = false
  await until(async () => (await seenAt([user]))[0] === 5_000, { what: 'it was written' })
  away = true
  lastSeen.note([user], 6_000)
  await lastSeen.close()
  lastSeen.note([user], 7_000)
  expect(lastSeen.queued).toBe(1)
})

test('closing the domain writes who was seen last, and the erased stay unseen', async () => {
  const [user, erased] = (await makeUsers(pool, 2)) as [string, string]
  await pool.query('UPDATE users SET erased_at = now() WHERE id = $1', [erased])
  const chat: TestChat = await openTestChat(database.url, { clock: () => 9_000 })
  seen(chat.ctx, [user, erased])
  await chat.close()
  expect(await seenAt([user, erased])).toEqual([9_000, undefined])
})
