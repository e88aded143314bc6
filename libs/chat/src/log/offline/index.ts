/**
 * The index of what is owed to people without a live connection. The send itself writes most of it (inserts.ts), and a
 * receipt clears it (receipts/book.ts); here is what a node adds that could not deliver, and the upkeep.
 */
import type { Pool, PoolClient } from 'pg'
import type { LogContext } from '../context.ts'
import { int8Array, uuidArray } from '../../store/binary-arrays.ts'
import { advisoryLocks } from '../../store/advisory-locks.ts'

export interface Absence {
  readonly user: string
  readonly conversation: string
  readonly seq: number
}

const notedAtOnceMax = 1_000

/** Writes down who was not reached. What they have had meanwhile is left out; what is there already stays. */
export async function note(ctx: LogContext, absences: readonly Absence[]): Promise<void> {
  for (let from = 0; from < absences.length; from += notedAtOnceMax) {
    const chunk = absences.slice(from, from + notedAtOnceMax)
    await ctx.pool.query({
      name: 'offline-note',
      text: `INSERT INTO offline_messages (user_id, conversation_id, seq, day)
             SELECT m.user_id, m.conversation_id, ($3::int8[])[r], current_date
               FROM generate_series(1, cardinality($1::uuid[])) r
               JOIN members m ON m.conversation_id = ($2::uuid[])[r] AND m.user_id = ($1::uuid[])[r]
              WHERE m.delivered_seq < ($3::int8[])[r]
                 ON CONFLICT DO NOTHING`,
      values: [
        uuidArray(chunk.map(one => one.user)),
        uuidArray(chunk.map(one => one.conversation)),
        int8Array(chunk.map(one => one.seq)),
      ],
    })
  }
}

/**
 * Nobody is owed these messages any more: pushes that were not sent yet find nothing that waits. Of a large conversation
 * nobody has rows, but for some of the time before it was; these say nothing, since nothing is pushed that is gone.
 */
export async function forget(
  ctx: LogContext,
  client: PoolClient,
  conversation: string,
  seqs: readonly number[],
): Promise<void> {
  await client.query(
    `DELETE FROM offline_messages o
      USING members mb, conversations c, messages m
      WHERE c.id = $1 AND m.conversation_id = $1 AND m.seq = ANY($2::int8[])
        AND (c.large_since IS NULL OR m.created_at <= c.large_since OR c.member_count <= $3)
        AND mb.conversation_id = $1 AND mb.joined_seq <= m.seq
        AND o.user_id = mb.user_id AND o.conversation_id = $1 AND o.seq = m.seq`,
    [conversation, seqs, ctx.settings.largeConversationMin],
  )
}

/** What is owed to a person, by conversation. */
export async function owed(
  ctx: LogContext,
  user: string,
): Promise<{ conversation: string; entries: number; highest: number }[]> {
  const found = await ctx.pool.query<{ conversation: string; entries: number; highest: number }>(
    `SELECT conversation_id AS conversation, count(DISTINCT seq)::int AS entries, max(seq) AS highest
       FROM offline_messages WHERE user_id = $1 GROUP BY conversation_id`,
    [user],
  )
  return found.rows
}

/** Up to here what is owed is counted; above it the statistics of the planner have to do. */
const countedMax = 10_000

/** For metrics: how much is owed to everybody. Cheap however much it is. */
export async function owedToAll(ctx: Pick<LogContext, 'pool'>, countedUpTo = countedMax): Promise<number> {
  const found = await ctx.pool.query<{ rows: number }>({
    name: 'offline-owed-to-all',
    text: `SELECT CASE WHEN counted.rows < $1::int THEN counted.rows
                       ELSE greatest(counted.rows, (SELECT sum(greatest(c.reltuples, 0))
                                                      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                                                     WHERE i.inhparent = 'offline_messages'::regclass)) END::float8 AS rows
             FROM (SELECT count(*)::float8 AS rows FROM (SELECT FROM offline_messages LIMIT $1::int) first) counted`,
    values: [countedUpTo],
  })
  return found.rows[0]!.rows
}

/** Owed entries are kept for so long; after that a person finds them by the cursor alone, and no push is sent. */
const daysKept = 30
const daysAhead = 3
/** Makes the partitions of the days to come and drops those past their time. Cheap to call again. */
export async function ensurePartitions(pool: Pool): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query("SET LOCAL lock_timeout = '2s'")
    const mine = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS mine', [
      advisoryLocks.offlineUpkeep,
    ])
    if (mine.rows[0]!.mine) await makeAndDrop(client.query.bind(client))
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  } finally {
    client.release()
  }
}

async function makeAndDrop(
  query: (text: string, values?: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>,
): Promise<void> {
  const wanted = await query(
    `SELECT d::date::text AS day, (d::date + 1)::text AS next, 'offline_messages_' || to_char(d, 'YYYYMMDD') AS name
       FROM generate_series(current_date, current_date + $1::int, interval '1 day') d
      WHERE to_regclass('offline_messages_' || to_char(d, 'YYYYMMDD')) IS NULL
        AND NOT EXISTS (SELECT FROM offline_messages_default WHERE day = d::date)`,
    [daysAhead],
  )
  for (const row of wanted.rows)
    await query(
      `CREATE TABLE ${String(row['name'])} PARTITION OF offline_messages FOR VALUES FROM ('${String(row['day'])}') TO ('${String(row['next'])}')`,
    )
  const past = await query(
    `SELECT inhrelid::regclass::text AS name FROM pg_inherits
      WHERE inhparent = 'offline_messages'::regclass AND inhrelid::regclass::text ~ '^offline_messages_[0-9]{8}$'
        AND to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') < current_date - $1::int`,
    [daysKept],
  )
  for (const row of past.rows) await query(`DROP TABLE ${String(row['name'])}`)
}
