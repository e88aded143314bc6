import { type Contact, Refusal } from '@flotilla/protocol'
import type { PeopleContext } from '../context.ts'
import { transaction } from '../../store/transaction.ts'
import { holdUsers } from '../../users/hold.ts'
import { befriend, type OpenRequest, requestColumns, tellAccepted } from './befriend.ts'

/**
 * The caller wants the contact whose request it is. Of an acceptance and a cancellation at once the first one counts.
 * @throws Refusal request_unknown, limit_reached, unavailable
 */
export async function accept(ctx: PeopleContext, by: string, request: string): Promise<Contact> {
  const accepted = await transaction(ctx, async client => {
    // Read before the people are held, since it says who they are; it may be gone by then, which befriend finds out.
    const found = await client.query<OpenRequest>(
      `SELECT ${requestColumns} FROM contact_requests WHERE id = $1 AND to_id = $2`,
      [request, by],
    )
    const open = found.rows[0]
    if (open === undefined) throw new Refusal('request_unknown')
    await holdUsers(client, [open.from_id, open.to_id])
    return befriend(ctx, client, open)
  })
  return tellAccepted(ctx, by, accepted)
}
