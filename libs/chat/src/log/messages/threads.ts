/**
 * Threads: which messages hang on which, who follows, and how much of it they have not read. The rows are written in the
 * transaction that writes the reply (reply.ts), so all counts are exact; a message without a thread costs none of it.
 */
import { limits } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { int8Array, uuidArray } from '../../store/binary-arrays.ts'
import { firstSeen, notHidden } from './hidden.ts'
import { everybody } from './mentioned-by.ts'
import { keyOf, markPart, type MessagePart, placeArrays } from './part.ts'

/** A count beyond it is shown as `999+` anyway. */
export const unreadRepliesMax = 1_000

/** As SQL: the replies `x` that stand, of others than $n, and that who follows by the row `f` has not read. */
export const unreadReplies = (user: string) =>
  `x.conversation_id = f.conversation_id AND x.root_seq = f.root_seq AND x.seq > f.read_seq AND NOT x.removed
   AND x.sender_id <> ${user} AND ${notHidden('x', user)}
   AND NOT EXISTS (
     SELECT FROM expiring_messages e
      WHERE e.conversation_id = x.conversation_id AND e.expires_at <= now() AND e.seq = x.seq)`

/**
 * As SQL: the threads that a person $1 follows by rows `f`, in conversations of which they are the member `m`, and where
 * something may wait: on what they cannot see they can read nothing.
 */
export const followedText = `
  thread_follows f
  JOIN threads t ON t.conversation_id = f.conversation_id AND t.root_seq = f.root_seq AND t.last_seq > f.read_seq
  JOIN members m ON m.conversation_id = f.conversation_id AND m.user_id = f.user_id AND ${firstSeen('m')} <= f.root_seq
  JOIN messages r ON r.conversation_id = f.conversation_id AND r.seq = f.root_seq AND ${notHidden('r', '$1')}`

/** As SQL: what waits in such a thread beside the conversation, counted no further than that. */
export const waitingReplies = (max: number) =>
  `(SELECT FROM thread_replies x WHERE ${unreadReplies('$1')} AND x.aside LIMIT ${max})`

/** As SQL: the same where the person is told of mentions and threads alone: what is said in the conversation as well, not what mentions them. */
export const waitingTold = (max: number) =>
  `(SELECT FROM thread_replies x WHERE ${unreadReplies('$1')} AND NOT EXISTS (
      SELECT FROM mentions y
       WHERE y.conversation_id = x.conversation_id AND y.seq = x.seq AND y.seq > m.read_seq AND y.user_id IN ($1, '${everybody}')
    ) LIMIT ${max})`

/** As SQL: whether somebody hears of a message `m` by a push. Of what is shown in a thread alone hears who follows that. */
export const concerns = (message: string, user: string) =>
  `(${message}.aside_of IS NULL OR EXISTS (
     SELECT FROM thread_follows f
      WHERE f.user_id = ${user} AND f.conversation_id = ${message}.conversation_id AND f.root_seq = ${message}.aside_of AND f.following))`

/** As SQL: whether a message `m` is a reply in a thread that somebody follows. */
export const isFollowed = (message: string, user: string) =>
  `EXISTS (
     SELECT FROM thread_follows f
       JOIN thread_replies y ON y.conversation_id = f.conversation_id AND y.root_seq = f.root_seq AND y.seq = ${message}.seq
      WHERE f.user_id = ${user} AND f.conversation_id = ${message}.conversation_id AND f.following
        AND f.root_seq = coalesce(${message}.aside_of, f.root_seq))`

interface Row {
  conversation: string
  seq: number
  changed_seq: number
  count: number
  last_at: number
  people: string[]
  following: boolean | null
  read_seq: number | null
  unread: number
}

export const repliesPart: MessagePart<'replies'> = {
  field: 'replies',
  bit: 4,
  async read(ctx, viewer, places) {
    const found = await ctx.pool.query<Row>({
      name: 'threads-read',
      text: `SELECT t.conversation_id AS conversation, t.root_seq AS seq, t.changed_seq, t.replies AS count, t.people,
                    (extract(epoch FROM l.created_at) * 1000)::float8 AS last_at, f.following, f.read_seq, u.unread
               FROM generate_series(1, cardinality($1::uuid[])) r
               JOIN threads t ON t.conversation_id = ($1::uuid[])[r] AND t.root_seq = ($2::int8[])[r]
               JOIN messages l ON l.conversation_id = t.conversation_id AND l.seq = t.last_seq
               LEFT JOIN thread_follows f ON f.user_id = $3 AND f.conversation_id = t.conversation_id
                     AND f.root_seq = t.root_seq AND f.following
               CROSS JOIN LATERAL (
                 SELECT count(*)::int AS unread FROM (
                   SELECT FROM thread_replies x WHERE ${unreadReplies('$3')} LIMIT ${unreadRepliesMax}
                 ) others
               ) u`,
      values: [...placeArrays(places), viewer],
    })
    return new Map(
      found.rows.map(row => [
        keyOf(row),
        {
          seq: row.changed_seq,
          count: row.count,
          lastAt: Math.round(row.last_at),
          people: row.people,
          following: row.following === true,
          ...(row.read_seq === null ? {} : { readSeq: row.read_seq, unread: row.unread }),
        },
      ]),
    )
  },
}

