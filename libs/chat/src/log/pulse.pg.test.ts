import { randomUUID } from 'node:crypto'
import { makeSessions, makeUsers, type TestDatabase, testDatabase, until } from '@flotilla/testing'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type ConversationChange, createPulse } from './pulse.ts'
import { createPool, type Pool } from '../store/pool.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
let database: TestDatabase
let pool: Pool

beforeAll(async () => {
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 3, logger, applicationName: 'test' })
})
afterEach(() => void vi.restoreAllMocks())
afterAll(async () => {
  await pool.end()
  await database.drop()
})

const clock = { heard() {} }
type Answer = { readonly rows: { at?: number }[] } | undefined
/** Has every answer of the pool pass through this; `at` is the time of the store. @returns the pool's own query */
function interpose(change: (ask: () => Promise<Answer>) => Promise<Answer>) {
  const query = pool.query.bind(pool) as unknown as (...given: unknown[]) => Promise<Answer>
  const answer = (...given: unknown[]): unknown => change(() => query(...given))
  vi.spyOn(pool, 'query').mockImplementation(answer as () => void)
  return query
}
const open = (onNewEpoch: (epoch: number) => void = () => {}) =>
  createPulse({ pool, logger, clock, pulseMs: 20, onNewEpoch })

test('a session that was revoked is told within a pulse, once', async () => {
  const [user] = (await makeUsers(pool, 1)) as [string]
  const [kept, ended] = await makeSessions(pool, [user, user])
  const pulse = await open()
  const told: string[] = []
  pulse.onRevoked(sessions => told.push(...sessions))
  await pool.query('UPDATE sessions SET revoked_at = now() WHERE id = $1', [ended])
  await until(() => told.length > 0, { what: 'the revocation is told' })
  const before = (await pool.query<{ epoch: number }>('UPDATE store SET epoch = epoch + 1 RETURNING epoch')).rows[0]!
    .epoch
  await until(() => pulse.epoch() === before, { what: 'a later pulse' })
  expect(told).toEqual([ended])
  expect(told).not.toContain(kept)
  pulse.stop()
})

test('who hid something is told within a pulse, once for each time', async () => {
  const [kept, hid] = (await makeUsers(pool, 2)) as [string, string]
  const pulse = await open()
  const told: string[] = []
  pulse.onHidden(users => told.push(...users))
  const hide = () => pool.query('UPDATE users SET hidden_at = clock_timestamp() WHERE id = $1', [hid])
  const laterPulse = async () => {
    const { rows } = await pool.query<{ epoch: number }>('UPDATE store SET epoch = epoch + 1 RETURNING epoch')
    await until(() => pulse.epoch() === rows[0]!.epoch, { what: 'a later pulse' })
  }
  await hide()
  await until(() => told.length > 0, { what: 'it is told' })
  await laterPulse()
  expect(told).toEqual([hid])
  await hide()
  await until(() => told.length > 1, { what: 'it is told again' })
  await laterPulse()
  expect(told).toEqual([hid, hid])
  expect(told).not.toContain(kept)
  pulse.stop()
})

test('what was revoked or hidden just before the clock of the store was set forward is told all the same', async () => {
  const [user] = (await makeUsers(pool, 1)) as [string]
  const [ended] = await makeSessions(pool, [user])
  const then = "clock_timestamp() - interval '1 hour'"
  await pool.query(`UPDATE sessions SET revoked_at = ${then} WHERE id = $1`, [ended])
  await pool.query(`UPDATE users SET hidden_at = ${then} WHERE id = $1`, [user])
  // As if it had been an hour behind until now: what was written is of then, and so is the first answer.
  let isFirst = true
  interpose(async ask => {
    const found = await ask()
    const row = found?.rows[0]
    if (isFirst && typeof row?.at === 'number') {
      isFirst = false
      row.at -= 3_600_000
    }
    return found
  })
  const heard: number[] = []
  const pulse = await createPulse({
    pool,
    logger,
    clock: { heard: at => void heard.push(at) },
    pulseMs: 20,
    onNewEpoch: () => {},
  })
  const revoked: string[] = []
  const hidden: string[] = []
  pulse.onRevoked(sessions => revoked.push(...sessions))
  pulse.onHidden(users => hidden.push(...users))
  await until(() => revoked.includes(ended!) && hidden.includes(user), { what: 'both are told' })
  pulse.stop()
  expect(heard[1]! - heard[0]!).toBeGreaterThan(3_500_000)
})

