/** What waits for a person in all their conversations. */
import type { UnreadCounts } from '@flotilla/protocol'
import { decodeId, fitting } from '../../store/paging.ts'
import type { LogContext } from '../context.ts'
import { badge } from './badge.ts'
import { countsOf, waitingText } from './waiting.ts'

const countText = `
WITH waiting AS MATERIALIZED (${waitingText}), counted AS MATERIALIZED (
  SELECT w.id, w.marked_seq, unread.unread, mentions.mentions FROM waiting w ${countsOf('w')}
), total AS (
  SELECT coalesce(sum(unread), 0)::int AS unread, coalesce(sum(mentions), 0)::int AS mentions FROM counted
)
SELECT t.unread AS unread_total, t.mentions AS mentions_total, n.*
  FROM total t
  LEFT JOIN LATERAL (
    SELECT id, marked_seq, unread, mentions FROM counted
     WHERE (unread > 0 OR marked_seq IS NOT NULL) AND ($2::uuid IS NULL OR id > $2)
  ) n ON true
 ORDER BY n.id`

interface Row {
  unread_total: number
  mentions_total: number
  id: string | null
  marked_seq: number | null
  unread: number
  mentions: number
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
  const all = rows.flatMap(({ id, unread, mentions, marked_seq: unreadFrom }) =>
    id === null ? [] : [{ conversation: id, unread, mentions, ...(unreadFrom === null ? {} : { unreadFrom }) }],
  )
  const conversations = fitting(all)
  const { unread_total: unread, mentions_total: mentions } = rows[0]!
  const next = conversations.length < all.length ? { next: conversations.at(-1)!.conversation } : {}
  return { conversations, unread, mentions, badge: shown, ...next }
}
