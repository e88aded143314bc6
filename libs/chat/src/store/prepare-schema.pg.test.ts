import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dropFolder, freePort, makeFolder, type TestDatabase, testDatabase, until } from '@flotilla/testing'
import pg from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { migrate, missingMigrations } from './migrate.ts'
import { prepareSchema, type SchemaOptions } from './prepare-schema.ts'

let database: TestDatabase
let folder: string
let waits: string[]
let warned: string[]

beforeEach(async () => {
  database = await testDatabase({ key: 'empty', fill: () => Promise.resolve() })
  folder = makeFolder('migrations')
  waits = []
  warned = []
  writeFileSync(join(folder, '0001-one.sql'), 'CREATE TABLE one ()')
  writeFileSync(join(folder, '0002-two.sql'), 'CREATE TABLE two ()')
})
afterEach(async () => {
  dropFolder(folder)
  await database.drop()
})

const prepare = (more: Partial<SchemaOptions> = {}) =>
  prepareSchema({
    url: database.url,
    migrates: false,
    waitMsMax: 20_000,
    logger: {
      debug() {},
      info() {},
      warn: (fields, text) => void warned.push(`${text}: ${(fields as { reason: string }).reason}`),
      error() {},
    },
    onWait: reason => void waits.push(reason),
    folder,
    ...more,
  })

/** As soon as it waits, a minute has gone by. */
async function prepareInVain(more: Partial<SchemaOptions>): Promise<string[]> {
  const now = performance.now.bind(performance)
  let passedMs = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + passedMs)
  const onWait = (reason: string) => {
    waits.push(reason)
    passedMs = 60_000
  }
  return prepare({ ...more, waitMsMax: 60_000, onWait }).finally(() => clock.mockRestore())
}

const older = 'the schema is older than this version: it lacks '

test('one that does not migrate waits until the schema is as new as itself, and says what it lacks', async () => {
  const prepared = prepare()
  await until(() => waits.length === 1, { what: 'it waits for the first' })
  const second = join(folder, '0002-two.sql')
  const text = 'CREATE TABLE two ()'
  rmSync(second)
  await migrate(database.url, { folder })
  writeFileSync(second, text)
  await until(() => waits.length === 2, { what: 'it waits for the second' })
  await migrate(database.url, { folder })
  expect(await prepared).toEqual([])
  expect(waits).toEqual([`${older}0001-one.sql`, `${older}0002-two.sql`])
  expect(warned).toHaveLength(2)
})

test('a schema that is newer is new enough', async () => {
  await migrate(database.url, { folder })
  rmSync(join(folder, '0002-two.sql'))
  expect(await missingMigrations(database.url, folder)).toEqual([])
  expect(await prepare()).toEqual([])
  expect(waits).toEqual([])
})

test('the wait is bounded and ends with what was missing', async () => {
  await expect(prepare({ waitMsMax: 300 })).rejects.toThrow(`unable to start: ${older}0001-one.sql (waited 300 ms)`)
})

test('a store that does not answer is waited for, whether it migrates or not', async () => {
  const url = `postgres://nobody@127.0.0.1:${await freePort()}/none`
  for (const migrates of [true, false]) {
    waits = []
    await expect(prepareInVain({ url, migrates })).rejects.toThrow(
      'unable to start: PostgreSQL does not answer (waited 60000 ms)',
    )
    expect(waits).toEqual(['PostgreSQL does not answer'])
  }
})

test('whoever migrates is named and waited for, and not longer than allowed', async () => {
  const other = new pg.Client({ connectionString: database.url, application_name: 'flotilla-gateway g1' })
  await other.connect()
  try {
    const { pid } = (await other.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!
    const holder = `another process migrates: flotilla-gateway g1, process ${pid} of PostgreSQL`
    await other.query('BEGIN; SELECT pg_advisory_xact_lock(7160530)')
    await expect(prepareInVain({ migrates: true })).rejects.toThrow(`unable to start: ${holder} (waited 60000 ms)`)
    expect(waits).toEqual([holder])
    expect(warned).toEqual([`waiting to start: ${holder}`])
    const prepared = prepare({ migrates: true })
    await other.query('COMMIT')
    expect(await prepared).toEqual(['0001-one.sql', '0002-two.sql'])
  } finally {
    await other.end()
  }
})

test('a lock that an earlier version left on a connection of a pooler is told as that', async () => {
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  try {
    const { pid } = (await other.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!
    await other.query('SELECT pg_advisory_lock(7160530)')
    await expect(prepare({ migrates: true, waitMsMax: 400 })).rejects.toThrow(
      `a client without a name, process ${pid} of PostgreSQL, which is idle: where nothing migrates, end what was left behind by SELECT pg_terminate_backend(${pid})`,
    )
  } finally {
    await other.end()
  }
})

test('on a schema that is new enough nobody waits for a lock', async () => {
  await migrate(database.url, { folder })
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  try {
    await other.query('SELECT pg_advisory_lock(7160530)')
    expect(await prepare({ migrates: true })).toEqual([])
    expect(waits).toEqual([])
  } finally {
    await other.end()
  }
})

test('a migration that meets a lock is tried again; one that is wrong ends it at once', async () => {
  await migrate(database.url, { folder })
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  try {
    writeFileSync(join(folder, '0003-three.sql'), "SET LOCAL lock_timeout = '200ms'; ALTER TABLE one ADD COLUMN n int")
    await other.query('BEGIN; LOCK TABLE one IN ACCESS SHARE MODE')
    const prepared = prepare({ migrates: true })
    await until(() => waits.length === 1, { what: 'it meets the lock' })
    expect(waits[0]).toMatch(/^unable to migrate: 0003-three\.sql: .*lock timeout/)
    await other.query('COMMIT')
    expect(await prepared).toEqual(['0003-three.sql'])
  } finally {
    await other.end()
  }
  writeFileSync(join(folder, '0004-four.sql'), 'SELECT 1 / 0')
  await expect(prepare({ migrates: true })).rejects.toThrow(/0004-four\.sql: .*division by zero/)
  expect(waits).toHaveLength(1)
})

test('a migration that no transaction can hold is a mistake, and not a connection that was lost', async () => {
  writeFileSync(join(folder, '0001-one.sql'), 'CREATE TABLE one (n int); CREATE INDEX CONCURRENTLY one_n ON one (n)')
  await expect(prepare({ migrates: true })).rejects.toThrow(/^unable to migrate: 0001-one\.sql: .*CONCURRENTLY/)
  expect(waits).toEqual([])
})
