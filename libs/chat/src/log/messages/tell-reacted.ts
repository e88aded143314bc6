/**
 * Tells the author of a message who has reacted to it: one notification for a message, with who did last and how many have.
 * It is decided and written under the lock of the conversation, together with the reactions, so that whatever people do at
 * the same moment, it says in the end what the message has, and is gone with the last of them. It is never pushed, and in a
 * large conversation nobody is told anew: there the counts on the message say it.
 */
import type { PoolClient } from 'pg'
import { notifyNumbers } from '../../access.ts'
import type { NoticesContext } from '../../notices/context.ts'
import { announce, type Announced } from '../../notices/notifications/add.ts'
import { tellWithdrawn, withdraw } from '../../notices/notifications/follow.ts'
import { uuidArray } from '../../store/binary-arrays.ts'
import { afterCommit } from '../../store/transaction.ts'
import { notifyText } from '../conversations/notify.ts'
import { firstSeen, notHidden } from './hidden.ts'
import { givenPlaces, type MessagePlace, placeArrays } from './part.ts'

const dedupOf = (conversation: string, seq: number) => `reacted:${conversation}:${seq}`

interface Row {
  conversation: string
  seq: number
  author: string
  /** The notification that there is, and what it says. */
  id: string | null
  told: Readonly<Record<string, string>> | null
  told_actor: string | null
  /** Whether the author wants to be told of more. */
  tells: boolean
  people: number
  actor: string | null
  emoji: string | null
}

/**
 * $1 and $2: messages. $3: whether somebody may have reacted to them, and not only taken that back. People with whom
 * a block stands count as little as the author, who may have left, hidden the message, or want to hear nothing of it.
 */
const readText = `
WITH due AS MATERIALIZED (
  SELECT x.conversation_id, x.seq, x.sender_id, n.id, n.detail, n.actor_id, o.tells
    FROM ${givenPlaces}
   CROSS JOIN LATERAL (SELECT * FROM messages WHERE conversation_id = g.conversation AND seq = g.seq OFFSET 0) x
    JOIN conversations c ON c.id = x.conversation_id JOIN users u ON u.id = x.sender_id
    LEFT JOIN members m ON m.conversation_id = x.conversation_id AND m.user_id = x.sender_id
    LEFT JOIN notifications n ON n.user_id = x.sender_id AND n.dedup = 'reacted:' || x.conversation_id || ':' || x.seq
   CROSS JOIN LATERAL (
     SELECT ($3::boolean[])[g.place] AND coalesce(${firstSeen('m')} <= x.seq, false) AND ${notHidden('x', 'x.sender_id')}
            AND ${notifyText} = ${notifyNumbers.all} AS tells
   ) o
   WHERE o.tells OR n.id IS NOT NULL
)
SELECT d.conversation_id AS conversation, d.seq, d.sender_id AS author, d.id, d.detail AS told, d.actor_id AS told_actor, d.tells, p.people, p.actor, p.emoji
  FROM due d CROSS JOIN LATERAL (
    SELECT count(*)::int AS people, (array_agg(r.user_id ORDER BY r.version DESC))[1] AS actor,
           (array_agg(r.emojis[cardinality(r.emojis)] ORDER BY r.version DESC))[1] AS emoji
      FROM reactions r
     WHERE r.conversation_id = d.conversation_id AND r.seq = d.seq AND r.emojis <> '{}' AND r.user_id <> d.sender_id
       AND NOT EXISTS (
         SELECT FROM blocks b WHERE (b.user_id, b.blocked_id) IN ((d.sender_id, r.user_id), (r.user_id, d.sender_id)))
  ) p`

