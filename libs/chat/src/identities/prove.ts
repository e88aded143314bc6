import { Refusal } from '@flotilla/protocol'
import type { ChatContext } from '../context.ts'
import { proved } from '../sessions/prove.ts'
import { type Caller, redeem, type Shown } from './grant.ts'

/**
 * A visit with an identity that is linked already shows anew who the caller is, for what demands a fresh proof.
 * @throws Refusal identity_refused
 */
export async function prove(ctx: ChatContext, by: Caller, input: Shown): Promise<void> {
  const { profile } = await redeem(ctx, input, 'prove', by)
  const own = await ctx.pool.query(
    'UPDATE identities SET used_at = now() WHERE issuer = $1 AND subject = $2 AND user_id = $3',
    [profile.issuer, profile.subject, by.user],
  )
  if (own.rowCount === 0) throw new Refusal('identity_refused')
  await proved(ctx, by.session)
}
