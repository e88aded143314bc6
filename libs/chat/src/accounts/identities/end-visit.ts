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
  toVisit,
  type Visit,
  type VisitRow,
  visitColumns,
  visitKind,
} from './visit.ts'

/** Where the browser goes now, and what it takes along. */
export type VisitEnded =
  | { readonly visit: Visit; readonly grant: string }
  | { readonly visit: Visit; readonly refusal: Refusal }

/** An answer that fits in everything but one leaves the visit as it is: a forged one must not end another's visit. */
const take = `
DELETE FROM challenges
 WHERE kind = $1 AND id = $2 AND data->>'state' = $3 AND data->>'provider' = $4 AND data->>'browser' = $5
   AND expires_at > now()
RETURNING ${visitColumns}`

/**
 * A browser comes back. Its visit is over, whatever the provider says now.
 * @param input.provider whose call-back it is
 * @param input.browser the cookie of the visit
 * @param ask turns the answer into a profile; what it refuses is told where the browser goes
 * @throws Refusal identity_refused when there is no such visit for this browser, state and provider
 */
export async function endVisit(
  ctx: AccountsContext,
  input: { readonly provider: string; readonly state: string; readonly browser: string },
  ask: (visit: Visit) => Promise<Profile>,
): Promise<VisitEnded> {
  const stated = splitToken(input.state)
  if (stated === undefined) throw new Refusal('identity_refused')
  const taken = await ctx.pool.query<VisitRow>(take, [
    visitKind,
    stated.id,
    hashToken(stated.token),
    input.provider,
    hashToken(input.browser),
  ])
  const row = taken.rows[0]
  if (row === undefined) throw new Refusal('identity_refused')
  const visit = await toVisit(ctx, row)
  try {
    return { visit, grant: await grantFor(ctx, row, await ask(visit)) }
  } catch (error) {
    if (error instanceof Refusal) return { visit, refusal: error }
    throw error
  }
}

async function grantFor(ctx: AccountsContext, row: VisitRow, profile: Profile): Promise<string> {
  const { provider, purpose, secret, session } = row.data
  const token = makeToken()
  const grant = hashToken(token)
  const data: GrantData = { provider, purpose, secret, session, grant, sealed: sealProfile(ctx, profile, grant) }
  const lifeMs = ctx.settings.visitGrantLifeMs
  const id = await openChallenge(ctx, { kind: grantKind, user: row.user_id ?? undefined, data, lifeMs })
  return `${id}.${token}`
}
