import { Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'

/**
 * Nobody registers by it any more. Who has, stays.
 * @param by whose; anybody's when left out, for operators
 * @throws Refusal invitation_unknown
 */
export async function revoke(ctx: AccountsContext, by: string | undefined, invitation: string): Promise<void> {
  const gone = await ctx.pool.query(
    'DELETE FROM invitations WHERE id = $1 AND ($2::uuid IS NULL OR user_id = $2) AND expires_at > now()',
    [invitation, by ?? null],
  )
  if (gone.rowCount === 0) throw new Refusal('invitation_unknown')
}
