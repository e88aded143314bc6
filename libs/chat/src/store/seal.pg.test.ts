import { randomBytes, randomUUID } from 'node:crypto'
import { type TestDatabase, testDatabase, until } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { aesGcm, xchacha } from './ciphers.ts'
import { createSealer, type MasterKey, rewrapDataKeys } from './seal.ts'
import { createPool, type Pool } from './pool.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const masterKey = (id: string): MasterKey => ({ id, key: randomBytes(32) })
const dayMs = 24 * 3_600_000

let database: TestDatabase
let pool: Pool
const old = masterKey('old')

beforeAll(async () => {
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 2, logger, applicationName: 'test' })
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})
beforeEach(() => pool.query('DELETE FROM data_keys'))

const place = { conversation: randomUUID(), sender: randomUUID(), clientId: randomUUID(), kind: 1 }
const text = '{"body":{"text":"Grüße 👋"}}'
const dataKeys = async () =>
  (
    await pool.query<{ id: number; master_key_id: string; wrapped: Buffer; cipher: number }>(
      'SELECT * FROM data_keys ORDER BY id',
    )
  ).rows

test('what was sealed opens at its place, and nowhere else', async () => {
  const sealer = await createSealer(pool, [old])
  const { keyId, body } = sealer.seal(place, text)
  expect(sealer.open(place, keyId, body)).toBe(text)
  for (const other of [
    { ...place, conversation: randomUUID() },
    { ...place, sender: randomUUID() },
    { ...place, clientId: randomUUID() },
    { ...place, kind: 2 },
  ])
    expect(() => sealer.open(other, keyId, body)).toThrow()
})

test('a new store seals by the new cipher', async () => {
  await createSealer(pool, [old])
  expect(await dataKeys()).toMatchObject([{ cipher: xchacha.number }])
})

test('a store in which the version before has made keys does so a day after the migration', async () => {
  const applied = (ago: string) =>
    pool.query(`UPDATE schema_migrations SET applied_at = now() - $1::interval WHERE name = '0012-sealing.sql'`, [ago])
  onTestFinished(async () => void (await applied('0')))
  const before = await createSealer(pool, [old])
  await pool.query(`UPDATE data_keys SET created_at = now() - interval '30 hours', cipher = 0`)
  await applied('1 hour')
  const during = await createSealer(pool, [old])
  const sealed = during.seal(place, text)
  await pool.query(`UPDATE data_keys SET created_at = created_at - interval '30 hours'`)
  await applied('25 hours')
  const after = await createSealer(pool, [old])
  expect((await dataKeys()).map(row => row.cipher)).toEqual([aesGcm.number, aesGcm.number, xchacha.number])
  await after.ready([sealed.keyId])
  expect(after.open(place, sealed.keyId, sealed.body)).toBe(text)
  expect(before.seal(place, text).keyId).toBeLessThan(sealed.keyId)
})

test('a key for a cipher of a newer version is not sealed with', async () => {
  await createSealer(pool, [old])
  await pool.query('UPDATE data_keys SET cipher = 99')
  const sealer = await createSealer(pool, [old])
  expect(sealer.open(place, sealer.seal(place, text).keyId, sealer.seal(place, text).body)).toBe(text)
  const [newer] = await dataKeys()
  await expect(sealer.ready([newer!.id])).rejects.toThrow('cipher 99: it is of a newer version')
})

describe.each([aesGcm, xchacha])('cipher $number', ({ seal, open }) => {
  const key = randomBytes(32)

  test.each(['', 'x', 'Grüße 👋', '\ud800', 'a'.repeat(100_000)])('opens what it has sealed: %#', plain => {
    expect(open(key, 'bound', seal(key, 'bound', plain))).toEqual(Buffer.from(plain))
    expect(open(key, 'bound', seal(key, 'bound', Buffer.from(plain)))).toEqual(Buffer.from(plain))
  })

  test('opens nothing that is cut, changed, bound to something else, or under another key', () => {
    const sealed = seal(key, 'bound', text)
    for (const length of [0, 1, 24, 39, sealed.length - 1])
      expect(() => open(key, 'bound', sealed.subarray(0, length))).toThrow()
    for (let at = 0; at < sealed.length; at++) {
      const wrong = Buffer.from(sealed)
      wrong[at]! ^= 1
      expect(() => open(key, 'bound', wrong)).toThrow()
    }
    expect(() => open(key, 'other', sealed)).toThrow()
    expect(() => open(randomBytes(32), 'bound', sealed)).toThrow()
  })
})

test('a sealed body shows nothing of its text, and never looks the same twice', async () => {
  const sealer = await createSealer(pool, [old])
  const [first, second] = [sealer.seal(place, text), sealer.seal(place, text)]
  expect(first.body.includes('Grüße')).toBe(false)
  expect(first.body.equals(second.body)).toBe(false)
})

