import { type AuthorizationGrant, Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { hasSecondFactor, read } from '../factors/read.ts'
import { markReauthenticated } from '../sessions/reauthenticate.ts'
import { type Caller, redeem } from './grant.ts'

/**
 * An authorization with an identity that is linked already shows anew who the caller is, for what demands reauthentication. Whoever has
 * a second factor shows that instead: the provider is the first.
 * @throws Refusal authorization_failed, reauthentication_required (a second factor is asked for)
 */
export async function reauthenticate(ctx: AccountsContext, by: Caller, input: AuthorizationGrant): Promise<void> {
  const { profile } = await redeem(ctx, input, 'reauthenticate', by)
  const own = await ctx.pool.query(
    'UPDATE identities SET used_at = now() WHERE issuer = $1 AND subject = $2 AND user_id = $3',
    [profile.issuer, profile.subject, by.user],
  )
  if (own.rowCount === 0) throw new Refusal('authorization_failed')
  if (hasSecondFactor(await read(ctx, by.user))) throw new Refusal('reauthentication_required')
  await markReauthenticated(ctx, by.session)
}
