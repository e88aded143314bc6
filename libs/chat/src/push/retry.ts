import { Refusal } from '@flotilla/protocol'
import type { PushContext } from './context.ts'
import { uniqueViolation } from '../store/failures.ts'

/** The window is kept here too: the last attempt may have arrived after all. */
const revive = `
UPDATE push_deliveries
   SET state = $2, attempt_count = 0, finished_at = CASE WHEN $2 = 'waiting' THEN NULL ELSE now() END,
       due_at = CASE WHEN $2 = 'waiting' THEN greatest(now(), finished_at + $3 * interval '1 millisecond') END,
       attempts = attempts || jsonb_build_array(jsonb_build_object(
         'at', round(extract(epoch FROM now()) * 1000), 'answer', CASE WHEN $2 = 'waiting' THEN 'retried' ELSE $2 END))
 WHERE id = $1 AND state = 'dead'`

/**
 * Tries a dead push once more, with all its attempts. What was read meanwhile is still not sent; and where a newer push
 * to the same device waits already, that one says it all.
 * @throws Refusal push_unknown
 */
export async function retry(ctx: PushContext, id: string): Promise<void> {
  const put = async (state: 'waiting' | 'superseded') => {
    const found = await ctx.pool.query(revive, [id, state, ctx.settings.pushCollapseMs])
    if (found.rowCount === 0) throw new Refusal('push_unknown')
  }
  try {
    await put('waiting')
  } catch (error) {
    if (uniqueViolation(error) === undefined) throw error
    await put('superseded')
  }
}
