/**
 * Applies the SQL files of migrations/ in order, each in its own transaction, under an advisory lock so that a roll-out
 * of many processes applies them once. A file that was changed after it was applied stops the start: history is fixed.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { StandbyError } from './watch.ts'

/** The key of the advisory lock; any number that nobody else uses. */
const lockKey = 7_160_530

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

/**
 * Brings the database up to date.
 * @param lockMsMax how long to wait for another process that migrates; 0 is for ever
 * @returns the names of the migrations that were applied by this call
 * @throws Error when an applied file was changed. One that is applied and not known here is of a newer version: passed over
 */
export async function migrate(
  connectionString: string,
  folder: string = migrationsFolder(),
  lockMsMax = 0,
): Promise<string[]> {
  const client = await open(connectionString)
  try {
    await client.query(`SET lock_timeout = ${Math.ceil(lockMsMax)}`)
    await client.query('SELECT pg_advisory_lock($1)', [lockKey])
    await client.query('SET lock_timeout = 5000')
    await client.query(
      'CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
    )
    const known = await client.query<{ name: string; checksum: string }>('SELECT name, checksum FROM schema_migrations')
    const applied = new Map(known.rows.map(row => [row.name, row.checksum]))
    const done: string[] = []
    for (const migration of listMigrations(folder)) {
      const checksum = applied.get(migration.name)
      if (checksum !== undefined && checksum !== migration.checksum)
        throw new Error(`unable to migrate: ${migration.name} was changed after it had been applied`)
      if (checksum !== undefined) continue
      await applyOne(client, migration)
      done.push(migration.name)
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
export async function missingMigrations(
  connectionString: string,
  folder: string = migrationsFolder(),
): Promise<string[]> {
  const client = await open(connectionString)
  try {
    const asked = await client.query<{ readOnly: boolean }>(
      `SELECT current_setting('transaction_read_only')::bool AS "readOnly"`,
    )
    if (asked.rows[0]!.readOnly) throw new StandbyError()
    const found = await client.query<{ name: string }>('SELECT name FROM schema_migrations')
    const applied = new Set(found.rows.map(row => row.name))
    return listMigrations(folder).flatMap(({ name }) => (applied.has(name) ? [] : name))
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== undefinedTable) throw error
    return listMigrations(folder).map(({ name }) => name)
  } finally {
    await client.end()
  }
}

const undefinedTable = '42P01'

async function open(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString,
    application_name: 'flotilla-migrate',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  })
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    // Without a connection there is nothing to say goodbye to.
    void client.end().catch(() => {})
    throw error
  }
  return client
}

async function applyOne(client: pg.Client, migration: Migration): Promise<void> {
  await client.query('BEGIN')
  try {
    await client.query(migration.sql)
    await client.query('INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)', [
      migration.name,
      migration.checksum,
    ])
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw new Error(`unable to migrate: ${migration.name}: ${String(error)}`, { cause: error })
  }
}
