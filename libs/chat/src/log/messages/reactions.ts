/** How many have reacted to a message with what, and what the reader has on it. */
import { qualifyEmoji, type ReactionCounts } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { keyOf, type MessagePart, placeArrays } from './part.ts'

interface ReactionRow {
  conversation: string
  seq: number
  version: number
  emojis: string[]
  counts: number[]
  own: string[] | null
  own_version: number | null
}

export const reactionPart: MessagePart<'reactions'> = {
  field: 'reactions',
  bit: 2,
  async read(ctx, viewer, places) {
    const found = await ctx.pool.query<ReactionRow>({
      name: 'reactions-read',
      text: `SELECT c.conversation_id AS conversation, c.seq, c.version, c.emojis, c.counts, o.emojis AS own,
                    o.version AS own_version
               FROM generate_series(1, cardinality($1::uuid[])) r
               JOIN reaction_counts c ON c.conversation_id = ($1::uuid[])[r] AND c.seq = ($2::int8[])[r]
               LEFT JOIN reactions o ON o.conversation_id = c.conversation_id AND o.seq = c.seq AND o.user_id = $3`,
      values: [...placeArrays(places), viewer],
    })
    return new Map(found.rows.map(row => [keyOf(row), fromRow(row)]))
  },
}

function fromRow({ version, emojis, counts, own, own_version: ownVersion }: ReactionRow) {
  const part = { version, counts: toCounts(emojis, counts) }
  return own === null || ownVersion === null ? part : { ...part, own: { version: ownVersion, emojis: own } }
}

/** As two arrays, in the store. */
export const toCounts = (emojis: readonly string[], counts: readonly number[]): ReactionCounts =>
  emojis.map((emoji, at) => ({ emoji, count: counts[at]! }))

/**
 * What people have on messages goes with their content: their reactions, and their stars. The connection holds the
 * conversation. Who had starred it is not told: their devices hear that the messages are gone.
 * @returns the messages to which somebody had ever reacted
 */
export async function forgetReactions(
  client: PoolClient,
  conversation: string,
  seqs: readonly number[],
): Promise<ReadonlySet<number>> {
  const counted = await client.query<{ seq: number }>({
    name: 'reactions-forget',
    text: `WITH theirs AS (DELETE FROM reactions WHERE conversation_id = $1 AND seq = ANY($2::int8[])),
                starred AS (DELETE FROM stars WHERE conversation_id = $1 AND seq = ANY($2::int8[]))
           DELETE FROM reaction_counts WHERE conversation_id = $1 AND seq = ANY($2::int8[]) RETURNING seq`,
    values: [conversation, seqs],
  })
  return new Set(counted.rows.map(row => row.seq))
}

/** A list of emoji as an operator writes it. @throws Error where one is none */
export function parseEmojis(text: string): readonly string[] {
  return text
    .split(',')
    .map(one => one.trim())
    .filter(one => one !== '')
    .map(one => {
      const emoji = qualifyEmoji(one)
      if (emoji === undefined) throw new Error(`must be emoji, comma-separated: ${one} is none`)
      return emoji
    })
}