/** $1 to $6: of each whose it is, its name, who did it, the conversation, the seq and what it says. It is unread again, and the latest. */
const putText = `
INSERT INTO notifications AS n (id, user_id, kind, dedup, at, actor_id, conversation_id, seq, detail)
SELECT gen_random_uuid(), ($1::uuid[])[r], 'reacted', ($2::text[])[r], clock_timestamp(), ($3::uuid[])[r], ($4::uuid[])[r],
       ($5::int8[])[r], ($6::jsonb)->(r - 1)
  FROM generate_series(1, cardinality($1::uuid[])) r
    ON CONFLICT (user_id, dedup) DO UPDATE
   SET at = EXCLUDED.at, actor_id = EXCLUDED.actor_id, detail = EXCLUDED.detail, read_at = NULL
RETURNING n.id, n.user_id, (extract(epoch FROM n.at) * 1000)::float8 AS at, n.actor_id AS actor,
          n.conversation_id AS conversation, n.seq, n.detail`

const changeText = `
UPDATE notifications SET actor_id = $2, detail = $3 WHERE id = $1
RETURNING id, user_id, (extract(epoch FROM at) * 1000)::float8 AS at, actor_id AS actor, conversation_id AS conversation,
          seq, detail, read_at IS NULL AS unread`

/** A message that was reacted to. */
interface ReactedTo extends MessagePlace {
  /** Whether a reaction may have been added, and not only taken back. */
  readonly added: boolean
}

/** The reactions to these messages have changed in this transaction, which holds their conversations. */
export async function noteReacted(
  ctx: NoticesContext,
  client: PoolClient,
  messages: readonly ReactedTo[],
): Promise<void> {
  if (messages.length === 0) return
  const found = await client.query<Row>({
    name: 'reacted-read',
    text: readText,
    values: [...placeArrays(messages), messages.map(({ added }) => added)],
  })
  const more: Row[] = []
  for (const row of found.rows) {
    if (row.people === 0) await takeBack(ctx, client, row)
    else if (row.tells && row.people > Number(row.told?.['people'] ?? 0)) more.push(row)
    else if (row.id !== null) await change(ctx, client, row)
  }
  await put(ctx, client, more)
}

const detailOf = ({ emoji, people }: Row) => ({ emoji: emoji!, people: String(people) })

async function put(ctx: NoticesContext, client: PoolClient, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return
  const written = await client.query<Announced>({
    name: 'reacted-put',
    text: putText,
    values: [
      uuidArray(rows.map(row => row.author)),
      rows.map(row => dedupOf(row.conversation, row.seq)),
      uuidArray(rows.map(row => row.actor!)),
      ...placeArrays(rows),
      JSON.stringify(rows.map(detailOf)),
    ],
  })
  await afterCommit(client, () => tell(ctx, written.rows))
}

/** Fewer have reacted, or others: what is told already says so, and comes no second time. */
async function change(ctx: NoticesContext, client: PoolClient, row: Row): Promise<void> {
  const detail = detailOf(row)
  const { told, told_actor: toldActor, actor } = row
  if (toldActor === actor && told?.['people'] === detail.people && told['emoji'] === detail.emoji) return
  const written = await client.query<Announced & { unread: boolean }>({
    name: 'reacted-change',
    text: changeText,
    values: [row.id, actor, JSON.stringify(detail)],
  })
  const waiting = written.rows.filter(one => one.unread)
  await afterCommit(client, () => tell(ctx, waiting))
}

const tell = (ctx: NoticesContext, stored: readonly Omit<Announced, 'kind'>[]) =>
  announce(
    ctx,
    stored.map(row => ({ ...row, kind: 'reacted' as const })),
  )

async function takeBack(ctx: NoticesContext, client: PoolClient, { id, author }: Row): Promise<void> {
  if (id === null) return
  const gone = await client.query<{ id: string; was_unread: boolean }>(
    'DELETE FROM notifications WHERE id = $1 RETURNING id, read_at IS NULL AS was_unread',
    [id],
  )
  await afterCommit(client, () => tellWithdrawn(ctx, author, gone.rows))
}

/** What these people had said is gone, and whatever was said of it. Never throws: it is committed. */
export async function withdrawReacted(
  ctx: NoticesContext,
  conversation: string,
  messages: readonly { readonly seq: number; readonly sender: string }[],
): Promise<void> {
  for (const { seq, sender } of messages) await withdraw(ctx, sender, dedupOf(conversation, seq))
}
