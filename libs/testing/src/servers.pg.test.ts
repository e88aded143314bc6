import { Client } from 'pg'
import { expect, test } from 'vitest'
import { testDatabase } from './databases.ts'
import { serveServers, sharedPostgres } from './servers.ts'

test('every file of a run gets the same server, and a database of its own', async () => {
  expect(await sharedPostgres()).toBe(await sharedPostgres())
  const content = { key: 'empty', fill: () => Promise.resolve() }
  const [one, other] = await Promise.all([testDatabase(content), testDatabase(content)])
  expect(one.url).not.toBe(other.url)
  const client = new Client({ connectionString: one.url })
  await client.connect()
  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  await client.end()
  await Promise.all([one.drop(), other.drop()])
})

test('TEST_DATABASE_URL comes first, and without a run there is a clear error', async () => {
  expect(await sharedPostgres({ TEST_DATABASE_URL: 'postgres://elsewhere/postgres' })).toBe(
    'postgres://elsewhere/postgres',
  )
  await expect(sharedPostgres({})).rejects.toThrow('global-setup.ts')
})

test('a run that asks for nothing starts nothing, and a second project of the same run joins the first', async () => {
  const env: NodeJS.ProcessEnv = {}
  const end = await serveServers(env)
  const address = env['FLOTILLA_TEST_SERVERS']
  const endOfSecond = await serveServers(env)
  await endOfSecond()
  expect(env['FLOTILLA_TEST_SERVERS']).toBe(address)
  await end()
  expect(env).toEqual({})
  await expect(fetch(address!)).rejects.toThrow('fetch failed')
})
