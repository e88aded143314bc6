import type { AccountsContext } from '../context.ts'
import { openChallenge } from '../../store/challenges.ts'
import {
  hashToken,
  makeSpoken,
  makeToken,
  type AuthorizationData,
  authorizationKind,
  type AuthorizationPurpose,
} from './authorization.ts'

export interface AuthorizationBegun {
  /** For the URL that the browser opens. */
  readonly authorization: string
  /** For the application that began it, which shows it together with the grant. */
  readonly secret: string
  readonly expiresInMs: number
}

/**
 * Begins an authorization at a provider.
 * @param input.by who links an identity, or reauthenticates: the grant is then good in this session only
 * @param input.returnTo where the browser goes at the end; the caller has checked that it may
 */
export async function beginAuthorization(
  ctx: AccountsContext,
  input: {
    readonly provider: string
    readonly purpose: AuthorizationPurpose
    readonly returnTo: string
    readonly by?: { readonly user: string; readonly session: string } | undefined
  },
): Promise<AuthorizationBegun> {
  const { provider, purpose, returnTo, by } = input
  const secret = makeToken()
  const data: AuthorizationData = {
    provider,
    purpose,
    returnTo,
    ...makeSpoken(ctx),
    secret: hashToken(secret),
    session: by?.session ?? null,
  }
  const expiresInMs = ctx.settings.authorizationLifeMs
  const authorization = await openChallenge(ctx, { kind: authorizationKind, user: by?.user, data, expiresInMs })
  return { authorization, secret, expiresInMs }
}
