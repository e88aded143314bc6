/** Heads: how a device, or a node for its devices, finds out that something did not arrive. */
import type { ConversationHead } from '@flotilla/protocol'
import type { LogContext } from '../context.ts'

/**
 * Of the conversations that a device names with what it has seen, those that have more. One that the caller is not in
 * any longer counts as having more: the device asks for it, is refused, and so learns that it is out.
 */
export async function behind(
  ctx: LogContext,
  by: string,
  seen: readonly { conversation: string; seq: number }[],
): Promise<ConversationHead[]> {
  const found = await ctx.pool.query<ConversationHead>({
    name: 'heads-behind',
    text: `SELECT c.id AS conversation, c.head_seq AS head
             FROM members m JOIN conversations c ON c.id = m.conversation_id
            WHERE m.user_id = $1 AND m.conversation_id = ANY($2)`,
    values: [by, seen.map(one => one.conversation)],
  })
  const heads = new Map(found.rows.map(row => [row.conversation, row.head]))
  return seen
    .map(({ conversation, seq }) => ({ conversation, seq, head: heads.get(conversation) ?? seq + 1 }))
    .filter(({ head, seq }) => head > seq)
    .map(({ conversation, head }) => ({ conversation, head }))
}

/** How many people one query asks about. */
const usersAtOnceMax = 500

/**
 * What was written since a time to the conversations of these people: for a node that cannot rule out that it missed
 * something. Runs person by person through an index, in chunks, so that it never holds the store up.
 * @param ageMs within so many ms until now, by the clock of the store
 */
export async function* movedSince(
  ctx: LogContext,
  users: readonly string[],
  ageMs: number,
): AsyncGenerator<Map<string, ConversationHead[]>> {
  for (let from = 0; from < users.length; from += usersAtOnceMax) {
    const found = await ctx.pool.query<ConversationHead & { user: string }>({
      name: 'heads-moved',
      text: `SELECT m.user_id AS user, c.id AS conversation, c.head_seq AS head
               FROM members m JOIN conversations c ON c.id = m.conversation_id
              WHERE m.user_id = ANY($1) AND c.head_at >= clock_timestamp() - $2::float8 * interval '1 millisecond'`,
      values: [users.slice(from, from + usersAtOnceMax), ageMs],
    })
    const moved = new Map<string, ConversationHead[]>()
    for (const { user, conversation, head } of found.rows) {
      const heads = moved.get(user)
      if (heads === undefined) moved.set(user, [{ conversation, head }])
      else heads.push({ conversation, head })
    }
    yield moved
  }
}

/** Members of one conversation that a node asks about. */
export interface LocalMembers {
  readonly version: number
  /** Whether it is, or will soon be, routed by interest. */
  readonly byInterest: boolean
  /** Person → the seq from which on they see the conversation. */
  readonly joined: Map<string, number>
}

/** Who of these people is in a conversation: for delivery by interest. Undefined when there is no such conversation. */
export async function localMembers(
  ctx: LogContext,
  conversation: string,
  users: readonly string[],
): Promise<LocalMembers | undefined> {
  const found = await ctx.pool.query<{
    version: number
    by_interest: boolean
    users: string[] | null
    joined: number[] | null
  }>({
    name: 'local-members',
    text: `SELECT c.version, c.large_since IS NOT NULL AS by_interest, m.users, m.joined FROM conversations c
             LEFT JOIN LATERAL (
               SELECT array_agg(user_id) AS users, array_agg(joined_seq) AS joined
                 FROM members WHERE conversation_id = c.id AND user_id = ANY($2)
             ) m ON true
            WHERE c.id = $1`,
    values: [conversation, users],
  })
  const row = found.rows[0]
  if (row === undefined) return undefined
  return {
    version: row.version,
    byInterest: row.by_interest,
    joined: new Map(row.users?.map((user, at) => [user, row.joined![at]!])),
  }
}

/** Of these people, who is in which conversation that goes by interest, as a node has to know it (see `sessions.admit`). */
export async function interestsOf(
  ctx: LogContext,
  users: readonly string[],
): Promise<{ user: string; conversation: string; version: number; joinedSeq: number }[]> {
  const found = await ctx.pool.query<{ user: string; conversation: string; version: number; joinedSeq: number }>({
    name: 'interests-of',
    text: `SELECT m.user_id AS user, c.id AS conversation, c.version, m.joined_seq AS "joinedSeq"
             FROM members m JOIN conversations c ON c.id = m.conversation_id
            WHERE m.user_id = ANY($1) AND c.large_since IS NOT NULL`,
    values: [users],
  })
  return found.rows
}
