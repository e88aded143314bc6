/**
 * Sends what is due, once, whatever becomes of the worker. A claim is a lease that is not taken back: from then on nobody
 * edits or cancels the message, and whoever claims it next posts it again with the same `clientId`, which makes the same
 * entry (P2). Its row goes when the log has it, or stays as failed when the log refuses it for good; then its sender is told.
 */
import { performance } from 'node:perf_hooks'
import { errors, type ErrorCode, Refusal, type ScheduledMessage } from '@flotilla/protocol'
import { asRefusal } from '../../store/failures.ts'
import { momentOf, zoneRules } from '../../text/zones.ts'
import { addOrThrow } from '../../notices/notifications/add.ts'
import type { LogContext } from '../context.ts'
import { post } from '../messages/post.ts'
import { scheduledColumns, type ScheduledRow, tellScheduled, toCommand, toScheduled } from './row.ts'

/** Longer than a post may take. Whoever comes so late with it leaves it to the next. */
const leaseMs = 60_000
const postMsMax = 20_000
/** Between two attempts: as long as it is late already, so that it doubles each time, from the first to the second one. */
const retryMs = { first: 2_000, max: 5 * 60_000 }
/** What could not be sent by then is told to its sender, and kept for them. */
const lateMsMax = 24 * 3_600_000
/** Refused before anything was stored. */
const unstored: ReadonlySet<ErrorCode> = new Set(['rate_limited', 'quota_exceeded', 'overloaded'])

interface ClaimedRow extends ScheduledRow {
  readonly attempt: number
  readonly suspended: boolean
  readonly late_ms: number
  readonly outdated: boolean
}

/** $1 how many, $2 the lease, $3 the rules of zones. */
const claimDue = `
WITH due AS MATERIALIZED (
  SELECT user_id, id FROM scheduled_messages WHERE attempt_at <= now() ORDER BY attempt_at LIMIT $1
     FOR UPDATE SKIP LOCKED
)
UPDATE scheduled_messages s
   SET attempt_count = s.attempt_count + 1, claimed_at = coalesce(s.claimed_at, now()),
       attempt_at = now() + $2 * interval '1 millisecond'
  FROM due JOIN users u ON u.id = due.user_id
 WHERE s.user_id = due.user_id AND s.id = due.id
RETURNING ${scheduledColumns}, s.attempt_count AS attempt, (extract(epoch FROM now() - s.due_at) * 1000)::float8 AS late_ms,
          u.erased_at IS NOT NULL OR coalesce(u.suspended_until > now(), false) AS suspended,
          coalesce(s.rules < $3 COLLATE "C", false) AS outdated`

export const scheduledOutcomes = ['sent', 'failed', 'later'] as const
export type ScheduledOutcome = (typeof scheduledOutcomes)[number]

/**
 * Claims messages that are due and sends them.
 * @returns what became of each; as many as `max` when there may be more
 */
export async function sendDue(ctx: LogContext, max: number): Promise<ScheduledOutcome[]> {
  const claimedAt = performance.now()
  const { rows } = await ctx.pool.query<ClaimedRow>({
    name: 'scheduled-claim',
    text: claimDue,
    values: [max, leaseMs, zoneRules],
  })
  const isLate = () => performance.now() - claimedAt > leaseMs - postMsMax
  // What somebody wants said first in a conversation is posted first.
  const sendInOrder = async (of: readonly ClaimedRow[]) => {
    const outcomes: ScheduledOutcome[] = []
    for (const row of of.toSorted((a, b) => a.due - b.due)) outcomes.push(isLate() ? 'later' : await send(ctx, row))
    return outcomes
  }
  const groups = Map.groupBy(rows, row => `${row.user_id}/${row.conversation_id}`)
  return (await Promise.all(Array.from(groups.values(), sendInOrder))).flat()
}

async function send(ctx: LogContext, row: ClaimedRow): Promise<ScheduledOutcome> {
  try {
    if (row.outdated && (await isPutOff(ctx, row))) return 'later'
    // A suspension ends sessions, and nothing is said in the name of somebody whose sessions have ended.
    if (row.suspended) throw new Refusal('account_suspended')
    const [message] = (await toScheduled(ctx, [row])) as [ScheduledMessage]
    await post(ctx, row.user_id, toCommand(message.id, message))
    return await settle(ctx, row)
  } catch (error) {
    const refusal = error instanceof Refusal ? error : asRefusal(error)
    if (refusal === undefined) ctx.logger.error({ err: error, scheduled: row.id }, 'unable to send a scheduled message')
    return end(ctx, row, refusal ?? new Refusal('internal'))
  }
}

