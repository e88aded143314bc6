import { Refusal } from '@flotilla/protocol'
import type { PeopleContext } from '../context.ts'
import { transaction } from '../../store/transaction.ts'
import { holdUsers } from '../../users/hold.ts'

/**
 * The two are contacts no more, and what either shows to contacts only is hidden from the other. Their conversation
 * stays as it is.
 * @throws Refusal contact_unknown, unavailable
 */
export async function remove(ctx: PeopleContext, by: string, user: string): Promise<void> {
  await transaction(ctx, async client => {
    await holdUsers(client, [by, user])
    const gone = await client.query(
      'DELETE FROM contacts WHERE (user_id, contact_id) IN (($1::uuid, $2::uuid), ($2, $1))',
      [by, user],
    )
    if (gone.rowCount === 0) throw new Refusal('contact_unknown')
    await client.query('UPDATE users SET hidden_at = clock_timestamp() WHERE id IN ($1, $2)', [by, user])
  })
  ctx.emit({ class: 'signal', to: [by], event: { event: 'contact.removed', user } })
  ctx.emit({ class: 'signal', to: [user], event: { event: 'contact.removed', user: by } })
}
