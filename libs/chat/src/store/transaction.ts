/** One transaction on one connection. */
import type { Pool, PoolClient } from 'pg'
import type { StoreContext } from './context.ts'
import { asRefusal, isPassing, keepsConnection } from './failures.ts'
import { statementMsMax } from './store-client.ts'

/**
 * A process that stalls in the middle must not keep its locks, and with them the work of all nodes, for long. The number
 * of the transaction is what its outcome can be asked by, when the connection breaks while it commits.
 */
const beginWith = (settings: Readonly<Record<string, string>>) =>
  `BEGIN ISOLATION LEVEL READ COMMITTED; SELECT ${Object.entries({
    idle_in_transaction_session_timeout: '2s',
    statement_timeout: String(statementMsMax),
    ...settings,
  })
    .map(([key, value]) => `set_config('${key}', '${value}', true)`)
    .join(', ')}, pg_current_xact_id()::text AS xid, epoch FROM store`

/**
 * `joint`: the work of many, one step of it for all in one statement, and none of them waits for somebody that another one
 * needs. Its statements have names and find every row by its key. They are planned once for each connection, which was a
 * quarter of what PostgreSQL had to do. Planned while a table is empty they would read all of it, since that is cheapest
 * then, and go on so until it is analyzed: 5 ms for what takes 0.1. These settings are half of what prevents it; the other half
 * is a statement that leaves no choice, by LATERAL with OFFSET or by `= ANY`.
 */
export type TransactionKind = 'usual' | 'joint'

const begins: Readonly<Record<TransactionKind, string>> = {
  usual: beginWith({}),
  joint: beginWith({
    lock_timeout: '100ms',
    plan_cache_mode: 'force_generic_plan',
    jit: 'off',
    enable_seqscan: 'off',
    enable_hashjoin: 'off',
    enable_mergejoin: 'off',
    enable_material: 'off',
    enable_memoize: 'off',
  }),
}

/** How long the outcome of a commit is asked for before the caller is told that the store is away. */
const outcomeMsMax = 8_000
const outcomePauseMs = { first: 50, max: 1_000 }

/** The number means something in its epoch only: a promoted replica may have given it to another. */
interface Begun {
  readonly xid: string
  readonly epoch: number
}

/** The lock makes it a commit of its own: where replicas are synchronous, its answer is as safe as what it tells of. */
const outcome = 'SELECT CASE WHEN epoch = $2 THEN pg_xact_status($1::xid8) END AS status FROM store FOR KEY SHARE'

/** What waits for the commit, by the connection of the transaction. */
const waiting = new WeakMap<object, (() => Promise<void>)[]>()

/**
 * Whatever `work` throws leaves everything as it was. When the connection breaks between the commit and its answer, it is
 * found out whether the transaction was committed, so that what must follow a commit follows it.
 * @throws Refusal unavailable when the store is away, and whatever `work` throws
 */
export async function transaction<T>(
  ctx: Pick<StoreContext, 'pool'>,
  work: (client: PoolClient) => Promise<T>,
  kind: TransactionKind = 'usual',
): Promise<T> {
  const after: (() => Promise<void>)[] = []
  let result: T
  try {
    result = await run(ctx.pool, after, work, begins[kind])
  } catch (error) {
    throw isPassing(error) ? asRefusal(error) : error
  }
  for (const later of after) await later()
  return result
}

async function run<T>(
  pool: Pool,
  after: (() => Promise<void>)[],
  work: (client: PoolClient) => Promise<T>,
  begin: string,
): Promise<T> {
  const client = await pool.connect()
  let lost: Error | undefined
  try {
    // Several statements in one message are answered one by one.
    const begun = (await client.query(begin)) as unknown as readonly { rows: Begun[] }[]
    const mine = begun.at(-1)!.rows[0]!
    waiting.set(client, after)
    const result = await work(client)
    try {
      await client.query('COMMIT')
    } catch (error) {
      lost = error as Error
      if (!isPassing(error) || !(await isCommitted(pool, mine))) throw error
    }
    return result
  } catch (error) {
    // Behind a query that is never answered a rollback would wait as well. The server rolls back what it loses.
    if (!keepsConnection(error)) lost ??= error as Error
    if (lost === undefined) await client.query('ROLLBACK').catch((failure: Error) => (lost = failure))
    throw error
  } finally {
    waiting.delete(client)
    client.release(lost)
  }
}

/** Asks for the outcome of a transaction until it is known, or for so long. A store that cannot tell has not committed. */
async function isCommitted(pool: Pool, { xid, epoch }: Begun): Promise<boolean> {
  const until = performance.now() + outcomeMsMax
  for (
    let pauseMs = outcomePauseMs.first;
    performance.now() < until;
    pauseMs = Math.min(pauseMs * 2, outcomePauseMs.max)
  ) {
    try {
      const found = await pool.query<{ status: string | null; epoch: number }>(outcome, [xid, epoch])
      const { status } = found.rows[0]!
      // The server may not have noticed yet that the connection is gone.
      if (status !== 'in progress') return status === 'committed'
    } catch (error) {
      // A number that the store does not know: it is another one by now, and has not that transaction.
      if (!isPassing(error)) return false
    }
    await new Promise(resolve => setTimeout(resolve, pauseMs))
  }
  return false
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
