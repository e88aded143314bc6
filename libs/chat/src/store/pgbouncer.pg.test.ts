/** The store by way of a real PgBouncer, which hands a session or a transaction whatever connection is free. */
import { randomBytes, randomUUID } from 'node:crypto'
import {
  findPgBouncer,
  freshDatabase,
  makeConversation,
  makeUsers,
  openTestChat,
  type PgBouncer,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
  type TestChat,
  type TestDatabase,
} from '@flotilla/testing'
import pg from 'pg'
import { afterEach, beforeAll, afterAll, describe, expect, test } from 'vitest'
import * as messages from '../log/messages/index.ts'
import { upkeep } from '../lifecycle/upkeep.ts'
import { listMigrations, migrate } from './migrate.ts'
import { createPool } from './pool.ts'
import { prepareSchema } from './prepare-schema.ts'

const found = await findPgBouncer().catch((error: unknown) => String(error))
const isMissing = found.startsWith('Error')
if (isMissing) console.warn(`skipped: nothing was tried behind PgBouncer: ${found}`)

const logger = { debug() {}, info() {}, warn() {}, error() {} }
let postgres: PostgresServer
let database: TestDatabase
let bouncer: PgBouncer
let chats: TestChat[] = []

beforeAll(async () => {
  if (!isMissing) postgres = await startPostgres()
})
afterAll(() => postgres?.drop())
afterEach(async () => {
  for (const chat of chats) await chat.close()
  chats = []
  await bouncer?.stop()
  await database?.drop()
})

/** @param url where to ask, by way of PgBouncer or past it */
async function ask<R extends object>(url: string, sql: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<R>(sql)).rows
  } finally {
    await client.end()
  }
}

const isLocked = async () =>
  (
    await ask(
      database.url,
      `SELECT FROM pg_locks WHERE locktype = 'advisory' AND database IN
      (SELECT oid FROM pg_database WHERE datname = current_database())`,
    )
  ).length > 0

/** What the connections of PgBouncer to the server are set to, when no transaction says otherwise. */
async function settingsLeft(): Promise<string[]> {
  const clients = Array.from({ length: 8 }, () => new pg.Client({ connectionString: bouncer.url }))
  try {
    for (const client of clients) {
      await client.connect()
      await client.query('BEGIN')
    }
    const shown = `SELECT concat_ws(' ', current_setting('statement_timeout'), current_setting('plan_cache_mode'),
      current_setting('jit'), current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')) AS s`
    const all = await Promise.all(clients.map(client => client.query<{ s: string }>(shown)))
    return [...new Set(all.map(({ rows }) => rows[0]!.s))]
  } finally {
    for (const client of clients) await client.end()
  }
}

describe.skipIf(isMissing).each(['session', 'transaction'] as const)('pool_mode = %s', mode => {
  test('two that migrate an empty database at once apply each once and leave no lock; later ones find nothing to do', async () => {
    database = await freshDatabase(postgres.url, { key: 'empty', fill: () => Promise.resolve() })
    bouncer = await startPgBouncer(database.url, mode)
    const done = await Promise.all([migrate(bouncer.url), migrate(bouncer.url)])
    expect(done.flat().sort()).toEqual(listMigrations().map(({ name }) => name))
    expect(await isLocked()).toBe(false)
    expect(await migrate(bouncer.url)).toEqual([])
  })

  test('entries of several processes are stored without a gap, and no connection keeps what was set for them', async () => {
    database = await freshDatabase(postgres.url)
    bouncer = await startPgBouncer(database.url, mode)
    const masterKeys = [{ id: 'test', key: randomBytes(32) }]
    for (let nth = 0; nth < 3; nth++) chats.push(await openTestChat(bouncer.url, { masterKeys }))
    const { pool } = chats[0]!.ctx
    const users = await makeUsers(pool, 2)
    const conversation = await makeConversation(pool, users)
    const posts = Array.from({ length: 150 }, (_, nth) =>
      messages.post(chats[nth % 3]!.ctx, users[nth % 2]!, {
        conversation,
        clientId: randomUUID(),
        body: { text: `${nth}` },
      }),
    )
    const seqs = (await Promise.all(posts)).map(({ seq }) => seq)
    expect(seqs.sort((a, b) => a - b)).toEqual(Array.from({ length: 150 }, (_, nth) => nth + 1))
    expect(await upkeep(chats[0]!.ctx)).toBeDefined()
    expect(await isLocked()).toBe(false)
    expect(await settingsLeft()).toEqual(['0 auto on 0 0'])
  })

  test('a statement has its limit with it, in a transaction or not', async () => {
    database = await freshDatabase(postgres.url)
    bouncer = await startPgBouncer(database.url, mode)
    const pool = createPool({ url: bouncer.url, connectionsMax: 3, logger, applicationName: 'test' })
    try {
      const limit = () =>
        pool.query<{ limit: string }>(`SELECT current_setting('statement_timeout') AS limit, $1::text`, ['x'])
      const limits = await Promise.all(Array.from({ length: 6 }, limit))
      expect(limits.map(({ rows }) => rows[0]!.limit)).toEqual(Array.from({ length: 6 }, () => '15s'))
      await expect(pool.query(`SELECT 1 / $1::int`, [0])).rejects.toThrow('division by zero')
      const named = await Promise.all(
        Array.from({ length: 6 }, (_, n) =>
          pool.query({ name: 'twice', text: 'SELECT $1::int * 2 AS n', values: [n] }),
        ),
      )
      expect(named.map(({ rows }) => rows[0] as unknown)).toEqual([0, 2, 4, 6, 8, 10].map(n => ({ n })))
    } finally {
      await pool.end()
    }
  })
})

test.skipIf(isMissing)(
  'one that loses prepared statements is found out at the start, in transaction mode alone',
  async () => {
    database = await freshDatabase(postgres.url)
    const start = (url: string) => prepareSchema({ url, migrates: true, waitMsMax: 5_000, logger })
    bouncer = await startPgBouncer(database.url, 'transaction', { max_prepared_statements: 0 })
    await expect(start(bouncer.url)).rejects.toThrow(
      'unable to start: the pooler in front of PostgreSQL loses prepared statements',
    )
    await bouncer.stop()
    bouncer = await startPgBouncer(database.url, 'session', { max_prepared_statements: 0 })
    expect(await start(bouncer.url)).toEqual([])
    expect(await start(database.url)).toEqual([])
  },
)
