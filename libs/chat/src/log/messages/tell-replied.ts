/**
 * Tells those who follow a thread of a reply there, after the commit: one notification for a thread, with who replied last. It is
 * read with the thread, not with the conversation, so its seq stands in its detail. Whoever the reply mentions is told of that.
 * A large conversation has no rows in the offline index; followers who are away get theirs here, for a push to go by.
 */
import { randomUUID } from 'node:crypto'
import type { EntryOf } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { notifyNumbers } from '../../access.ts'
import type { NoticesContext } from '../../notices/context.ts'
import { announce, type Announced } from '../../notices/notifications/add.ts'
import { tellWithdrawn, withdraw } from '../../notices/notifications/follow.ts'
import { int8Array, uuidArray } from '../../store/binary-arrays.ts'
import { add } from '../../store/jobs/add.ts'
import { afterCommit } from '../../store/transaction.ts'
import type { LogContext } from '../context.ts'
import { notifyText } from '../conversations/notify.ts'
import { note } from '../offline/index.ts'
import { firstSeen, notHidden } from './hidden.ts'
import { everybody } from './mentioned-by.ts'
import { unreadReplies } from './threads.ts'

interface Thread {
  readonly conversation: string
  /** The message that the thread hangs on. */
  readonly thread: number
}

/** A committed reply. */
export interface Replied extends Thread {
  readonly seq: number
  readonly by: string
}

const dedupOf = ({ conversation, thread }: Thread) => `thread:${conversation}:${thread}`

/** Followers who are told in one statement; those beyond it are told by a worker. */
const toldAtOnce = 500

/**
 * $1 and $2 ids and people, $3 the conversation, $4 the thread, $5 the reply, $6 who wrote it, $7 the name. The rows of the
 * follower are held against the end of a membership, the reply's against its removal, as the person's place in the thread is
 * against their reading on: whatever comes at the same moment finds the notification, or is seen here. Said once more, nothing is new.
 */
const putText = `
WITH due AS MATERIALIZED (
  SELECT f.user_id
    FROM thread_follows f
    JOIN members m ON m.conversation_id = f.conversation_id AND m.user_id = f.user_id AND ${firstSeen('m')} <= f.root_seq
    JOIN thread_replies x ON x.conversation_id = f.conversation_id AND x.root_seq = f.root_seq AND x.seq = $5
    JOIN messages r ON r.conversation_id = f.conversation_id AND r.seq = f.root_seq AND ${notHidden('r', 'f.user_id')}
    JOIN conversations c ON c.id = f.conversation_id JOIN users u ON u.id = f.user_id
   WHERE f.user_id = ANY($2::uuid[]) AND f.conversation_id = $3 AND f.root_seq = $4 AND f.following AND f.read_seq < $5
     AND f.user_id <> $6 AND NOT x.removed AND ${notHidden('x', 'f.user_id')} AND ${notifyText} <> ${notifyNumbers.nothing}
     AND NOT EXISTS (SELECT FROM mentions y WHERE y.conversation_id = $3 AND y.seq = $5 AND y.user_id IN (f.user_id, '${everybody}'))
     AND NOT EXISTS (SELECT FROM blocks b WHERE (b.user_id, b.blocked_id) IN ((f.user_id, $6), ($6, f.user_id)))
   ORDER BY f.user_id
     FOR SHARE OF f, m, x
)
INSERT INTO notifications AS n (id, user_id, kind, dedup, at, actor_id, conversation_id, detail)
SELECT u.id, u.user_id, 'thread_reply', $7, clock_timestamp(), $6, $3, jsonb_build_object('thread', $4::text, 'seq', $5::text)
  FROM unnest($1::uuid[], $2::uuid[]) AS u (id, user_id)
 WHERE u.user_id IN (SELECT user_id FROM due)
 ORDER BY u.user_id
    ON CONFLICT (user_id, dedup) DO UPDATE
   SET at = EXCLUDED.at, actor_id = EXCLUDED.actor_id, detail = EXCLUDED.detail, read_at = NULL
 WHERE (n.detail->>'seq')::int8 < $5
RETURNING n.id, n.user_id, (extract(epoch FROM n.at) * 1000)::float8 AS at, n.detail`

/** Of a repetition as well: the first time may have been committed by a process that then died. Never throws. */
export async function tellReplied(ctx: LogContext, entry: EntryOf<'message.new'>, large: boolean): Promise<void> {
  const { conversation, thread, seq, by } = entry
  if (thread === undefined) return
  const replied = { conversation, thread, seq, by }
  try {
    await readThread(ctx, by, { conversation, thread, seq })
    const users = await followersAfter(ctx, replied, everybody)
    await tellThem(ctx, replied, users)
    if (large) await noteAbsent(ctx, replied, ctx.presumedAbsent(users))
    if (users.length === toldAtOnce) await add(ctx, { kind: 'thread-reply', ...replied })
  } catch (error) {
    ctx.logger.warn({ err: error }, 'unable to notify followers of a thread')
  }
}

/** Tells all followers: the work of a job, which may be done again from its beginning. */
export async function tellFollowers(ctx: LogContext, replied: Replied): Promise<void> {
  const membership = await ctx.memberships.of(replied.conversation)
  if (membership === undefined) return
  for (let after = everybody; ; ) {
    const users = await followersAfter(ctx, replied, after)
    await tellThem(ctx, replied, users)
    if (membership.large) await noteAbsent(ctx, replied, users)
    if (users.length < toldAtOnce) return
    after = users.at(-1)!
  }
}

