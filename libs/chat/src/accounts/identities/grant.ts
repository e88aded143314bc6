/** What an authorization leaves behind for its application: who somebody is at a provider, for a minute, once. */
import { type AuthorizationGrant, Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import type { Profile } from './profile.ts'
import {
  grantKind,
  hashToken,
  openText,
  type SealedText,
  sealText,
  splitToken,
  type AuthorizationData,
  type AuthorizationPurpose,
} from './authorization.ts'

export interface GrantData extends Pick<AuthorizationData, 'provider' | 'purpose' | 'secret' | 'session'> {
  readonly grant: string
  /** The profile: a name and an address. */
  readonly sealed: SealedText
}

/** In whose hands a grant for something of one's own must be. */
export interface Caller {
  readonly user: string
  readonly session: string
}

const boundOf = (grant: string) => `authorization-grant ${grant}`

export const sealProfile = (ctx: AccountsContext, profile: Profile, grant: string): SealedText =>
  sealText(ctx, boundOf(grant), JSON.stringify(profile))

const take = `
DELETE FROM challenges
 WHERE kind = $1 AND id = $2 AND data->>'grant' = $3 AND data->>'secret' = $4 AND data->>'purpose' = $5
   AND user_id IS NOT DISTINCT FROM $6 AND data->>'session' IS NOT DISTINCT FROM $7 AND expires_at > now()
RETURNING data`

/**
 * Takes the profile out: once, for what the authorization was begun for, by who began it.
 * @throws Refusal authorization_failed
 */
export async function redeem(
  ctx: AccountsContext,
  shown: AuthorizationGrant,
  purpose: AuthorizationPurpose,
  by?: Caller,
): Promise<{ provider: string; profile: Profile }> {
  const granted = splitToken(shown.grant)
  if (granted === undefined) throw new Refusal('authorization_failed')
  const grant = hashToken(granted.token)
  const taken = await ctx.pool.query<{ data: GrantData }>(take, [
    grantKind,
    granted.id,
    grant,
    hashToken(shown.secret),
    purpose,
    by?.user ?? null,
    by?.session ?? null,
  ])
  const data = taken.rows[0]?.data
  if (data === undefined) throw new Refusal('authorization_failed')
  const profile = JSON.parse(await openText(ctx, boundOf(grant), data.sealed)) as Profile
  return { provider: data.provider, profile }
}
