/** What a person has to do with a thread, for themselves alone: following it, and how far they have read. */
import { limits, Refusal } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import { demandMember } from '../../access.ts'
import { transaction } from '../../store/transaction.ts'
import { holdUsers } from '../../users/hold.ts'
import type { LogContext } from '../context.ts'
import { firstSeen, notHidden } from './hidden.ts'
import { readThread, withdrawReplied } from './tell-replied.ts'

export interface ThreadInput {
  readonly conversation: string
  /** The message that the thread hangs on. */
  readonly thread: number
}

/**
 * Asked of the store, not of the cache: who was removed a moment ago reads nothing.
 * @returns the head, beyond which the caller may be no member any more
 */
export async function demandThread(
  ctx: LogContext,
  by: string,
  { conversation, thread }: ThreadInput,
): Promise<number> {
  const found = await ctx.pool.query<{ head: number; joined: number | null; stands: boolean }>({
    name: 'threads-demand',
    text: `SELECT c.head_seq AS head, mb.joined_seq AS joined, m.seq IS NOT NULL AS stands
             FROM conversations c LEFT JOIN members mb ON mb.conversation_id = c.id AND mb.user_id = $3
             LEFT JOIN messages m ON m.conversation_id = c.id AND m.seq = $2 AND m.seq >= ${firstSeen('mb')}
                  AND ${notHidden('m', 'mb.user_id')} AND m.kind = ${entries['message.new'].number} AND m.aside_of IS NULL
            WHERE c.id = $1`,
    values: [conversation, thread, by],
  })
  const row = found.rows[0]
  demandMember(row !== undefined, row?.joined ?? undefined)
  if (row?.stands !== true) throw new Refusal('message_unknown', undefined, { field: 'seq' })
  return row.head
}

/**
 * Follows a thread; what is in it already counts as read. A message without replies can be followed too.
 * @throws Refusal conversation_unknown, not_a_member, message_unknown, limit_reached
 */
export async function followThread(ctx: LogContext, by: string, input: ThreadInput): Promise<void> {
  await demandThread(ctx, by, input)
  const { conversation, thread } = input
  const readSeq = await transaction(ctx, async client => {
    // One after the other, so that two at once do not pass the limit.
    await holdUsers(client, [by])
    const followed = await client.query<{ readSeq: number }>(
      `INSERT INTO thread_follows AS f (user_id, conversation_id, root_seq, following, read_seq)
       SELECT $1, $2, $3, true, coalesce((SELECT last_seq FROM threads WHERE conversation_id = $2 AND root_seq = $3), $3)
        WHERE (SELECT count(*) FROM thread_follows o
                WHERE o.user_id = $1 AND o.following AND (o.conversation_id, o.root_seq) <> ($2, $3)) < $4
           ON CONFLICT (user_id, conversation_id, root_seq) DO UPDATE
          SET following = true,
              read_seq = CASE WHEN f.following THEN f.read_seq ELSE greatest(f.read_seq, EXCLUDED.read_seq) END
       RETURNING read_seq AS "readSeq"`,
      [by, conversation, thread, limits.threadsFollowedMax],
    )
    return followed.rows[0]?.readSeq
  })
  if (readSeq === undefined)
    throw new Refusal('limit_reached', 'the caller follows as many threads as one may', {
      rule: `maxItems ${limits.threadsFollowedMax}`,
    })
  tell(ctx, by, input, { following: true, readSeq })
}

/** @throws Refusal conversation_unknown, not_a_member, message_unknown */
export async function unfollowThread(ctx: LogContext, by: string, input: ThreadInput): Promise<void> {
  await demandThread(ctx, by, input)
  await ctx.pool.query(
    'UPDATE thread_follows SET following = false WHERE user_id = $1 AND conversation_id = $2 AND root_seq = $3',
    [by, input.conversation, input.thread],
  )
  tell(ctx, by, input, { following: false })
  await withdrawReplied(ctx, by, input)
}

/**
 * The caller has read a thread up to a seq. It only rises, never past the last reply; of who does not follow nothing is kept.
 * @throws Refusal conversation_unknown, not_a_member, message_unknown
 */
export async function markThreadRead(
  ctx: LogContext,
  by: string,
  input: ThreadInput & { readonly seq: number },
): Promise<void> {
  await demandThread(ctx, by, input)
  const risen = await ctx.pool.query<{ readSeq: number }>(
    `UPDATE thread_follows f SET read_seq = least($4, t.last_seq) FROM threads t
      WHERE f.user_id = $1 AND f.conversation_id = $2 AND f.root_seq = $3 AND f.following
        AND t.conversation_id = $2 AND t.root_seq = $3 AND f.read_seq < least($4, t.last_seq)
  RETURNING f.read_seq AS "readSeq"`,
    [by, input.conversation, input.thread, input.seq],
  )
  const row = risen.rows[0]
  if (row === undefined) return
  tell(ctx, by, input, { following: true, readSeq: row.readSeq })
  await readThread(ctx, by, { ...input, seq: row.readSeq })
}

function tell(
  ctx: LogContext,
  by: string,
  { conversation, thread }: ThreadInput,
  now: { readonly following: boolean; readonly readSeq?: number },
): void {
  ctx.emit({ class: 'signal', to: [by], event: { event: 'thread.changed', conversation, thread, ...now } })
}
