import { makeUsers, startFaultProxy, type FaultProxy, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createPool, type Pool } from './pool.ts'
import { afterCommit, transaction } from './transaction.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
let database: TestDatabase
let proxy: FaultProxy
/** Through the proxy, and past it. */
let pool: Pool
let direct: Pool
let user: string

beforeEach(async () => {
  database = await testDatabase()
  const url = new URL(database.url)
  proxy = await startFaultProxy({ target: { host: url.hostname, port: Number(url.port) } })
  url.hostname = '127.0.0.1'
  url.port = String(proxy.port)
  pool = createPool({ url: url.href, connectionsMax: 2, logger, applicationName: 'test' })
  direct = createPool({ url: database.url, connectionsMax: 2, logger, applicationName: 'test' })
  user = (await makeUsers(direct, 1))[0]!
})
afterEach(async () => {
  await pool.end()
  await direct.end()
  await proxy.close()
  await database.drop()
})

const write = (followed: string[]) =>
  transaction({ pool }, async client => {
    await client.query(`UPDATE users SET about = 'changed' WHERE id = $1`, [user])
    await afterCommit(client, () => Promise.resolve(void followed.push('followed')))
    return 'done'
  })
const about = async () =>
  (await direct.query<{ about: string }>('SELECT about FROM users WHERE id = $1', [user])).rows[0]!.about

test('a connection that breaks between the commit and its answer: the outcome is found out, and what follows follows', async () => {
  const followed: string[] = []
  const sprung = proxy.trap({ direction: 'down', when: { pattern: 'COMMI' }, action: 'cut' })
  const result = write(followed)
  await sprung
  expect(await result).toBe('done')
  expect(await about()).toBe('changed')
  expect(followed).toEqual(['followed'])
})

test('a connection that breaks before the commit arrives: nothing is changed, and nothing follows', async () => {
  const followed: string[] = []
  const sprung = proxy.trap({ direction: 'up', when: { pattern: 'COMMI' }, action: 'cut' })
  const result = write(followed)
  await sprung
  await expect(result).rejects.toMatchObject({ code: 'unavailable' })
  expect(await about()).toBe('')
  expect(followed).toEqual([])
})

test('the outcome is not asked of a store of another epoch, where another transaction may have the number', async () => {
  const followed: string[] = []
  const sprung = proxy.trap({ direction: 'down', when: { pattern: 'COMMI' }, action: 'cut' })
  const result = transaction({ pool }, async client => {
    await client.query(`UPDATE users SET about = 'changed' WHERE id = $1`, [user])
    await afterCommit(client, () => Promise.resolve(void followed.push('followed')))
    await direct.query('UPDATE store SET epoch = epoch + 1')
  })
  await sprung
  await expect(result).rejects.toMatchObject({ code: 'unavailable' })
  expect(followed).toEqual([])
})

test('a store without room: the caller hears when to come back, and the connection is given up', async () => {
  const result = transaction({ pool }, client =>
    client.query(`DO $$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = '53100'; END $$`),
  )
  await expect(result).rejects.toMatchObject({ code: 'unavailable', detail: { retryMs: 5_000 } })
  expect(pool.totalCount).toBe(0)
})