test('what happened while the store did not answer the pulse is told afterwards, however long that was', async () => {
  const [user] = (await makeUsers(pool, 1)) as [string]
  const [session] = (await makeSessions(pool, [user])) as [string]
  let away = false
  let failed = 0
  const query = interpose(async ask => {
    if (away) throw new Error(`away ${failed++}`)
    const found = await ask()
    const row = found?.rows[0]
    // The last answer was given before an outage of ten minutes.
    if (failed === 0 && typeof row?.at === 'number') row.at -= 600_000
    return found
  })
  const pulse = await open()
  const told: string[] = []
  pulse.onRevoked(sessions => told.push(...sessions))
  pulse.onHidden(users => told.push(...users))
  await new Promise(resolve => setTimeout(resolve, 60))
  away = true
  await until(() => failed > 1, { what: 'the pulse fails' })
  // At the beginning of the outage both happened.
  await query(`UPDATE sessions SET revoked_at = now() - interval '9 minutes' WHERE id = $1`, [session])
  await query(`UPDATE users SET hidden_at = now() - interval '9 minutes' WHERE id = $1`, [user])
  away = false
  await until(() => [session, user].every(one => told.includes(one)), { what: 'both are told' })
  pulse.stop()
})

test('a store that is not who it was gets a new epoch at the next start (P5)', async () => {
  const first = await open()
  const epoch = first.epoch()
  first.stop()
  const same = await open()
  expect(same.epoch()).toBe(epoch)
  same.stop()
  await pool.query(`UPDATE store SET identity = 'another cluster/1'`)
  const restored = await open()
  expect(restored.epoch()).toBeGreaterThan(epoch)
  restored.stop()
})

test('a change is named once, also one that commits long after it was made', async () => {
  const users = await makeUsers(pool, 1)
  const pulse = await open()
  const told: ConversationChange[] = []
  pulse.onChanged(changes => told.push(...changes))
  const insert = (client: Pick<Pool, 'query'>, conversation: string) =>
    client.query('INSERT INTO changes (conversation_id, seq, version, users) VALUES ($1, 7, 2, $2)', [
      conversation,
      users,
    ])
  const [slow, quick] = [randomUUID(), randomUUID()]
  const held = await pool.connect()
  await held.query('BEGIN')
  await insert(held, slow)
  await insert(pool, quick)
  await until(() => told.length === 1, { what: 'the quick one is named' })
  await new Promise(resolve => setTimeout(resolve, 100))
  expect(told).toEqual([{ conversation: quick, seq: 7, version: 2, users }])
  await held.query('COMMIT')
  held.release()
  await until(() => told.length === 2, { what: 'the slow one is named' })
  await new Promise(resolve => setTimeout(resolve, 100))
  expect(told.map(change => change.conversation)).toEqual([quick, slow])
  pulse.stop()
})

test('whoever registers something after asking for a session can see that it was revoked in between', async () => {
  const [user] = (await makeUsers(pool, 1)) as [string]
  const [kept, ended] = (await makeSessions(pool, [user, user])) as [string, string]
  const pulse = await open()
  await pool.query('UPDATE sessions SET revoked_at = now() WHERE id = $1', [ended])
  await until(() => pulse.isRevoked(ended), { what: 'it is known' })
  expect(pulse.isRevoked(kept)).toBe(false)
  pulse.stop()
})
