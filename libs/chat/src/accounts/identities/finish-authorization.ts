import { Refusal } from '@flotilla/protocol'
import { openChallenge } from '../../store/challenges.ts'
import type { AccountsContext } from '../context.ts'
import { type GrantData, sealProfile } from './grant.ts'
import type { Profile } from './profile.ts'
import {
  grantKind,
  hashToken,
  makeToken,
  splitToken,
  toAuthorization,
  type Authorization,
  type AuthorizationRow,
  authorizationColumns,
  authorizationKind,
} from './authorization.ts'

/** Where the browser goes now, and what it takes along. */
export type AuthorizationFinished =
  | { readonly authorization: Authorization; readonly grant: string }
  | { readonly authorization: Authorization; readonly refusal: Refusal }

/** An answer that fits in everything but one leaves the authorization as it is: a forged one must not end another's authorization. */
const take = `
DELETE FROM challenges
 WHERE kind = $1 AND id = $2 AND data->>'state' = $3 AND data->>'provider' = $4 AND data->>'browser' = $5
   AND expires_at > now()
RETURNING ${authorizationColumns}`

/**
 * A browser comes back. Its authorization is over, whatever the provider says now.
 * @param input.provider whose call-back it is
 * @param input.browser the cookie of the authorization
 * @param ask turns the answer into a profile; what it refuses is told where the browser goes
 * @throws Refusal authorization_failed when there is no such authorization for this browser, state and provider
 */
export async function finishAuthorization(
  ctx: AccountsContext,
  input: { readonly provider: string; readonly state: string; readonly browser: string },
  ask: (authorization: Authorization) => Promise<Profile>,
): Promise<AuthorizationFinished> {
  const stated = splitToken(input.state)
  if (stated === undefined) throw new Refusal('authorization_failed')
  const taken = await ctx.pool.query<AuthorizationRow>(take, [
    authorizationKind,
    stated.id,
    hashToken(stated.token),
    input.provider,
    hashToken(input.browser),
  ])
  const row = taken.rows[0]
  if (row === undefined) throw new Refusal('authorization_failed')
  const authorization = await toAuthorization(ctx, row)
  try {
    return { authorization, grant: await grantFor(ctx, row, await ask(authorization)) }
  } catch (error) {
    if (error instanceof Refusal) return { authorization, refusal: error }
    throw error
  }
}

async function grantFor(ctx: AccountsContext, row: AuthorizationRow, profile: Profile): Promise<string> {
  const { provider, purpose, secret, session } = row.data
  const token = makeToken()
  const grant = hashToken(token)
  const data: GrantData = { provider, purpose, secret, session, grant, sealed: sealProfile(ctx, profile, grant) }
  const expiresInMs = ctx.settings.grantLifeMs
  const id = await openChallenge(ctx, { kind: grantKind, user: row.user_id ?? undefined, data, expiresInMs })
  return `${id}.${token}`
}
