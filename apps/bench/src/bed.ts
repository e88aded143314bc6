/**
 * What both sides stand on: one PostgreSQL for a scenario, durable as in production, and for each run a fresh database
 * in it and a fresh Redis, so that no run inherits anything.
 */
import { type PostgresServer, startPostgres, startRedis } from '@flotilla/testing'
import pg from 'pg'
import { onCore, serverCore } from './placement.ts'
import { cpuSeconds, cpuSecondsOfTree } from './processes.ts'

/** A server process whose CPU time is counted. */
export interface ServerProcess {
  readonly name: string
  cpuSeconds(): number
}

/** Beside the defaults of PostgreSQL: fsync, synchronous_commit and full_page_writes stay on. */
const postgresSettings = {
  shared_buffers: '512MB',
  // No checkpoint because of many writes: with its full pages it would fall into one run and not into the next.
  max_wal_size: '8GB',
  checkpoint_timeout: '30min',
  // Nor a vacuum: one of the idle side's tables took a fifth of PostgreSQL's core from the slice of the other, and with every
  // third slice it made one side 0.82 times the other where the code had not changed. Every run begins vacuumed.
  autovacuum: 'off',
} as const

export interface Bed {
  readonly postgres: PostgresServer
  /** A fresh database, and a Redis. */
  open(name: string): Promise<Ground>
  close(): Promise<void>
}

/** The ground of one run. */
export interface Ground {
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly processes: readonly ServerProcess[]
  /** Runs SQL on the run's database, over one connection. */
  query<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]>
  /** Writes out what waits, so that the measured time does not pay for what was before. */
  checkpoint(): Promise<void>
  close(): Promise<void>
}

/**
 * @param postgresCore where PostgreSQL runs; Redis runs with the servers
 * @param settings of PostgreSQL, in the place of those above
 */
export async function openBed(
  postgresCore: number = serverCore,
  settings: Readonly<Record<string, string>> = {},
): Promise<Bed> {
  const postgres = await startPostgres({
    durable: true,
    settings: { ...postgresSettings, ...settings },
    launcher: onCore(postgresCore),
  })
  const admin = await connect(postgres.url)
  let opened = 0
  return {
    postgres,
    async open(name) {
      // Two grounds of one side may be open at a time.
      const database = `bench_${++opened}_${name.replaceAll(/\W/g, '_').toLowerCase()}`
      await admin.query(`CREATE DATABASE ${database}`)
      return openGround(postgres, admin, database)
    },
    async close() {
      await admin.end()
      await postgres.drop()
    },
  }
}

async function openGround(postgres: PostgresServer, admin: pg.Client, database: string): Promise<Ground> {
  const url = new URL(postgres.url)
  url.pathname = `/${database}`
  const redis = await startRedis({ launcher: onCore(serverCore) })
  const client = await connect(url.href)
  return {
    databaseUrl: url.href,
    redisUrl: redis.url,
    processes: [
      { name: 'PostgreSQL', cpuSeconds: () => cpuSecondsOfTree(postgres.pid()) },
      { name: 'Redis', cpuSeconds: () => cpuSeconds(redis.pid()) },
    ],
    async query<R extends pg.QueryResultRow>(text: string, values: unknown[] = []) {
      return (await client.query<R>(text, values)).rows
    },
    async checkpoint() {
      await client.query('VACUUM ANALYZE')
      await client.query('CHECKPOINT')
    },
    async close() {
      await client.end()
      await redis.stop()
      await admin.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`)
    },
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'bench' })
  // A connection that is lost fails its next query; its event must not end the process.
  client.on('error', () => {})
  await client.connect()
  return client
}
