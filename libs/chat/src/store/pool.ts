/**
 * The connections to PostgreSQL. Every connection that is lost idle is logged, never thrown: an error event without a
 * listener would end the process. 64-bit counters are read as numbers: a conversation with 2^53 entries is not a worry.
 */
import pg from 'pg'
import type { ChatLogger } from '../ports.ts'
import { readDatabaseUrl } from './database-url.ts'
import { type Remedy, remedyOf } from './failures.ts'
import { clientClass, plannedOnce, statementMsMax, usualSettings } from './store-client.ts'
import { PoolWatch, watchOf } from './watch.ts'

const int8 = 20
const int8Array = 1016
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === int8) return Number
    if (oid === int8Array) return (text: string) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(Number))
    return format === 'binary' ? pg.types.getTypeParser(oid, format) : pg.types.getTypeParser(oid)
  },
}

export type Pool = pg.Pool

export interface PoolOptions {
  readonly url: string
  readonly connectionsMax: number
  readonly logger: ChatLogger
  /** Shown in pg_stat_activity. */
  readonly applicationName: string
}

/** What lasts is told once in so long. */
const tellAgainMs = 60_000

/** Opens a pool. Nothing is connected before the first query. */
export function createPool(options: PoolOptions): pg.Pool {
  const address = readDatabaseUrl(options.url)
  const watch = new PoolWatch()
  const pool = new pg.Pool({
    Client: clientClass(address),
    // A promise is waited for, though the types do not tell.
    onConnect: (client: pg.ClientBase): unknown => learnSettings(client),
    verify: watch.verify,
    max: options.connectionsMax,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    // Before the server ends it: a commit that waits for a synchronous replica is not undone by that, it is answered as
    // if it were safe. And a network that swallows what is sent looks like a server that thinks for ever.
    query_timeout: statementMsMax - 2_000,
    application_name: address.applicationName ?? options.applicationName,
    types,
  })
  watch.mind(pool)
  listen(pool, options.logger)
  return pool
}

/** One after the other: a connection takes one query at a time. */
async function learnSettings(client: pg.ClientBase): Promise<void> {
  for (const settings of [usualSettings, plannedOnce]) await client.query(settings)
}

function listen(pool: pg.Pool, logger: ChatLogger): void {
  pool.on('error', error => {
    // The end of a pool waits for no answer: a server that stops next still ends what is being closed.
    if (!pool.ending) logger.warn({ err: error }, 'idle postgres connection lost')
  })
  // The pool listens only while a connection is idle. One that is lost in the middle of a transaction fails its next
  // query, which is noticed; its event must not end the process.
  pool.on('connect', client => client.on('error', () => {}))
  const toldAt: Partial<Record<Remedy, number>> = {}
  pool.on('release', (error: unknown) => {
    const remedy = remedyOf(error)
    // What passes by itself is told by the pulse, if it lasts. This needs somebody, and callers hear only `unavailable`.
    if (remedy !== 'full' && remedy !== 'mend') return
    if (performance.now() - (toldAt[remedy] ?? Number.NEGATIVE_INFINITY) < tellAgainMs) return
    toldAt[remedy] = performance.now()
    logger.error({ err: error }, remedy === 'full' ? 'postgres is out of space' : 'postgres denied a statement')
  })
}

/** A lane looks anew, at the latest after so long, where a new connection leads: kept ones may lead to a store that was. */
const laneLifeSeconds = 30

/**
 * One connection beside a pool, for what must not wait behind the pool's work, and must rather fail soon than be answered
 * late.
 */
export function createLane(pool: pg.Pool, answerMs: number, logger: ChatLogger): pg.Pool {
  const lane = new pg.Pool({
    ...pool.options,
    max: 1,
    connectionTimeoutMillis: answerMs,
    query_timeout: answerMs,
    maxLifetimeSeconds: laneLifeSeconds,
  })
  watchOf(pool).mind(lane)
  listen(lane, logger)
  return lane
}
