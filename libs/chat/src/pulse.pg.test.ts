import { makeSessions, makeUsers, type TestDatabase, testDatabase, until } from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPulse } from './pulse.ts'
import { createPool, type Pool } from './store/pool.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
let database: TestDatabase
let pool: Pool

beforeAll(async () => {
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 3, logger, applicationName: 'test' })
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})

const open = (onNewEpoch: (epoch: number) => void = () => {}) => createPulse({ pool, logger, pulseMs: 20, onNewEpoch })

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

test('a store that is not who it was gets a new epoch at the next start (P5)', async () => {
  const first = await open()
  const epoch = first.epoch()
  first.stop()
  const same = await open()
  expect(same.epoch()).toBe(epoch)
  same.stop()
  await pool.query(`UPDATE store SET identity = 'another cluster/1'`)
  const restored = await open()
  expect(restored.epoch()).toBe(epoch + 1)
  restored.stop()
})
