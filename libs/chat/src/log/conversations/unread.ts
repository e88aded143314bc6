/** What waits for a person in all their conversations, and in the threads there that they follow. */
import type { UnreadCounts } from '@flotilla/protocol'
import { decodeId, fitting } from '../../store/paging.ts'
import type { LogContext } from '../context.ts'
import { followedText, unreadRepliesMax, waitingReplies } from '../messages/threads.ts'
import { badge } from './badge.ts'
import { countsOf, waitingText } from './waiting.ts'

const countText = `
WITH waiting AS MATERIALIZED (${waitingText}), counted AS MATERIALIZED (
  SELECT w.id, w.marked_seq, unread.unread, mentions.mentions FROM waiting w ${countsOf('w')}
), answered AS MATERIALIZED (
  SELECT f.conversation_id AS id, sum(waiting.replies)::int AS replies
    FROM ${followedText}
   CROSS JOIN LATERAL (SELECT count(*) AS replies FROM ${waitingReplies(unreadRepliesMax)} others) waiting
   WHERE f.user_id = $1 AND f.following AND waiting.replies > 0
   GROUP BY f.conversation_id
), each AS MATERIALIZED (
  SELECT id, c.marked_seq, coalesce(c.unread, 0) AS unread, coalesce(c.mentions, 0) AS mentions, coalesce(a.replies, 0) AS replies
    FROM counted c FULL JOIN answered a USING (id)
), total AS (
  SELECT coalesce(sum(unread), 0)::int AS unread, coalesce(sum(mentions), 0)::int AS mentions, coalesce(sum(replies), 0)::int AS replies
    FROM each
)
SELECT t.unread AS unread_total, t.mentions AS mentions_total, t.replies AS replies_total, n.*
  FROM total t
  LEFT JOIN LATERAL (
    SELECT id, marked_seq, unread, mentions, replies FROM each
     WHERE (unread > 0 OR replies > 0 OR marked_seq IS NOT NULL) AND ($2::uuid IS NULL OR id > $2)
  ) n ON true
 ORDER BY n.id`

interface Row {
  unread_total: number
  mentions_total: number
  replies_total: number
  id: string | null
  marked_seq: number | null
  unread: number
  mentions: number
  replies: number
}

/** @throws Refusal field_invalid when `after` is none of ours */
export async function unread(
  ctx: LogContext,
  by: string,
  input: { after?: string | undefined },
): Promise<UnreadCounts> {
  const after = input.after === undefined ? undefined : decodeId(input.after)
  const [{ rows }, shown] = await Promise.all([
    ctx.pool.query<Row>({ name: 'unread-counts', text: countText, values: [by, after] }),
    badge(ctx, by),
  ])
  const all = rows.flatMap(({ id, unread, mentions, replies, marked_seq: unreadFrom }) =>
    id === null
      ? []
      : [{ conversation: id, unread, mentions, replies, ...(unreadFrom === null ? {} : { unreadFrom }) }],
  )
  const conversations = fitting(all)
  const { unread_total: unread, mentions_total: mentions, replies_total: replies } = rows[0]!
  const next = conversations.length < all.length ? { next: conversations.at(-1)!.conversation } : {}
  return { conversations, unread, mentions, replies, badge: shown, ...next }
}
