/**
 * Whom messages are pointed out to. A row for each is written by the commit of its message and goes with what the message
 * says, so that mentions are counted exactly. tell-mentioned.ts tells people of them.
 */
import { notHidden } from './hidden.ts'
import { everybody } from './mentioned-by.ts'
import type { Pool, PoolClient } from 'pg'

/**
 * As SQL: the rows `x` of mentions of $1 in a conversation, but for those by somebody with whom a block stands. A person's
 * own never count.
 */
export const mentionsOf = (conversation: string) =>
  `x.user_id IN ($1, '${everybody}') AND x.conversation_id = ${conversation} AND x.sender_id <> $1
   AND NOT EXISTS (SELECT FROM blocks b WHERE (b.user_id, b.blocked_id) IN (($1, x.sender_id), (x.sender_id, $1)))
   AND ${notHidden('x', '$1')}`

/**
 * What messages said is gone, and whom they mentioned with it, so that it counts no more. In the transaction that takes it
 * away; `withdrawMentions` takes it out of their notifications after the commit.
 * @returns whom they mentioned, by message
 */
export async function forgetMentions(
  client: Pool | PoolClient,
  conversation: string,
  seqs: readonly number[],
): Promise<ReadonlyMap<number, readonly string[]>> {
  const gone = await client.query<{ seq: number; users: string[] }>(
    `WITH gone AS (DELETE FROM mentions WHERE conversation_id = $1 AND seq = ANY($2::int8[]) RETURNING seq, user_id)
     SELECT seq, array_agg(user_id) AS users FROM gone GROUP BY seq`,
    [conversation, seqs],
  )
  return new Map(gone.rows.map(({ seq, users }) => [seq, users]))
}
