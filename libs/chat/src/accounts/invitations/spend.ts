import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { AccountsContext } from '../context.ts'

/** One that can be used. */
export const goodInvitation = 'used_count < uses_max AND expires_at > now()'

/** @param hash of the code. @throws Refusal invitation_invalid */
export async function checkInvitation(ctx: AccountsContext, hash: Buffer): Promise<void> {
  const found = await ctx.pool.query(`SELECT FROM invitations WHERE code_hash = $1 AND ${goodInvitation}`, [hash])
  if (found.rowCount === 0) throw new Refusal('invitation_invalid')
}

/**
 * Uses an invitation once. Of two at once who show one that is good for one more, one gets it.
 * @param client of the transaction that makes the person
 * @returns its id, for the trail of who was invited
 * @throws Refusal invitation_invalid
 */
export async function spendInvitation(client: Pick<PoolClient, 'query'>, hash: Buffer): Promise<string> {
  const spent = await client.query<{ id: string }>(
    `UPDATE invitations SET used_count = used_count + 1 WHERE code_hash = $1 AND ${goodInvitation} RETURNING id`,
    [hash],
  )
  const row = spent.rows[0]
  if (row === undefined) throw new Refusal('invitation_invalid')
  return row.id
}
