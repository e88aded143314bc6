import type { LogContext } from '../context.ts'
import { unreadOf } from './read.ts'

/** A badge shows no more anyway, and a log that nobody reads must not cost its whole length. */
export const badgeMax = 999

/** Counting ends at the maximum, whichever conversations it comes from. */
const badgeText = `
SELECT count(*)::int AS badge FROM (
  SELECT FROM members m JOIN conversations c ON c.id = m.conversation_id
   CROSS JOIN LATERAL (
     SELECT FROM messages x WHERE x.conversation_id = m.conversation_id AND ${unreadOf('m', 'c')} LIMIT ${badgeMax}
   ) waiting
   WHERE m.user_id = $1 AND m.read_seq < c.head_seq AND (m.muted_until IS NULL OR m.muted_until <= now())
   LIMIT ${badgeMax}
) unread`

/** What the badge of the person's devices shows: the unread messages of all conversations that are not muted. */
export async function badge(ctx: LogContext, user: string): Promise<number> {
  const found = await ctx.pool.query<{ badge: number }>({
    name: 'conversations-badge',
    text: badgeText,
    values: [user],
  })
  return found.rows[0]!.badge
}
