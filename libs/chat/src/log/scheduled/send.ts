/**
 * Sends what is due, once, whatever becomes of the worker. A claim is a lease that is not taken back: from then on nobody
 * edits or cancels the message, and whoever claims it next posts it again with the same `clientId`, which makes the same
 * entry (P2). Its row goes when the log has it, or stays as failed when the log refuses it for good; then its sender is told.
 * Until then nothing is claimed that the sender wants said after it in the conversation: whoever dies, they come in order.
 */
import { performance } from 'node:perf_hooks'
import { errors, type ErrorCode, Refusal, type ScheduledMessage } from '@flotilla/protocol'
import { asRefusal } from '../../store/failures.ts'
import { momentOf, zoneRules } from '../../text/zones.ts'
import { addOrThrow } from '../../notices/notifications/add.ts'
import type { LogContext } from '../context.ts'
import { post } from '../messages/post.ts'
import { scheduledColumns, type ScheduledRow, tellScheduled, toCommand, toScheduled } from './row.ts'

/** Of the lease, what a post may take. Whoever comes later than that with it leaves it to the next. */
const postShare = 1 / 3
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

/**
 * The first of each sender and conversation, or of one of them. $1 how many, $2 the lease, $3 the rules of zones, $4 the
 * sender and $5 the conversation, or null.
 */
const claimDue = `
WITH due AS MATERIALIZED (
  SELECT user_id, id FROM scheduled_messages d
   WHERE attempt_at <= now() AND ($4::uuid IS NULL OR (user_id = $4 AND conversation_id = $5))
     AND NOT EXISTS (
           SELECT FROM scheduled_messages b
            WHERE b.user_id = d.user_id AND b.conversation_id = d.conversation_id AND b.attempt_at IS NOT NULL
              AND (b.due_at, b.id) < (d.due_at, d.id))
   ORDER BY attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED
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

export interface SendDueOptions {
  /** For so long nobody else claims what one has claimed: longer than a post may take. */
  readonly leaseMs?: number
}

/**
 * Claims messages that are due and sends them: of `max` senders and conversations all of them, one after the other.
 * @returns what became of each; as many as `max` when there may be more
 */
export async function sendDue(
  ctx: LogContext,
  max: number,
  { leaseMs = 60_000 }: SendDueOptions = {},
): Promise<ScheduledOutcome[]> {
  const claim = async (count: number, of?: ClaimedRow) => {
    const claimedAt = performance.now()
    const { rows } = await ctx.pool.query<ClaimedRow>({
      name: 'scheduled-claim',
      text: claimDue,
      values: [count, leaseMs, zoneRules, of?.user_id ?? null, of?.conversation_id ?? null],
    })
    return { rows, isLate: () => performance.now() - claimedAt > leaseMs * (1 - postShare) }
  }
  const firsts = await claim(max)
  const sendAll = async (first: ClaimedRow) => {
    const outcomes: ScheduledOutcome[] = []
    let held = { ...firsts, rows: [first] }
    for (let [row] = held.rows; row !== undefined; [row] = held.rows) {
      outcomes.push(held.isLate() ? 'later' : await send(ctx, row))
      // Where the store is away, the next turn says so.
      held = await claim(1, first).catch(() => ({ ...held, rows: [] }))
    }
    return outcomes
  }
  return (await Promise.all(firsts.rows.map(sendAll))).flat()
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

/** Where certainly nothing was stored, the sender may change it until then. What comes after it is not late before it is. */
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
  await ctx.pool.query(
    `UPDATE scheduled_messages SET attempt_at = now() + $4 * interval '1 millisecond'
      WHERE user_id = $1 AND conversation_id = $2 AND id <> $3 AND claimed_at IS NULL
        AND attempt_at < now() + $4 * interval '1 millisecond'`,
    [row.user_id, row.conversation_id, row.id, waitMs],
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
