import { notifyNumbers } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { mentionsOf } from '../messages/mentions.ts'
import { followedText, waitingReplies, waitingTold } from '../messages/threads.ts'
import { notifyText } from './notify.ts'
import { archivedText } from './settings.ts'
import { unreadOf, waitingText } from './waiting.ts'

/** A badge shows no more anyway, and a log that nobody reads must not cost its whole length. */
export const badgeMax = 999

/** Counting ends at the maximum, whichever conversations it comes from. */
const badgeText = `
SELECT count(*)::int AS badge FROM (
  SELECT FROM (${waitingText}) w
   CROSS JOIN LATERAL (
     (SELECT x.seq FROM messages x
       WHERE w.notify = ${notifyNumbers.all} AND x.conversation_id = w.id AND ${unreadOf('w')} LIMIT ${badgeMax})
     UNION ALL
     (SELECT DISTINCT x.seq FROM mentions x
       WHERE w.notify = ${notifyNumbers.mentions} AND ${mentionsOf('w.id')} AND x.seq BETWEEN w.first AND w.head_seq LIMIT ${badgeMax})
   ) waiting
   WHERE NOT w.archived
   UNION ALL
  SELECT FROM ${followedText}
    JOIN conversations c ON c.id = f.conversation_id JOIN users u ON u.id = $1
   CROSS JOIN LATERAL (SELECT ${notifyText} AS notify) n
   CROSS JOIN LATERAL (
     SELECT FROM ${waitingReplies(badgeMax)} apart WHERE n.notify = ${notifyNumbers.all}
      UNION ALL
     SELECT FROM ${waitingTold(badgeMax)} told WHERE n.notify = ${notifyNumbers.mentions}
   ) waiting
   WHERE f.user_id = $1 AND f.following AND NOT ${archivedText}
   LIMIT ${badgeMax}
) unread`

/**
 * What the badge of the person's devices shows: what they are told of and have not read, also in threads that they follow,
 * without what they have archived.
 */
export async function badge(ctx: LogContext, user: string): Promise<number> {
  const found = await ctx.pool.query<{ badge: number }>({
    name: 'conversations-badge',
    text: badgeText,
    values: [user],
  })
  return found.rows[0]!.badge
}
