import { Refusal } from '@flotilla/protocol'
import type { LogContext } from '../context.ts'
import { tellScheduled } from './row.ts'

/**
 * Deletes a message before it is sent, or one that has failed. What was claimed is not cancelled any more: so once this has
 * answered, the message is not sent.
 * @throws Refusal scheduled_unknown
 */
export async function cancel(ctx: LogContext, by: string, id: string): Promise<void> {
  const gone = await ctx.pool.query(
    'DELETE FROM scheduled_messages WHERE user_id = $1 AND id = $2 AND claimed_at IS NULL',
    [by, id],
  )
  if (gone.rowCount === 0) throw new Refusal('scheduled_unknown')
  tellScheduled(ctx, by, id)
}
