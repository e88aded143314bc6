import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dropFolder, makeFolder, type TestDatabase, testDatabase } from '@flotilla/testing'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listMigrations, migrate, migrationsFolder } from './migrate.ts'

let database: TestDatabase
let folder: string

beforeEach(async () => {
  database = await testDatabase({ key: 'empty', fill: () => Promise.resolve() })
  folder = makeFolder('migrations')
})
afterEach(async () => {
  dropFolder(folder)
  await database.drop()
})

const write = (name: string, sql: string) => writeFileSync(join(folder, name), sql)

async function ask<R extends object>(sql: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    return (await client.query<R>(sql)).rows
  } finally {
    await client.end()
  }
}

const tables = async () =>
  (
    await ask<{ name: string }>(
      `SELECT relname AS name FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname`,
    )
  ).map(row => row.name)

test('the migrations of the project make an empty database good, and a second time do nothing', async () => {
  const names = listMigrations().map(migration => migration.name)
  expect(names[0]).toBe('0001-core.sql')
  expect(await migrate(database.url)).toEqual(names)
  expect(await tables()).toEqual(expect.arrayContaining(['conversations', 'messages', 'schema_migrations', 'users']))
  expect(await migrate(database.url)).toEqual([])
  expect(await ask('SELECT name FROM schema_migrations ORDER BY name')).toEqual(names.map(name => ({ name })))
})

test('processes that start at once apply each migration once', async () => {
  write('0001-one.sql', 'CREATE TABLE one (n int); INSERT INTO one VALUES (1)')
  write('0002-two.sql', 'INSERT INTO one VALUES (2)')
  const done = await Promise.all(Array.from({ length: 5 }, () => migrate(database.url, { folder })))
  expect(done.flat().sort()).toEqual(['0001-one.sql', '0002-two.sql'])
  expect(await ask('SELECT n FROM one ORDER BY n')).toEqual([{ n: 1 }, { n: 2 }])
})

test('files are applied in the order of their numbers, and other files are passed over', async () => {
  write('0002-second.sql', 'ALTER TABLE one ADD COLUMN second int')
  write('0001-first.sql', 'CREATE TABLE one ()')
  write('README.md', 'not SQL')
  write('0003-draft.sql.bak', 'not SQL')
  expect(await migrate(database.url, { folder })).toEqual(['0001-first.sql', '0002-second.sql'])
  write('0003-third.sql', 'ALTER TABLE one ADD COLUMN third int')
  expect(await migrate(database.url, { folder })).toEqual(['0003-third.sql'])
})

test('a migration that was changed after it was applied stops everything', async () => {
  write('0001-one.sql', 'CREATE TABLE one ()')
  await migrate(database.url, { folder })
  write('0001-one.sql', 'CREATE TABLE one (more int)')
  write('0002-two.sql', 'CREATE TABLE two ()')
  await expect(migrate(database.url, { folder })).rejects.toThrow(
    'unable to migrate: 0001-one.sql was changed after it had been applied',
  )
  expect(await tables()).toEqual(['one', 'schema_migrations'])
})

test('a migration that fails is named and leaves nothing of itself; those before it stay', async () => {
  write('0001-one.sql', 'CREATE TABLE one ()')
  write('0002-two.sql', 'CREATE TABLE two (); SELECT 1 / 0')
  await expect(migrate(database.url, { folder })).rejects.toThrow(
    /^unable to migrate: 0002-two\.sql: .*division by zero/,
  )
  expect(await tables()).toEqual(['one', 'schema_migrations'])
  write('0002-two.sql', 'CREATE TABLE two ()')
  expect(await migrate(database.url, { folder })).toEqual(['0002-two.sql'])
})

test('a migration and the note that it was applied are one', async () => {
  write('0001-one.sql', "CREATE TABLE one (); ALTER TABLE schema_migrations ADD CHECK (name <> '0001-one.sql')")
  await expect(migrate(database.url, { folder })).rejects.toThrow('unable to migrate: 0001-one.sql')
  expect(await tables()).toEqual([])
})

test('a process of the version before starts on the database of the next', async () => {
  write('0001-one.sql', 'CREATE TABLE one ()')
  write('0002-two.sql', 'CREATE TABLE two ()')
  await migrate(database.url, { folder })
  rmSync(join(folder, '0002-two.sql'))
  expect(await migrate(database.url, { folder })).toEqual([])
})

test('the folder is found from wherever the code was built to', () => {
  expect(migrationsFolder()).toMatch(/[/\\]migrations$/)
})
