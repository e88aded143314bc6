/**
 * Hides messages for oneself, on all one's devices and for good: single ones, or everything up to a seq. The others do not
 * hear of it, and see what was there; nothing counts as read by it.
 */
import { limits, Refusal } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import type { PoolClient } from 'pg'
import { demandMember } from '../../access.ts'
import { count } from '../../notices/notifications/count.ts'
import { transaction } from '../../store/transaction.ts'
import type { LogContext } from '../context.ts'
import { firstSeen } from './hidden.ts'

/** The member's row is held, so that the limit is exact. */
const holdText = `SELECT ${firstSeen('m')} AS first FROM members m WHERE m.conversation_id = $1 AND m.user_id = $2 FOR NO KEY UPDATE`

const hideText = `
WITH here AS (
  INSERT INTO hidden_messages (conversation_id, user_id, seq)
  SELECT m.conversation_id, $2, m.seq FROM messages m
   WHERE m.conversation_id = $1 AND m.seq = ANY($3) AND m.seq >= $4 AND m.kind = ${entries['message.new'].number}
      ON CONFLICT DO NOTHING
), owed AS (
  DELETE FROM offline_messages WHERE conversation_id = $1 AND user_id = $2 AND seq = ANY($3)
)
SELECT count(*)::int AS messages FROM messages m
 WHERE m.conversation_id = $1 AND m.seq = ANY($3) AND m.seq >= $4 AND m.kind = ${entries['message.new'].number}`

/**
 * To hide what is hidden already changes nothing.
 * @throws Refusal conversation_unknown, not_a_member, message_unknown, limit_reached
 */
export async function hide(
  ctx: LogContext,
  by: string,
  input: { readonly conversation: string; readonly seqs: readonly number[] },
): Promise<void> {
  const { conversation } = input
  const seqs = [...new Set(input.seqs)]
  const gone = await held(ctx, by, conversation, async (client, first) => {
    const { rows } = await client.query<{ messages: number }>(hideText, [conversation, by, seqs, first])
    if (rows[0]!.messages < seqs.length) throw new Refusal('message_unknown', undefined, { field: 'seqs' })
    const counted = await client.query<{ hidden: number }>(
      'SELECT count(*)::int AS hidden FROM hidden_messages WHERE conversation_id = $1 AND user_id = $2',
      [conversation, by],
    )
    if (counted.rows[0]!.hidden > limits.hiddenMax)
      throw new Refusal('limit_reached', 'the limit of hidden messages is reached; clear the conversation instead', {
        rule: `maxItems ${limits.hiddenMax}`,
      })
    return forget(client, by, conversation, seq => `${seq} = ANY($3)`, seqs)
  })
  ctx.emit({ class: 'signal', to: [by], event: { event: 'conversation.cleared', conversation, seqs } })
  await tellForgotten(ctx, by, gone)
}

/**
 * Clears the conversation for oneself: it begins after `upTo`, or after its head where that is lower. One row, however long
 * the log is. What was cleared further stays so.
 * @throws Refusal conversation_unknown, not_a_member
 */
export async function clear(
  ctx: LogContext,
  by: string,
  input: { readonly conversation: string; readonly upTo: number },
): Promise<void> {
  const { conversation } = input
  const { upTo, gone } = await held(ctx, by, conversation, async client => {
    const { rows } = await client.query<{ upTo: number }>(
      `UPDATE members m SET cleared_seq = greatest(m.cleared_seq, least($3::int8, c.head_seq))
         FROM conversations c WHERE c.id = m.conversation_id AND m.conversation_id = $1 AND m.user_id = $2
      RETURNING m.cleared_seq AS "upTo"`,
      [conversation, by, input.upTo],
    )
    const { upTo } = rows[0]!
    for (const table of ['hidden_messages', 'offline_messages'])
      await client.query(`DELETE FROM ${table} WHERE conversation_id = $1 AND user_id = $2 AND seq <= $3`, [
        conversation,
        by,
        upTo,
      ])
    return { upTo, gone: await forget(client, by, conversation, seq => `${seq} <= $3`, upTo) }
  })
  // Nothing lies before seq 1.
  if (upTo > 0) ctx.emit({ class: 'signal', to: [by], event: { event: 'conversation.cleared', conversation, upTo } })
  await tellForgotten(ctx, by, gone)
}

async function held<T>(
  ctx: LogContext,
  by: string,
  conversation: string,
  work: (client: PoolClient, first: number) => Promise<T>,
): Promise<T> {
  const exists = (await ctx.memberships.of(conversation)) !== undefined
  return transaction(ctx, async client => {
    const { rows } = await client.query<{ first: number }>(holdText, [conversation, by])
    const first = rows[0]?.first
    demandMember(exists, first)
    return work(client, first)
  })
}

/** What pointed these messages out, or a thread that hangs on one, goes with them. @returns the notifications that were unread */
async function forget(
  client: PoolClient,
  by: string,
  conversation: string,
  which: (seq: string) => string,
  seqs: unknown,
) {
  const { rows } = await client.query<{ id: string; unread: boolean }>(
    `DELETE FROM notifications WHERE id IN (
       SELECT id FROM notifications WHERE user_id = $2 AND conversation_id = $1 AND CASE
         WHEN kind = 'thread_reply' THEN ${which("(detail->>'thread')::int8")} OR ${which("(detail->>'seq')::int8")}
         ELSE ${which('seq')} END ORDER BY id FOR UPDATE
     ) RETURNING id, read_at IS NULL AS unread`,
    [conversation, by, seqs],
  )
  return rows.filter(row => row.unread).map(row => row.id)
}

/** After the commit: never throws. */
async function tellForgotten(ctx: LogContext, by: string, notifications: readonly string[]): Promise<void> {
  if (notifications.length === 0) return
  try {
    const unread = await count(ctx, by)
    for (const notification of notifications)
      ctx.emit({ class: 'signal', to: [by], event: { event: 'notification.read', notification, unread } })
  } catch (error) {
    ctx.logger.warn({ err: error }, 'unable to announce removed notifications')
    ctx.emit({ class: 'signal', to: [by], event: { event: 'refresh' } })
  }
}
