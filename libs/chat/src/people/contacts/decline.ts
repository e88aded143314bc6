/** A request ends without a contact: whom it was for does not want it, or who sent it takes it back. */
import { Refusal } from '@flotilla/protocol'
import type { PeopleContext } from '../context.ts'
import { withdraw } from '../../notices/notifications/follow.ts'
import { requestNote } from './befriend.ts'

/** @throws Refusal request_unknown */
export async function reject(ctx: PeopleContext, by: string, request: string): Promise<void> {
  const found = await ctx.pool.query<{ from_id: string }>(
    'DELETE FROM contact_requests WHERE id = $1 AND to_id = $2 RETURNING from_id',
    [request, by],
  )
  const row = found.rows[0]
  if (row === undefined) throw new Refusal('request_unknown')
  ctx.emit({ class: 'signal', to: [by, row.from_id], event: { event: 'contact.declined', request } })
  await withdraw(ctx, by, requestNote(request))
}

/** @throws Refusal request_unknown */
export async function cancel(ctx: PeopleContext, by: string, request: string): Promise<void> {
  const found = await ctx.pool.query<{ to_id: string }>(
    'DELETE FROM contact_requests WHERE id = $1 AND from_id = $2 RETURNING to_id',
    [request, by],
  )
  const row = found.rows[0]
  if (row === undefined) throw new Refusal('request_unknown')
  ctx.emit({ class: 'signal', to: [by, row.to_id], event: { event: 'contact.cancelled', request } })
  await withdraw(ctx, row.to_id, requestNote(request))
}
