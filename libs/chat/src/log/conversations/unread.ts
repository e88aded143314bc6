/** What waits for a person in all their conversations, by one statement. */
import { notHidden } from '../messages/hidden.ts'
import { Refusal, type UnreadCounts } from '@flotilla/protocol'
import { notifyNumbers } from '../../access.ts'
import { fitting } from '../../store/paging.ts'
import type { LogContext } from '../context.ts'
import { mentionsOf } from '../messages/mentions.ts'
import { countedKinds } from '../rules.ts'
import { archivedText, notifyText, unreadFromText } from './settings.ts'

/** A count beyond it is shown as `999+` anyway, and must not cost the reading of a whole log. */
const unreadMax = 1_000

/** As SQL: the messages `x` of others than $1 that wait in a conversation, from its columns `first` and `head_seq` on. */
export const unreadOf = (at: string) =>
  `x.kind IN (${countedKinds}) AND x.sender_id <> $1 AND x.aside_of IS NULL AND x.removed_at IS NULL AND (x.expires_at IS NULL OR x.expires_at > now())
   AND x.seq BETWEEN ${at}.first AND ${at}.head_seq AND ${notHidden('x', '$1')}`

/** Both counts of a conversation `w` with the columns `id`, `first` and `head_seq`. */
export const countsOf = (at: string) => `
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS unread FROM (
        SELECT FROM messages x WHERE x.conversation_id = ${at}.id AND ${unreadOf(at)} LIMIT ${unreadMax}
      ) others
    ) unread
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS mentions FROM (
        SELECT DISTINCT x.seq FROM mentions x WHERE ${mentionsOf(`${at}.id`)} AND x.seq BETWEEN ${at}.first AND ${at}.head_seq LIMIT ${unreadMax}
      ) mentioned
    ) mentions`

/** Conversations of $1 in which something may wait: of most people's most nothing has come since they read. */
export const waitingText = `
SELECT c.id, c.head_seq, m.marked_seq, ${unreadFromText} AS first, ${notifyText} AS notify, ${archivedText} AS archived
  FROM members m JOIN conversations c ON c.id = m.conversation_id JOIN users u ON u.id = m.user_id
 WHERE m.user_id = $1 AND (m.read_seq < c.head_seq OR m.marked_seq IS NOT NULL)`

const countText = `
WITH waiting AS MATERIALIZED (${waitingText}), counted AS MATERIALIZED (
  SELECT w.id, w.marked_seq, unread.unread, mentions.mentions,
         CASE WHEN w.archived THEN 0
              WHEN w.notify = ${notifyNumbers.all} THEN unread.unread
              WHEN w.notify = ${notifyNumbers.mentions} THEN mentions.mentions ELSE 0 END AS badge
    FROM waiting w ${countsOf('w')}
), total AS (
  SELECT coalesce(sum(unread), 0)::int AS unread, coalesce(sum(mentions), 0)::int AS mentions, coalesce(sum(badge), 0)::int AS badge
    FROM counted
)
SELECT t.unread AS unread_total, t.mentions AS mentions_total, t.badge, n.*
  FROM total t
  LEFT JOIN LATERAL (
    SELECT id, marked_seq, unread, mentions FROM counted
     WHERE (unread > 0 OR marked_seq IS NOT NULL) AND ($2::uuid IS NULL OR id > $2)
  ) n ON true
 ORDER BY n.id`

interface Row {
  unread_total: number
  mentions_total: number
  badge: number
  id: string | null
  marked_seq: number | null
  unread: number
  mentions: number
}

const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** @throws Refusal field_invalid when `after` is none of ours */
export async function unread(
  ctx: LogContext,
  by: string,
  input: { after?: string | undefined },
): Promise<UnreadCounts> {
  const { after } = input
  if (after !== undefined && !idPattern.test(after))
    throw new Refusal('field_invalid', 'after: must be `next` of another page', {
      field: 'after',
      rule: '`next` of another page',
    })
  const { rows } = await ctx.pool.query<Row>({ name: 'unread-counts', text: countText, values: [by, after] })
  const all = rows.flatMap(({ id, unread, mentions, marked_seq: unreadFrom }) =>
    id === null ? [] : [{ conversation: id, unread, mentions, ...(unreadFrom === null ? {} : { unreadFrom }) }],
  )
  const conversations = fitting(all)
  const { unread_total: unread, mentions_total: mentions, badge } = rows[0]!
  const next = conversations.length < all.length ? { next: conversations.at(-1)!.conversation } : {}
  return { conversations, unread, mentions, badge, ...next }
}
