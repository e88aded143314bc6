/** One transaction on one connection. */
import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { ChatContext } from '../context.ts'
import { isPassing } from './pool.ts'

/** A process that stalls in the middle must not keep its locks, and with them the work of all nodes, for long. */
const begin = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '2s'`
const unavailableRetryMs = 2_000

/** What waits for the commit, by the connection of the transaction. */
const waiting = new WeakMap<object, (() => Promise<void>)[]>()

/**
 * Whatever `work` throws leaves everything as it was.
 * @throws Refusal unavailable when the store is away, and whatever `work` throws
 */
export async function transaction<T>(
  ctx: Pick<ChatContext, 'pool'>,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const after: (() => Promise<void>)[] = []
  let result: T
  try {
    const client = await ctx.pool.connect()
    let usable = true
    try {
      await client.query(begin)
      waiting.set(client, after)
      result = await work(client)
      await client.query('COMMIT')
    } catch (error) {
      await client.query('ROLLBACK').catch(() => (usable = false))
      throw error
    } finally {
      waiting.delete(client)
      client.release(!usable)
    }
  } catch (error) {
    throw isPassing(error) ? new Refusal('unavailable', undefined, { retryMs: unavailableRetryMs }) : error
  }
  for (const later of after) await later()
  return result
}

/**
 * Does something once the transaction of this connection is committed, and not at all if it is not. With a connection
 * that is in no transaction: now.
 * @param work must not fail, for the commit cannot be undone any more
 */
export async function afterCommit(client: object, work: () => Promise<void>): Promise<void> {
  const after = waiting.get(client)
  if (after === undefined) await work()
  else after.push(work)
}
