import { Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { hasSecondFactor, read } from '../factors/read.ts'
import { proved } from '../sessions/prove.ts'
import { type Caller, redeem, type Shown } from './grant.ts'

/**
 * A visit with an identity that is linked already shows anew who the caller is, for what demands a fresh proof. Whoever has
 * a second factor shows that instead: the provider is the first.
 * @throws Refusal identity_refused, proof_needed (a second factor is asked for)
 */
export async function prove(ctx: AccountsContext, by: Caller, input: Shown): Promise<void> {
  const { profile } = await redeem(ctx, input, 'prove', by)
  const own = await ctx.pool.query(
    'UPDATE identities SET used_at = now() WHERE issuer = $1 AND subject = $2 AND user_id = $3',
    [profile.issuer, profile.subject, by.user],
  )
  if (own.rowCount === 0) throw new Refusal('identity_refused')
  if (hasSecondFactor(await read(ctx, by.user))) throw new Refusal('proof_needed')
  await proved(ctx, by.session)
}
