/**
 * The connections to PostgreSQL. Every connection that is lost idle is logged, never thrown: an error event without a
 * listener would end the process. 64-bit counters are read as numbers: a conversation with 2^53 entries is not a worry.
 */
import { Refusal } from '@flotilla/protocol'
import pg from 'pg'
import type { ChatLogger } from '../context.ts'
import { readDatabaseUrl } from './database-url.ts'
import { clientClass, statementMsMax, usualSettings } from './store-client.ts'

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

/** Opens a pool. Nothing is connected before the first query. */
export function createPool(options: PoolOptions): pg.Pool {
  const address = readDatabaseUrl(options.url)
  const pool = new pg.Pool({
    Client: clientClass(address),
    // A promise is waited for, though the types do not tell.
    onConnect: (client: pg.ClientBase): unknown => client.query(usualSettings),
    max: options.connectionsMax,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    // A network that swallows what is sent looks like a server that thinks for ever.
    query_timeout: statementMsMax + 2_000,
    application_name: address.applicationName ?? options.applicationName,
    types,
  })
  return watched(pool, options.logger)
}

/**
 * One connection beside a pool, for what must not wait behind the pool's work, and must rather fail soon than be answered
 * late.
 */
export function createLane(pool: pg.Pool, answerMs: number, logger: ChatLogger): pg.Pool {
  const lane = new pg.Pool({ ...pool.options, max: 1, connectionTimeoutMillis: answerMs, query_timeout: answerMs })
  return watched(lane, logger)
}

function watched(pool: pg.Pool, logger: ChatLogger): pg.Pool {
  pool.on('error', error => logger.warn({ err: error }, 'an idle connection to PostgreSQL was lost'))
  // The pool listens only while a connection is idle. One that is lost in the middle of a transaction fails its next
  // query, which is noticed; its event must not end the process.
  pool.on('connect', client => client.on('error', () => {}))
  return pool
}

/** SQLSTATE classes and codes after which the same statement can succeed later: the server or the network was away. */
const passing = new Set(['40001', '40P01', '53300', '55P03', '57014', '57P01', '57P02', '57P03'])

/** Whether an error of a query says that the store was away or busy, rather than that the query was wrong. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  if (code === undefined) return /terminated|timeout|not queryable|Connection/i.test(error.message)
  return passing.has(code) || code.startsWith('08') || /^E[A-Z]+$/.test(code) || code === 'EAI_AGAIN'
}

/** Whether the server itself refused the query, so that the connection is as good as before. */
export function hasCode(error: unknown): boolean {
  const code = error instanceof pg.DatabaseError ? (error.code ?? '') : ''
  return code !== '' && !code.startsWith('08') && !code.startsWith('57P')
}

/**
 * The one place where an error of the domain becomes what a caller is told: refusals stay as they are, a store that is
 * away is `unavailable`, anything else is nobody's fault but ours. A query builder wraps the store's errors.
 * @returns undefined when it is a fault that belongs into the log
 */
export function asRefusal(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error
  if (isPassing(error)) return new Refusal('unavailable', undefined, { retryMs: unavailableRetryMs })
  return error instanceof Error && error.cause !== undefined ? asRefusal(error.cause) : undefined
}

const unavailableRetryMs = 2_000

/** Whether an error is a unique violation, and of which table. */
export function uniqueViolation(error: unknown): { table: string; constraint: string } | undefined {
  const found = error instanceof Error && error.cause instanceof pg.DatabaseError ? error.cause : error
  if (!(found instanceof pg.DatabaseError) || found.code !== '23505') return undefined
  return { table: found.table ?? '', constraint: found.constraint ?? '' }
}
