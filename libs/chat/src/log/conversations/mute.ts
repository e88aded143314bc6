import { demandMember } from '../../access.ts'
import type { LogContext } from '../context.ts'

/**
 * No push tells the caller of the conversation until then. It is the caller's own affair: no entry, no new version of
 * the membership; only their other devices hear it.
 * @param input.until milliseconds since 1970; null, or a time that has passed, ends it
 * @throws Refusal conversation_unknown, not_a_member
 */
export async function mute(
  ctx: LogContext,
  by: string,
  input: { conversation: string; until: number | null },
): Promise<void> {
  const { conversation } = input
  const muted = await ctx.pool.query<{ until: number | null }>(
    `UPDATE members m SET muted_until = CASE WHEN g.until > now() THEN g.until END
       FROM (SELECT timestamptz 'epoch' + $3::int8 * interval '1 millisecond' AS until) g
      WHERE m.conversation_id = $1 AND m.user_id = $2
  RETURNING (extract(epoch FROM m.muted_until) * 1000)::int8 AS until`,
    [conversation, by, input.until],
  )
  const row = muted.rows[0]
  const exists = row !== undefined || (await ctx.memberships.of(conversation)) !== undefined
  demandMember(exists, row)
  ctx.emit({ class: 'signal', to: [by], event: { event: 'conversation.muted', conversation, until: row.until } })
}
