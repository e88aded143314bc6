import { Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import {
  hashToken,
  makeToken,
  toAuthorization,
  type Authorization,
  type AuthorizationRow,
  authorizationColumns,
  authorizationKind,
} from './authorization.ts'

/** The first browser has it; the same one may set out again, as people do who go back and forth. */
const claim = `
UPDATE challenges SET data = data || jsonb_build_object('browser', $4::text)
 WHERE id = $1 AND kind = $2 AND data->>'provider' = $3 AND expires_at > now()
   AND coalesce(data->>'browser', $4) = $4
RETURNING ${authorizationColumns}`

/**
 * A browser sets out.
 * @param input.browser the cookie of this authorization, if the browser has one
 * @returns the cookie that it must come back with
 * @throws Refusal authorization_failed
 */
export async function openAuthorization(
  ctx: AccountsContext,
  input: { readonly provider: string; readonly authorization: string; readonly browser?: string | undefined },
): Promise<{ authorization: Authorization; browser: string }> {
  const browser = input.browser ?? makeToken()
  const claimed = await ctx.pool.query<AuthorizationRow>(claim, [
    input.authorization,
    authorizationKind,
    input.provider,
    hashToken(browser),
  ])
  const row = claimed.rows[0]
  if (row === undefined) throw new Refusal('authorization_failed')
  return { authorization: await toAuthorization(ctx, row), browser }
}