async function followersAfter(ctx: LogContext, { conversation, thread, by }: Replied, after: string) {
  const found = await ctx.pool.query<{ user: string }>({
    name: 'threads-followers-after',
    text: `SELECT user_id AS "user" FROM thread_follows
            WHERE conversation_id = $1 AND root_seq = $2 AND following AND user_id > $3 AND user_id <> $4
            ORDER BY user_id LIMIT ${toldAtOnce}`,
    values: [conversation, thread, after, by],
  })
  return found.rows.map(row => row.user)
}

async function tellThem(ctx: LogContext, replied: Replied, users: readonly string[]): Promise<void> {
  if (users.length === 0) return
  const { conversation, thread, seq, by } = replied
  const put = await ctx.pool.query<Pick<Announced, 'id' | 'user_id' | 'at' | 'detail'>>({
    name: 'replied-put',
    text: putText,
    values: [
      uuidArray(users.map(() => randomUUID())),
      uuidArray(users),
      conversation,
      thread,
      seq,
      by,
      dedupOf(replied),
    ],
  })
  await announce(
    ctx,
    put.rows.map(row => ({ ...row, kind: 'thread_reply', actor: by, conversation })),
  )
}

async function noteAbsent(ctx: LogContext, { conversation, seq }: Replied, users: readonly string[]): Promise<void> {
  await note(
    ctx,
    users.map(user => ({ user, conversation, seq })),
  )
}

// ── what ends it ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Somebody has read a thread up to `seq`, after the commit. Never throws. */
export async function readThread(
  ctx: NoticesContext,
  user: string,
  { seq, ...thread }: Thread & { readonly seq: number },
): Promise<void> {
  try {
    const read = await ctx.pool.query<{ id: string }>({
      name: 'replied-read',
      text: `UPDATE notifications SET read_at = now()
              WHERE user_id = $1 AND dedup = $2 AND read_at IS NULL AND (detail->>'seq')::int8 <= $3 RETURNING id`,
      values: [user, dedupOf(thread), seq],
    })
    await tellWithdrawn(
      ctx,
      user,
      read.rows.map(({ id }) => ({ id, was_unread: true })),
    )
  } catch (error) {
    ctx.logger.warn({ err: error }, 'unable to mark the notification of a thread as read')
    ctx.emit({ class: 'signal', to: [user], event: { event: 'refresh' } })
  }
}

/** Somebody does not follow the thread any longer, after the commit. Never throws. */
export const withdrawReplied = (ctx: NoticesContext, user: string, thread: Thread): Promise<void> =>
  withdraw(ctx, user, dedupOf(thread))

/**
 * $1 the conversation, $2 and $3 threads, and replies there that are gone. Whoever was told of one is told of the latest that
 * still waits for them, and no more where there is none.
 */
const settleText = `
WITH held AS MATERIALIZED (
  SELECT n.id, n.user_id, n.read_at IS NULL AS was_unread, w.seq, w.sender_id
    FROM unnest($2::int8[], $3::int8[]) AS g (root_seq, seq)
    JOIN thread_follows f ON f.conversation_id = $1 AND f.root_seq = g.root_seq AND f.following
    JOIN notifications n ON n.user_id = f.user_id AND n.dedup = 'thread:' || $1::text || ':' || g.root_seq
         AND n.detail->>'seq' = g.seq::text
    LEFT JOIN LATERAL (
      SELECT x.seq, x.sender_id FROM thread_replies x
       WHERE ${unreadReplies('f.user_id')} AND NOT EXISTS (
         SELECT FROM blocks b WHERE (b.user_id, b.blocked_id) IN ((f.user_id, x.sender_id), (x.sender_id, f.user_id)))
       ORDER BY x.seq DESC LIMIT 1
    ) w ON n.read_at IS NULL
   ORDER BY n.id
     FOR UPDATE OF n
), gone AS (
  DELETE FROM notifications n USING held h WHERE n.id = h.id AND h.seq IS NULL
), changed AS (
  UPDATE notifications n SET actor_id = h.sender_id, detail = n.detail || jsonb_build_object('seq', h.seq::text)
    FROM held h WHERE n.id = h.id AND h.seq IS NOT NULL
  RETURNING n.id, n.user_id, (extract(epoch FROM n.at) * 1000)::float8 AS at, n.actor_id AS actor, n.detail
)
SELECT h.id, h.user_id, h.was_unread, c.at, c.actor, c.detail FROM held h LEFT JOIN changed c ON c.id = h.id`

type Settled = { readonly id: string; readonly user_id: string; readonly was_unread: boolean } & (
  | { readonly at: number; readonly actor: string; readonly detail: Readonly<Record<string, string>> }
  | { readonly at: null }
)

/** These replies are taken away in this transaction, which holds the conversation and counts them no more. */
export async function settleReplied(
  ctx: NoticesContext,
  client: PoolClient,
  conversation: string,
  messages: readonly { readonly seq: number; readonly thread?: number }[],
): Promise<void> {
  const replies = messages.flatMap(({ seq, thread }) => (thread === undefined ? [] : [{ seq, thread }]))
  if (replies.length === 0) return
  const { rows } = await client.query<Settled>(settleText, [
    conversation,
    int8Array(replies.map(one => one.thread)),
    int8Array(replies.map(one => one.seq)),
  ])
  await afterCommit(client, async () => {
    const changed = rows.flatMap(row =>
      row.at === null ? [] : [{ ...row, kind: 'thread_reply' as const, conversation }],
    )
    await announce(ctx, changed)
    for (const row of rows) if (row.at === null) await tellWithdrawn(ctx, row.user_id, [row])
  })
}