test('a body that was tampered with does not open', async () => {
  const sealer = await createSealer(pool, [old])
  const { keyId, body } = sealer.seal(place, text)
  for (const at of [0, 12, body.length - 1]) {
    const wrong = Buffer.from(body)
    wrong[at]! ^= 1
    expect(() => sealer.open(place, keyId, wrong)).toThrow()
  }
  expect(() => sealer.open(place, keyId, body.subarray(0, 20))).toThrow()
})

test('another process opens it, after it has loaded the data key', async () => {
  const writer = await createSealer(pool, [old])
  const { keyId, body } = writer.seal(place, text)
  await pool.query("UPDATE data_keys SET created_at = now() - interval '2 days'")
  const reader = await createSealer(pool, [old])
  expect(() => reader.open(place, keyId, body)).toThrow(`data key ${keyId} was not made ready`)
  await reader.ready([keyId, keyId])
  expect(reader.open(place, keyId, body)).toBe(text)
})

test('processes that start within a day share a data key; then there is a new one', async () => {
  const ids = async () => {
    const sealer = await createSealer(pool, [old])
    return sealer.seal(place, text).keyId
  }
  const first = await ids()
  expect(await ids()).toBe(first)
  await pool.query("UPDATE data_keys SET created_at = now() - interval '25 hours'")
  expect(await ids()).toBeGreaterThan(first)
})

test('a process that runs on takes a new data key after a day, and bodies under the old one still open', async () => {
  let now = Date.now()
  const sealer = await createSealer(pool, [old], () => now)
  const first = sealer.seal(place, text)
  now += dayMs + 1_000
  const second = await until(
    () => {
      const sealed = sealer.seal(place, text)
      return sealed.keyId !== first.keyId && sealed
    },
    { what: 'a new data key' },
  )
  expect(sealer.open(place, first.keyId, first.body)).toBe(text)
  expect(sealer.open(place, second.keyId, second.body)).toBe(text)
  expect(await dataKeys()).toHaveLength(2)
})

test('data keys lie in the store only wrapped', async () => {
  await createSealer(pool, [old])
  const [row] = await dataKeys()
  // nonce, key, tag
  expect(row!.wrapped).toHaveLength(12 + 32 + 16)
  const wrong = { id: 'old', key: randomBytes(32) }
  await expect(createSealer(pool, [wrong])).rejects.toThrow()
})

test('after a rotation new bodies are under the new master key, and old ones open', async () => {
  const before = await createSealer(pool, [old])
  const sealed = before.seal(place, text)
  const fresh = masterKey('new')
  const after = await createSealer(pool, [fresh, old])
  expect(after.seal(place, text).keyId).not.toBe(sealed.keyId)
  await after.ready([sealed.keyId])
  expect(after.open(place, sealed.keyId, sealed.body)).toBe(text)
  const without = await createSealer(pool, [fresh])
  await expect(without.ready([sealed.keyId])).rejects.toThrow('master key old is not configured')
})

test('data keys are wrapped anew, so that the old master key can be thrown away', async () => {
  const sealed = (await createSealer(pool, [old])).seal(place, text)
  const fresh = masterKey('new')
  expect(await rewrapDataKeys(pool, [fresh, old])).toBe(1)
  expect(await rewrapDataKeys(pool, [fresh, old])).toBe(0)
  const without = await createSealer(pool, [fresh])
  await without.ready([sealed.keyId])
  expect(without.open(place, sealed.keyId, sealed.body)).toBe(text)
  await expect(rewrapDataKeys(pool, [])).rejects.toThrow('no master key is configured')
})

test('without a master key nothing starts', async () => {
  await expect(createSealer(pool, [])).rejects.toThrow('no master key is configured')
})

test('a store that has lost the key in use gets it back: what was sealed with it opens for everybody', async () => {
  const sealer = await createSealer(pool, [old], Date.now)
  const { keyId, body } = sealer.seal(place, text)
  await pool.query('DELETE FROM data_keys')
  sealer.keepKey()
  await until(async () => (await dataKeys()).length === 1, { what: 'it is back' })
  const other = await createSealer(pool, [old], Date.now)
  await other.ready([keyId])
  expect(other.open(place, keyId, body)).toBe(text)
})

test('a store that has another key under the number of the one in use: another is taken', async () => {
  const sealer = await createSealer(pool, [old], Date.now)
  const lost = sealer.seal(place, text)
  await pool.query('DELETE FROM data_keys')
  const elsewhere = await createSealer(pool, [old], Date.now)
  const kept = elsewhere.seal(place, text)
  await pool.query('UPDATE data_keys SET id = DEFAULT')
  await pool.query(
    `INSERT INTO data_keys (id, master_key_id, wrapped, cipher) OVERRIDING SYSTEM VALUE
     SELECT $1, master_key_id, wrapped, cipher FROM data_keys WHERE id <> $1 LIMIT 1`,
    [lost.keyId],
  )
  sealer.keepKey()
  await until(() => Promise.resolve(sealer.seal(place, text).keyId !== lost.keyId), { what: 'another is in use' })
  await sealer.ready([lost.keyId])
  expect(sealer.open(place, lost.keyId, kept.body)).toBe(text)
})
