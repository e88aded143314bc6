/** The migrations and schema.ts say the same, and the tables that every send touches keep their rules. */
import { type TestDatabase, testDatabase } from '@flotilla/testing'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPool, type Pool } from './pool.ts'
import * as schema from './schema.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
let database: TestDatabase
let pool: Pool

beforeAll(async () => {
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 2, logger, applicationName: 'test' })
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})

const tables = Object.values(schema)
  .filter(value => value instanceof PgTable)
  .map(table => getTableConfig(table))

const rows = async <R extends object>(sql: string): Promise<R[]> => (await pool.query<R>(sql)).rows

/** Partitions are their parents', and migrate.ts keeps its own table. */
const ours = `c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND c.relname <> 'schema_migrations'`

test('every column is in both, with the same type, nullability and default', async () => {
  const stored = await rows<{ line: string }>(
    `SELECT format('%s.%s %s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                   CASE WHEN a.attnotnull THEN ' not null' ELSE '' END,
                   CASE WHEN a.atthasdef OR a.attidentity <> '' THEN ' default' ELSE '' END) AS line
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE ${ours} AND a.attnum > 0 AND NOT a.attisdropped`,
  )
  const declared = tables.flatMap(({ name, columns }) =>
    columns.map(column => {
      const given = column.hasDefault || column.generatedIdentity !== undefined
      return `${name}.${column.name} ${column.getSQLType()}${column.notNull ? ' not null' : ''}${given ? ' default' : ''}`
    }),
  )
  expect(declared.sort()).toEqual(stored.map(row => row.line).sort())
})

test('primary keys are the same, in the same order of columns', async () => {
  const stored = await rows<{ line: string }>(
    `SELECT c.relname || ' ' || (
              SELECT string_agg(a.attname, ' ' ORDER BY k.place) FROM unnest(i.indkey) WITH ORDINALITY AS k (num, place)
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num) AS line
       FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary WHERE ${ours}`,
  )
  const declared = tables.map(({ name, columns, primaryKeys }) => {
    const own = columns.filter(column => column.primary)
    return [name, ...(primaryKeys[0]?.columns ?? own).map(column => column.name)].join(' ')
  })
  expect(declared.sort()).toEqual(stored.map(row => row.line).sort())
})

test('foreign keys are the same', async () => {
  const stored = await rows<{ line: string }>(
    `SELECT format('%s.%s %s %s', c.relname, a.attname, f.confrelid::regclass,
                   CASE f.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' ELSE f.confdeltype::text END) AS line
       FROM pg_class c JOIN pg_constraint f ON f.conrelid = c.oid AND f.contype = 'f'
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.conkey[1] WHERE ${ours}`,
  )
  const declared = tables.flatMap(({ name, foreignKeys }) =>
    foreignKeys.map(key => {
      const { columns, foreignTable } = key.reference()
      return `${name}.${columns[0]!.name} ${getTableConfig(foreignTable).name} ${key.onDelete}`
    }),
  )
  expect(declared.sort()).toEqual(stored.map(row => row.line).sort())
})

test('no index holds what every send changes', async () => {
  const found = await rows<{ definition: string }>(
    `SELECT pg_get_indexdef(indexrelid) AS definition FROM pg_index WHERE indrelid = 'conversations'::regclass`,
  )
  expect(found.length).toBeGreaterThan(0)
  for (const { definition } of found) expect(definition).not.toMatch(/\b(head_seq|head_at|version)\b/)
})

test('a send updates the row of the conversation in place', async () => {
  const id = '00000000-0000-4000-8000-000000000001'
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query('INSERT INTO conversations (id, kind) VALUES ($1, 2)', [id])
    await client.query('UPDATE conversations SET head_seq = head_seq + 1, head_at = now() WHERE id = $1', [id])
    await client.query('UPDATE conversations SET version = version + 1 WHERE id = $1', [id])
    const found = await client.query<{ hot: number }>(
      `SELECT pg_stat_get_xact_tuples_hot_updated('conversations'::regclass) AS hot`,
    )
    expect(found.rows).toEqual([{ hot: 2 }])
  } finally {
    await client.query('ROLLBACK')
    client.release()
  }
})

test('the pages of what is updated all the time have room', async () => {
  const found = await rows<{ relname: string; options: string[] }>(
    `SELECT relname, reloptions AS options FROM pg_class WHERE relname IN ('conversations', 'members') ORDER BY relname`,
  )
  expect(found).toEqual([
    { relname: 'conversations', options: ['fillfactor=80'] },
    { relname: 'members', options: ['fillfactor=70'] },
  ])
})

test('the log lies in 32 partitions by conversation, and a retry meets a unique index in each', async () => {
  const found = await rows<{ key: string; partitions: number; unique: number }>(
    `SELECT pg_get_partkeydef('messages'::regclass) AS key, count(*)::int AS partitions,
            count(*) FILTER (WHERE EXISTS (
              SELECT FROM pg_index i WHERE i.indrelid = p.inhrelid AND i.indisunique
                 AND pg_get_indexdef(i.indexrelid) LIKE '%(conversation_id, sender_id, client_id)'))::int AS unique
       FROM pg_inherits p WHERE inhparent = 'messages'::regclass`,
  )
  expect(found).toEqual([{ key: 'HASH (conversation_id)', partitions: 32, unique: 32 }])
})

test('the offline index takes rows of any day', async () => {
  const found = await rows<{ key: string; fallback: boolean }>(
    `SELECT pg_get_partkeydef(partrelid) AS key, partdefid <> 0 AS fallback FROM pg_partitioned_table
      WHERE partrelid = 'offline_messages'::regclass`,
  )
  expect(found).toEqual([{ key: 'RANGE (day)', fallback: true }])
})