// ── the rows of a reply ──────────────────────────────────────────────────────────────────────────────────────────────

/** A reply that is being written; the connection holds the conversation. */
export interface Reply {
  readonly conversation: string
  readonly root: number
  readonly seq: number
  readonly by: string
  /** Whether it is shown in the thread alone. */
  readonly aside: boolean
}

/** @returns whether it is the first one */
export async function countReply(client: PoolClient, reply: Reply): Promise<boolean> {
  const { conversation, root, seq, by, aside } = reply
  const counted = await client.query<{ is_first: boolean }>({
    name: 'threads-count-reply',
    text: `WITH listed AS (
             INSERT INTO thread_replies (conversation_id, root_seq, seq, sender_id, aside) VALUES ($1, $2, $3, $4, $5)
           )
           INSERT INTO threads AS t (conversation_id, root_seq, replies, last_seq, moved_at, changed_seq, people)
           VALUES ($1, $2, 1, $3, clock_timestamp(), $3, ARRAY[$4::uuid])
               ON CONFLICT (conversation_id, root_seq) DO UPDATE
              SET replies = t.replies + 1, last_seq = EXCLUDED.last_seq, moved_at = EXCLUDED.moved_at,
                  changed_seq = EXCLUDED.changed_seq,
                  people = (EXCLUDED.people || array_remove(t.people, $4::uuid))[1:${limits.threadPeopleMax}]
           RETURNING xmax = 0 AS is_first`,
    values: [conversation, root, seq, by, aside],
  })
  const isFirst = counted.rows[0]!.is_first
  if (isFirst) await markPart(client, { conversation, seq: root }, repliesPart)
  return isFirst
}

/** Replies whose content is taken away count no more; their places in threads stay. The connection holds the conversation. */
export async function uncountReplies(
  client: PoolClient,
  conversation: string,
  messages: readonly { readonly seq: number; readonly thread?: number }[],
  seq: number,
): Promise<void> {
  const replies = messages.flatMap(({ seq: target, thread: root }) => (root === undefined ? [] : [{ root, target }]))
  if (replies.length === 0) return
  await client.query(
    `WITH gone AS (
       UPDATE thread_replies r SET removed = true
         FROM unnest($2::int8[], $3::int8[]) AS g (root_seq, seq)
        WHERE r.conversation_id = $1 AND r.root_seq = g.root_seq AND r.seq = g.seq AND NOT r.removed
       RETURNING r.root_seq
     )
     UPDATE threads t SET replies = t.replies - g.replies, changed_seq = $4
       FROM (SELECT root_seq, count(*)::int AS replies FROM gone GROUP BY root_seq) g
      WHERE t.conversation_id = $1 AND t.root_seq = g.root_seq`,
    [conversation, replies.map(one => one.root), replies.map(one => one.target), seq],
  )
}

/** Somebody who comes to follow a thread by what was said there, and up to where they have read it. */
export interface Follower {
  readonly user: string
  readonly readSeq: number
}

/**
 * Members come to follow by it, unless they cannot see the message that the thread hangs on, or follow as many threads as one
 * may. Who follows already stays where they are in it, but for who answers: they have read it.
 * @returns those for whom something has changed
 */
export async function follow(client: PoolClient, reply: Reply, people: readonly Follower[]): Promise<Follower[]> {
  const found = await client.query<{ user: string; readSeq: number }>({
    name: 'threads-follow',
    text: `INSERT INTO thread_follows AS f (user_id, conversation_id, root_seq, following, read_seq)
           SELECT m.user_id, $1, $2, true, ($4::int8[])[p]
             FROM generate_series(1, cardinality($3::uuid[])) p
             JOIN members m ON m.conversation_id = $1 AND m.user_id = ($3::uuid[])[p] AND ${firstSeen('m')} <= $2
            WHERE (SELECT count(*) FROM thread_follows o WHERE o.user_id = m.user_id AND o.following) < $6
               OR EXISTS (SELECT FROM thread_follows o
                           WHERE o.user_id = m.user_id AND o.conversation_id = $1 AND o.root_seq = $2 AND o.following)
               ON CONFLICT (user_id, conversation_id, root_seq) DO UPDATE
              SET following = true, read_seq = greatest(f.read_seq, EXCLUDED.read_seq)
            WHERE NOT f.following OR f.user_id = $5
           RETURNING f.user_id AS "user", f.read_seq AS "readSeq"`,
    values: [
      reply.conversation,
      reply.root,
      uuidArray(people.map(one => one.user)),
      int8Array(people.map(one => one.readSeq)),
      reply.by,
      limits.threadsFollowedMax,
    ],
  })
  return found.rows
}

export async function followersOf(client: PoolClient, { conversation, root }: Reply): Promise<string[]> {
  const found = await client.query<{ user: string }>({
    name: 'threads-followers',
    text: 'SELECT user_id AS "user" FROM thread_follows WHERE conversation_id = $1 AND root_seq = $2 AND following',
    values: [conversation, root],
  })
  return found.rows.map(row => row.user)
}
