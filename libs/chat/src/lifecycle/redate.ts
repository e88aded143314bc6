import type { LifecycleContext } from './context.ts'

/**
 * Gives the entries of a conversation other times, as if they had been said then: for a workspace that is filled to look
 * around in, before anybody reads it. Nothing else knows of it: clients that hold an entry keep the time it came with.
 * @param times of its entries from the first on, in milliseconds since 1970, in ascending order
 */
export async function redate(
  ctx: Pick<LifecycleContext, 'pool'>,
  conversation: string,
  times: readonly number[],
): Promise<void> {
  await ctx.pool.query(
    `WITH dated AS (
       UPDATE messages m
          SET created_at = to_timestamp(t.ms / 1000.0),
              edited_at = CASE WHEN m.edited_at IS NOT NULL THEN to_timestamp(t.ms / 1000.0) + interval '1 minute' END
         FROM unnest($2::float8[]) WITH ORDINALITY AS t (ms, seq)
        WHERE m.conversation_id = $1 AND m.seq = t.seq
       RETURNING m.created_at
     )
     UPDATE conversations SET head_at = (SELECT max(created_at) FROM dated) WHERE id = $1`,
    [conversation, times],
  )
}
