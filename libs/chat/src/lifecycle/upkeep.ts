/**
 * What has had its time goes: in small bites, so that no statement holds locks for long, and by one worker at a time.
 */
import type { PoolClient } from 'pg'
import type { LifecycleContext } from './context.ts'
import { add } from '../store/jobs/add.ts'
import { noteMissed } from '../log/feed/note.ts'
import { retime } from '../log/scheduled/retime.ts'
import { ensurePartitions } from '../log/offline/index.ts'
import { transaction } from '../store/transaction.ts'
import { uploadKey } from '../store/uploads/uploads.ts'
import { refold } from '../users/refold.ts'
import { advisoryLocks } from '../store/advisory-locks.ts'

const rowsAtOnce = 2_000
const bitesMax = 500
const uploadsAtOnce = 200

/** What goes when, by table. Each has an index that finds it, but for the few that are small or seldom looked at. */
const overdue = {
  // The longest that a deployment may hold names.
  held_names: `freed_at < now() - interval '366 days'`,
  invitations: `expires_at < now()`,
  invite_links: `expires_at < now()`,
  // The longest that a deployment lets people wait who were declined.
  join_requests: `declined AND changed_at < now() - interval '366 days'`,
  group_silences: `until < now()`,
  // As long as slow mode may be.
  slow_posts: `at < now() - interval '1 day'`,
  codes: `expires_at < now() - interval '1 hour'`,
  changes: `at < now() - interval '1 hour'`,
  // What every consumer has passed.
  feed_notes: `place <= (SELECT min(place) FROM feed_positions)`,
  challenges: `expires_at < now() - interval '1 hour'`,
  notifications: `at < now() - interval '90 days'`,
  drafts: `at < now() - interval '1 year'`,
  security_events: `at < now() - interval '1 year'`,
  push_deliveries: `created_at < now() - interval '7 days' AND state <> 'waiting'`,
  pushes: `due_at IS NULL AND (pushed_at IS NULL OR pushed_at < now() - interval '1 day')`,
  jobs: `dead_at < now() - interval '30 days'`,
  operator_actions: `at < now() - interval '2 years'
    AND NOT EXISTS (SELECT FROM users u WHERE u.id = user_id AND u.suspended_until > now())`,
  // What has failed waits for its sender for so long.
  scheduled_messages: `failure IS NOT NULL AND due_at < now() - interval '90 days'`,
  reports: `decided_at < now() - interval '180 days'`,
  sessions: `revoked_at < now() - interval '30 days' OR expires_at < now() - interval '30 days'`,
} as const

export const upkeptTables = [...(Object.keys(overdue) as (keyof typeof overdue)[]), 'uploads'] as const

export type Upkept = Readonly<Record<(typeof upkeptTables)[number], number>>

/**
 * Cleans up once.
 * @param signal ends it between two bites
 * @returns how many rows went, by table; undefined when another worker is at it
 */
export async function upkeep(ctx: LifecycleContext, signal?: AbortSignal): Promise<Upkept | undefined> {
  await ensurePartitions(ctx.pool)
  const gone = Object.fromEntries(upkeptTables.map(table => [table, 0])) as Record<keyof Upkept, number>
  let begun = false
  for (const table of upkeptTables) {
    const dropRows = table === 'uploads' ? dropUploads : dropOverdue(table)
    for (let bite = 0; bite < bitesMax && !isEnded(signal); bite++) {
      const { mine, rows, whole } = await takeBite(ctx, dropRows)
      if (!mine) return begun ? gone : undefined
      begun = true
      gone[table] += rows
      if (whole) break
    }
  }
  await refold(ctx, signal)
  await noteMissed(ctx, signal)
  await retime(ctx, signal)
  return gone
}

const isEnded = (signal: AbortSignal | undefined) => signal?.aborted === true

/** How many rows went, and whether that was all. */
interface Bite {
  readonly rows: number
  readonly whole: boolean
}
type DropRows = (ctx: LifecycleContext, tx: PoolClient) => Promise<Bite>

/** The lock ends with the transaction: a session's own would stay with whoever gets the connection from a pooler next. */
function takeBite(ctx: LifecycleContext, dropRows: DropRows): Promise<Bite & { readonly mine: boolean }> {
  return transaction(ctx, async tx => {
    const locked = await tx.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS mine', [
      advisoryLocks.upkeep,
    ])
    return locked.rows[0]!.mine ? { mine: true, ...(await dropRows(ctx, tx)) } : { mine: false, rows: 0, whole: true }
  })
}

function dropOverdue(table: keyof typeof overdue): DropRows {
  return async (_ctx, tx) => {
    const { rowCount } = await tx.query(
      `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ${table} WHERE ${overdue[table]} LIMIT ${rowsAtOnce}))`,
    )
    return { rows: rowCount ?? 0, whole: (rowCount ?? 0) < rowsAtOnce }
  }
}

/** Uploads that were never taken over: their files go with them, by a job, since a store of files can be away. */
async function dropUploads(ctx: LifecycleContext, tx: PoolClient): Promise<Bite> {
  const found = await tx.query<{ id: string }>(
    `DELETE FROM uploads WHERE id IN (SELECT id FROM uploads WHERE expires_at < now() - interval '1 hour'
                                       LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id`,
    [uploadsAtOnce],
  )
  const keys = found.rows.map(row => uploadKey(row.id))
  if (keys.length > 0) await add(ctx, { kind: 'delete-files', keys }, tx)
  return { rows: keys.length, whole: keys.length < uploadsAtOnce }
}
