/** From the offline index to what is to be pushed: one row for each person and conversation. */
import type { PushContext } from './context.ts'
import { concerns } from '../log/messages/threads.ts'
import { pushedKinds } from '../log/rules.ts'
import { hasDevice, joined } from './upsert.ts'

/**
 * Whoever has no device that could be pushed gets no row, nor does anybody for what they wrote themselves. Rows are taken
 * in one order, so that two workers do not wait for each other in a ring.
 */
const sweepOffline = `
WITH due AS MATERIALIZED (
  SELECT user_id, conversation_id, seq, day FROM offline_messages WHERE push_due LIMIT $1 FOR UPDATE SKIP LOCKED
), looked AS (
  UPDATE offline_messages o SET push_due = false FROM due d
   WHERE o.user_id = d.user_id AND o.conversation_id = d.conversation_id AND o.seq = d.seq AND o.day = d.day
), joined AS (
  INSERT INTO pushes AS p (user_id, conversation_id, from_seq, upto_seq, first_at, due_at)
  SELECT d.user_id, d.conversation_id, min(d.seq), max(d.seq), min(m.created_at), now() + $2 * interval '1 millisecond'
    FROM due d
    JOIN members mb ON mb.conversation_id = d.conversation_id AND mb.user_id = d.user_id
    JOIN messages m ON m.conversation_id = d.conversation_id AND m.seq = d.seq
   WHERE m.kind IN (${pushedKinds}) AND m.sender_id <> d.user_id AND ${concerns('m', 'd.user_id')}
     AND ${hasDevice('d.user_id')}
   GROUP BY d.user_id, d.conversation_id
   ORDER BY d.user_id, d.conversation_id
      ON CONFLICT (user_id, conversation_id) DO UPDATE SET
         ${joined('from_seq', 'least')}, ${joined('first_at', 'least')},
         upto_seq = greatest(p.upto_seq, excluded.upto_seq),
         due_at = coalesce(p.due_at, greatest(excluded.due_at, p.pushed_at + $3 * interval '1 millisecond'))
)
SELECT count(*)::int AS looked FROM due`

/**
 * Looks at entries of the offline index that nobody has looked at.
 * @returns how many; as many as `max` when there may be more
 */
export async function sweep(ctx: PushContext, max: number): Promise<number> {
  const { pushDelayMs, pushCollapseMs } = ctx.settings
  const found = await ctx.pool.query<{ looked: number }>({
    name: 'push-sweep',
    text: sweepOffline,
    values: [max, pushDelayMs, pushCollapseMs],
  })
  return found.rows[0]!.looked
}
