import { Refusal } from '@flotilla/protocol'
import type { PushContext } from '../context.ts'

/** No push goes to this device of the caller's any more. @throws Refusal device_unknown */
export async function remove(ctx: PushContext, by: string, device: string): Promise<void> {
  const gone = await ctx.pool.query('DELETE FROM devices WHERE id = $1 AND user_id = $2', [device, by])
  if (gone.rowCount === 0) throw new Refusal('device_unknown')
}