/** The log has it. */
async function settle(ctx: LogContext, { user_id: user, id }: ClaimedRow): Promise<'sent'> {
  await ctx.pool.query('DELETE FROM scheduled_messages WHERE user_id = $1 AND id = $2', [user, id])
  tellScheduled(ctx, user, id)
  return 'sent'
}

/** Somebody else may have posted it, and died: what is refused now was sent all the same. */
async function isSent(ctx: LogContext, row: ClaimedRow): Promise<boolean> {
  if (row.attempt === 1) return false
  const found = await ctx.pool.query(
    'SELECT FROM messages WHERE conversation_id = $1 AND sender_id = $2 AND client_id = $3',
    [row.conversation_id, row.user_id, row.id],
  )
  return found.rowCount !== 0
}

/** The rules of the zone have changed: it is not yet that time there. */
async function isPutOff(ctx: LogContext, row: ClaimedRow): Promise<boolean> {
  const due = row.wall === null || row.zone === null ? undefined : momentOf(row.wall, row.zone)
  if (due === undefined || due <= ctx.clock() || row.attempt > 1) return false
  await ctx.pool.query(
    `UPDATE scheduled_messages SET due_at = d.at, attempt_at = d.at, rules = $4, claimed_at = NULL, attempt_count = 0
       FROM (SELECT timestamptz 'epoch' + $3::int8 * interval '1 millisecond' AS at) d
      WHERE user_id = $1 AND id = $2 AND attempt_count = 1`,
    [row.user_id, row.id, due, zoneRules],
  )
  return true
}

/** What passes is tried again; what does not is told to the sender. Whoever lost the claim meanwhile changes nothing. */
async function end(ctx: LogContext, row: ClaimedRow, refusal: Refusal): Promise<ScheduledOutcome> {
  const { code, detail } = refusal
  try {
    if (await isSent(ctx, row)) return await settle(ctx, row)
    if (errors[code].retry && row.late_ms < lateMsMax) {
      await tryLater(ctx, row, code, detail.retryMs ?? 0)
      return 'later'
    }
    await fail(ctx, row, code)
    return 'failed'
  } catch (error) {
    // The lease ends by itself, and it is tried again.
    ctx.logger.warn({ err: error, scheduled: row.id }, 'unable to record the outcome of a scheduled message')
    return 'later'
  }
}

/** Where certainly nothing was stored, the sender may change it until then. */
async function tryLater(ctx: LogContext, row: ClaimedRow, code: ErrorCode, askedMs: number): Promise<void> {
  const waitMs = Math.max(askedMs, Math.min(Math.max(retryMs.first, row.late_ms), retryMs.max))
  const isFree = row.attempt === 1 && unstored.has(code)
  await ctx.pool.query(
    `UPDATE scheduled_messages
        SET attempt_at = now() + $4 * interval '1 millisecond',
            claimed_at = CASE WHEN $5 THEN NULL ELSE claimed_at END, attempt_count = CASE WHEN $5 THEN 0 ELSE attempt_count END
      WHERE user_id = $1 AND id = $2 AND attempt_count = $3`,
    [row.user_id, row.id, row.attempt, waitMs, isFree],
  )
}

/** The notification first: should the worker die, it is told again, which its name makes once. */
async function fail(ctx: LogContext, row: ClaimedRow, code: ErrorCode): Promise<void> {
  const { user_id: user, id, conversation_id: conversation, due } = row
  await addOrThrow(ctx, [user], {
    kind: 'scheduled_failed',
    dedup: `scheduled:${id}:${due}`,
    detail: { scheduled: id, conversation, code },
  })
  const failed = await ctx.pool.query<ScheduledRow>(
    `UPDATE scheduled_messages s SET failure = $4, attempt_at = NULL, claimed_at = NULL, attempt_count = 0
      WHERE s.user_id = $1 AND s.id = $2 AND s.attempt_count = $3
  RETURNING ${scheduledColumns}`,
    [user, id, row.attempt, code],
  )
  // A body that cannot be opened is not shown either.
  for (const message of await toScheduled(ctx, failed.rows).catch(() => [])) tellScheduled(ctx, user, id, message)
}
