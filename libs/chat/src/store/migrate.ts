/**
 * Applies the SQL files of migrations/ in order, each in its own transaction and under a lock that ends with it, so that
 * a roll-out of many processes applies them once, and a pooler keeps no lock of a process that is gone. A file that was
 * changed after it was applied stops the start: history is fixed.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { openClient } from './store-client.ts'
import { StandbyError } from './watch.ts'
import { advisoryLocks } from './advisory-locks.ts'

/** Between two tries to get it. */
const lockPauseMs = 200
const lockMsMaxDefault = 60_000

/** How a migration begins. It may take its time; a process that stands still in the middle loses the lock. */
const begin = `BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = '60s'`

/** The folder migrations/ at the project's root, wherever this file was built to. */
export function migrationsFolder(): string {
  for (let folder = fileURLToPath(new URL('.', import.meta.url)); ; folder = join(folder, '..')) {
    if (existsSync(join(folder, 'migrations', '0001-core.sql'))) return join(folder, 'migrations')
    if (folder === join(folder, '..')) throw new Error('unable to find the folder migrations/')
  }
}

interface Migration {
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

/** The migrations in the order in which they are applied. */
export function listMigrations(folder: string = migrationsFolder()): readonly Migration[] {
  return readdirSync(folder)
    .filter(name => /^\d{4}-[a-z0-9-]+\.sql$/.test(name))
    .sort()
    .map(name => {
      const sql = readFileSync(join(folder, name), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
}

export interface MigrateOptions {
  readonly folder?: string
  /** How long to wait for another process that migrates. */
  readonly lockMsMax?: number
  /** Shown in pg_stat_activity, and to those who wait for this one. */
  readonly applicationName?: string
}

/** Another process migrates, and has not come to its end in time. The message says which. */
export class MigrationLocked extends Error {}

/**
 * Brings the database up to date. Where it is that already, nothing is written or locked.
 * @returns the names of the migrations that were applied by this call
 * @throws MigrationLocked, StandbyError (it takes no writes), and Error when an applied file was changed. One that is applied and not known here is of a
 *   newer version: passed over
 */
export async function migrate(connectionString: string, options: MigrateOptions = {}): Promise<string[]> {
  const { lockMsMax = lockMsMaxDefault } = options
  const migrations = listMigrations(options.folder)
  const deadline = performance.now() + lockMsMax
  const client = await openClient(connectionString, options.applicationName ?? 'flotilla-migrate')
  const done: string[] = []
  try {
    let missing = await findMissing(client, migrations)
    while (missing.length > 0) {
      try {
        const applied = await applyNext(client, migrations)
        if (applied !== undefined) done.push(applied)
      } catch (error) {
        if (!(error instanceof MigrationLocked) || performance.now() >= deadline) throw error
        await sleep(lockPauseMs)
      }
      missing = await findMissing(client, migrations)
    }
    return done
  } finally {
    await client.end()
  }
}

/**
 * The migrations that the database lacks of those that this version knows. Needs no rights but to read.
 * @throws StandbyError when the database takes no writes
 */
export async function missingMigrations(connectionString: string, folder?: string): Promise<string[]> {
  const client = await openClient(connectionString, 'flotilla-migrate')
  try {
    return (await findMissing(client, listMigrations(folder))).map(({ name }) => name)
  } finally {
    await client.end()
  }
}

/** @throws StandbyError when the database takes no writes, Error when one that is applied was changed since */
async function findMissing(client: pg.Client, migrations: readonly Migration[]): Promise<Migration[]> {
  const asked = await client.query<{ readOnly: boolean }>(
    `SELECT current_setting('transaction_read_only')::bool AS "readOnly"`,
  )
  if (asked.rows[0]!.readOnly) throw new StandbyError()
  const applied = await readApplied(client)
  for (const { name, checksum } of migrations)
    if ((applied.get(name) ?? checksum) !== checksum)
      throw new Error(`unable to migrate: ${name} was changed after it had been applied`)
  return migrations.filter(({ name }) => !applied.has(name))
}

/** The checksums of those that are applied. */
async function readApplied(client: pg.Client): Promise<Map<string, string>> {
  try {
    const found = await client.query<{ name: string; checksum: string }>('SELECT name, checksum FROM schema_migrations')
    return new Map(found.rows.map(row => [row.name, row.checksum]))
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== undefinedTable) throw error
    return new Map()
  }
}

const undefinedTable = '42P01'

/** Applies the first that is missing, looked up under the lock. @returns its name, undefined when there is none any more */
function applyNext(client: pg.Client, migrations: readonly Migration[]): Promise<string | undefined> {
  return locked(client, async () => {
    await client.query(
      'CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
    )
    const [next] = await findMissing(client, migrations)
    if (next === undefined) return undefined
    const { name, sql, checksum } = next
    try {
      await client.query(sql)
      await client.query('INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)', [name, checksum])
    } catch (error) {
      throw new Error(`unable to migrate: ${name}: ${String(error)}`, { cause: error })
    }
    return name
  })
}

/** In one transaction, that only one process is in at a time. */
async function locked<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query(begin)
  try {
    const tried = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS mine', [
      advisoryLocks.migration,
    ])
    if (!tried.rows[0]!.mine) throw new MigrationLocked(`another process migrates: ${await describeHolder(client)}`)
    const result = await work()
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

/** Whom one waits for, as far as PostgreSQL tells it. */
async function describeHolder(client: pg.Client): Promise<string> {
  const found = await client.query<{ pid: number; name: string | null; idle: boolean }>(
    `SELECT a.pid, a.application_name AS name, a.state = 'idle' AS idle
       FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND (l.classid::int8 << 32) + l.objid::int8 = $1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      LIMIT 1`,
    [advisoryLocks.migration],
  )
  const [holder] = found.rows
  if (holder === undefined) return 'it has just come to its end'
  const who = `${holder.name === null || holder.name === '' ? 'a client without a name' : holder.name}, process ${holder.pid} of PostgreSQL`
  // No version since this one leaves it so; one before it does, by way of a pooler.
  return holder.idle
    ? `${who}, which is idle: where nothing migrates, end what was left behind by SELECT pg_terminate_backend(${holder.pid})`
    : who
}
