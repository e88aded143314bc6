/**
 * Before a direct conversation is accepted, few messages go into it. What is guaranteed: never more, however many are
 * sent at once and through however many processes. Each message has a version of the membership of its own, and the group
 * commit stores nothing of another version (inserts.ts): so between the look at the head and the commit there is no other.
 */
import type { LogContext } from '../context.ts'
import type { Membership } from '../memberships.ts'

/** A conversation holds its beginning before the first message. */
const raise = `
UPDATE conversations SET version = version + 1
 WHERE id = $1 AND version = $2 AND member_count < 2 AND head_seq <= $3 RETURNING version`

/**
 * @param membership as the store has just said it
 * @returns what the message is decided by; undefined when the store says something else by now
 */
export async function reserve(ctx: LogContext, membership: Membership): Promise<Membership | undefined> {
  const raised = await ctx.pool.query<{ version: number }>({
    name: 'conversation-requests-reserve',
    text: raise,
    values: [membership.conversation, membership.version, ctx.settings.requestMessagesMax],
  })
  const row = raised.rows[0]
  return row === undefined ? undefined : { ...membership, version: row.version }
}
