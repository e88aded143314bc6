import type { AccountsContext } from '../context.ts'
import { openChallenge } from '../../store/challenges.ts'
import { hashToken, makeSpoken, makeToken, type VisitData, visitKind, type VisitPurpose } from './visit.ts'

export interface VisitBegun {
  /** For the URL that the browser opens. */
  readonly visit: string
  /** For the application that began it, which shows it together with the grant. */
  readonly secret: string
  readonly lifeMs: number
}

/**
 * Begins a visit at a provider.
 * @param input.by who links an identity, or proves who they are: the grant is then good in this session only
 * @param input.returnTo where the browser goes at the end; the caller has checked that it may
 */
export async function beginVisit(
  ctx: AccountsContext,
  input: {
    readonly provider: string
    readonly purpose: VisitPurpose
    readonly returnTo: string
    readonly by?: { readonly user: string; readonly session: string } | undefined
  },
): Promise<VisitBegun> {
  const { provider, purpose, returnTo, by } = input
  const secret = makeToken()
  const data: VisitData = {
    provider,
    purpose,
    returnTo,
    ...makeSpoken(ctx),
    secret: hashToken(secret),
    session: by?.session ?? null,
  }
  const lifeMs = ctx.settings.visitLifeMs
  const visit = await openChallenge(ctx, { kind: visitKind, user: by?.user, data, lifeMs })
  return { visit, secret, lifeMs }
}
