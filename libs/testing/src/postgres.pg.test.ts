import { Client } from 'pg'
import { afterAll, expect, test } from 'vitest'
import { freshDatabase, type TestDatabase } from './databases.ts'
import { startPostgres } from './postgres.ts'

const server = await startPostgres({ settings: { application_name: 'from-settings' } })
afterAll(() => server.drop())

async function ask(sql: string, url = server.url): Promise<unknown> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    const answer = await client.query<Record<string, unknown>>(sql)
    return Object.values(answer.rows[0] ?? {})[0]
  } finally {
    await client.end()
  }
}

test('it is PostgreSQL 18, hasty unless told otherwise, and takes further settings', async () => {
  expect(Number(await ask('SHOW server_version_num'))).toBeGreaterThanOrEqual(180_000)
  expect(await ask('SHOW fsync')).toBe('off')
  expect(await ask('SHOW max_connections')).toBe('200')
  expect(await ask('SHOW application_name')).toBe('from-settings')
  const durable = await startPostgres({ durable: true })
  expect(await ask('SHOW fsync', durable.url)).toBe('on')
  expect(await ask('SHOW synchronous_commit', durable.url)).toBe('on')
  await durable.drop()
})

test.each(['fast', 'immediate'] as const)(
  'after a stop that is %s it comes back on its port with what was committed',
  async mode => {
    await ask(`CREATE TABLE kept_${mode} AS SELECT 7 AS seven`)
    const open = new Client({ connectionString: server.url })
    const lost = new Promise(resolve => open.on('error', resolve))
    await open.connect()
    await server.stop(mode)
    await lost
    expect(server.running()).toBe(false)
    await expect(ask('SELECT 1')).rejects.toThrow('ECONNREFUSED')
    await server.start()
    expect(await ask(`SELECT seven FROM kept_${mode}`)).toBe(7)
  },
)

test('a stop that is smart waits for its clients', async () => {
  const open = new Client({ connectionString: server.url })
  await open.connect()
  const stopped = server.stop('smart')
  await expect(open.query('SELECT pg_sleep(0.05)')).resolves.toBeDefined()
  expect(server.running()).toBe(true)
  await open.end()
  await stopped
  await server.start()
})

test('a fresh database is a copy of its template, which is filled once for all who ask together', async () => {
  let filled = 0
  const content = {
    key: 'probe',
    async fill(url: string) {
      filled += 1
      await ask('CREATE TABLE probe AS SELECT 1 AS one', url)
    },
  }
  const databases = await Promise.all([1, 2, 3].map(() => freshDatabase(server.url, content)))
  const [first, second] = databases as [TestDatabase, TestDatabase]
  expect(filled).toBe(1)
  expect(new Set(databases.map(one => one.url)).size).toBe(3)
  await ask('UPDATE probe SET one = 2', first.url)
  expect(await ask('SELECT one FROM probe', second.url)).toBe(1)
  const held = new Client({ connectionString: first.url })
  held.on('error', () => {})
  await held.connect()
  for (const database of databases) await database.drop()
  await expect(ask('SELECT 1', first.url)).rejects.toThrow('does not exist')
})

test('a template that could not be filled is made anew by the next who asks', async () => {
  const broken = { key: 'mended', fill: () => Promise.reject(new Error('half-way')) }
  await expect(freshDatabase(server.url, broken)).rejects.toThrow('half-way')
  const database = await freshDatabase(server.url, {
    key: 'mended',
    fill: url => ask('CREATE TABLE mended AS SELECT 5 AS five', url),
  })
  expect(await ask('SELECT five FROM mended', database.url)).toBe(5)
  await database.drop()
})
