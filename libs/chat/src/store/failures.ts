/**
 * What can be done when PostgreSQL, or the way to it, refuses. One table for every place that runs a query: a code that is
 * not here, nor its class, is the fault of the query itself.
 */
import { Refusal } from '@flotilla/protocol'
import pg from 'pg'

/**
 * `again`: another transaction was in the way; the same on the same connection.
 * `renew`: the connection is of no use, or leads to the wrong server; the same on a new one.
 * `wait`: the server lacks something at present; the same later.
 * `full`: it has no room to write, until somebody makes some.
 * `mend`: nothing helps but an operator: credentials, rights, the wrong database, certificates.
 */
export type Remedy = 'again' | 'renew' | 'wait' | 'full' | 'mend'

/** By SQLSTATE, or by its class of two characters. The code goes before its class. */
export const remedies: Readonly<Record<string, Remedy>> = {
  // Connections that broke, and states of a session that are not what they were taken for.
  '08': 'renew',
  '25': 'renew', // invalid transaction state, with idle_in_transaction_session_timeout and transaction_timeout
  '25006': 'renew', // read-only: a standby, a primary that was demoted, or one that takes no writes
  '26000': 'renew', // a prepared statement that this server has not: a pooler in between has changed it
  '42P05': 'renew', // … or has it already
  '0A000': 'renew', // "cached plan must not change result type": the schema was migrated under the statement
  '40': 'again', // rolled back: 40001 serialization failure and conflict with recovery, 40P01 deadlock
  '40003': 'renew', // the connection broke, and nobody knows whether it was committed
  '55P03': 'again', // lock_timeout
  '57014': 'again', // statement_timeout, or cancelled by an operator
  '57': 'renew', // 57P01 ended by an operator or a shutdown, 57P02 a crash of another, 57P05 idle_session_timeout
  '57P03': 'wait', // starting up, or shutting down
  '57P04': 'mend', // the database was dropped
  '53': 'wait', // 53200 out of memory, 53300 too many connections, 53400 a limit such as temp_file_limit
  '53100': 'full', // the disk is full
  '58': 'full', // 58030 I/O error, 58P01 a file is gone
  '28': 'mend', // 28000 not let in, 28P01 wrong password
  '3D000': 'mend', // no such database
  '3F000': 'mend', // no such schema
  '42501': 'mend', // no right to it
  '42P01': 'mend', // no such table: another database or schema, or one that was never migrated
  '42703': 'mend', // no such column: an older schema
  '42883': 'mend', // no such function
}

/** Errors of Node's that have a code of their own: the network, and what TLS says of the other side. */
const networkCode = /^E[A-Z_]+$/
const certificateCode = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH)/
/** What the driver says without a code. */
const driverText = /terminated|timeout|not queryable|Connection|Cannot use a pool after/i
const driverSetting = /^SASL|does not support SSL|^Unknown authentication/

/** @returns undefined when the query itself is at fault, or the error has nothing to do with PostgreSQL */
export function remedyOf(error: unknown): Remedy | undefined {
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  if (error instanceof pg.DatabaseError) return remedies[code ?? ''] ?? remedies[(code ?? '').slice(0, 2)]
  if (code === undefined) return remedyOf(error.cause) ?? remedyOfDriver(error.message)
  if (certificateCode.test(code)) return 'mend'
  return networkCode.test(code) ? 'renew' : undefined
}

function remedyOfDriver(message: string): Remedy | undefined {
  if (driverSetting.test(message)) return 'mend'
  return driverText.test(message) ? 'renew' : undefined
}

/** Whether the same query can succeed later, or once an operator has mended something. */
export const isPassing = (error: unknown): boolean => remedyOf(error) !== undefined

/** Whether the connection is as good as before: what was refused was the query, or it met another transaction. */
export function keepsConnection(error: unknown): boolean {
  const remedy = remedyOf(error)
  return error instanceof pg.DatabaseError ? remedy === undefined || remedy === 'again' : remedy === undefined
}

/** When a caller may come again. */
const retryMs: Readonly<Record<Remedy, number>> = { again: 250, renew: 2_000, wait: 2_000, full: 5_000, mend: 10_000 }

/**
 * The one place where an error of the domain becomes what a caller is told: refusals stay as they are, a store that is
 * away or cannot do it is `unavailable`, anything else is nobody's fault but ours. A query builder wraps the store's errors.
 * @returns undefined when it is a fault that belongs into the log
 */
export function asRefusal(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error
  const remedy = remedyOf(error)
  if (remedy !== undefined) return new Refusal('unavailable', undefined, { retryMs: retryMs[remedy] })
  return error instanceof Error && error.cause !== undefined ? asRefusal(error.cause) : undefined
}

/** Whether an error is a unique violation, and of which table. */
export function uniqueViolation(error: unknown): { table: string; constraint: string } | undefined {
  const found = error instanceof Error && error.cause instanceof pg.DatabaseError ? error.cause : error
  if (!(found instanceof pg.DatabaseError) || found.code !== '23505') return undefined
  return { table: found.table ?? '', constraint: found.constraint ?? '' }
}
