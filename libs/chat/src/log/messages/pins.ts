/** Which messages of a conversation are pinned. */
import type { PoolClient } from 'pg'
import { keyOf, type MessagePart, placeArrays } from './part.ts'

interface PinRow {
  conversation: string
  seq: number
  changed_seq: number
  pinned: boolean
}

export const pinPart: MessagePart<'pin'> = {
  field: 'pin',
  bit: 1,
  async read(ctx, _viewer, places) {
    const found = await ctx.pool.query<PinRow>({
      name: 'pins-read',
      text: `SELECT p.conversation_id AS conversation, p.seq, p.changed_seq, p.pinned
               FROM generate_series(1, cardinality($1::uuid[])) r
               JOIN pins p ON p.conversation_id = ($1::uuid[])[r] AND p.seq = ($2::int8[])[r]`,
      values: placeArrays(places),
    })
    return new Map(found.rows.map(row => [keyOf(row), { seq: row.changed_seq, pinned: row.pinned }]))
  },
}

/** Messages whose content is taken away are pinned no more. The connection holds the conversation. */
export async function unpinRemoved(
  client: PoolClient,
  conversation: string,
  targets: readonly number[],
  seq: number,
): Promise<void> {
  await client.query(
    'UPDATE pins SET pinned = false, changed_seq = $3 WHERE conversation_id = $1 AND seq = ANY($2::int8[]) AND pinned',
    [conversation, targets, seq],
  )
}
