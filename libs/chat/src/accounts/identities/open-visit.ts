import { Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { hashToken, makeToken, toVisit, type Visit, type VisitRow, visitColumns, visitKind } from './visit.ts'

/** The first browser has it; the same one may set out again, as people do who go back and forth. */
const claim = `
UPDATE challenges SET data = data || jsonb_build_object('browser', $4::text)
 WHERE id = $1 AND kind = $2 AND data->>'provider' = $3 AND expires_at > now()
   AND coalesce(data->>'browser', $4) = $4
RETURNING ${visitColumns}`

/**
 * A browser sets out.
 * @param input.browser the cookie of this visit, if the browser has one
 * @returns the cookie that it must come back with
 * @throws Refusal identity_refused
 */
export async function openVisit(
  ctx: AccountsContext,
  input: { readonly provider: string; readonly visit: string; readonly browser?: string | undefined },
): Promise<{ visit: Visit; browser: string }> {
  const browser = input.browser ?? makeToken()
  const claimed = await ctx.pool.query<VisitRow>(claim, [input.visit, visitKind, input.provider, hashToken(browser)])
  const row = claimed.rows[0]
  if (row === undefined) throw new Refusal('identity_refused')
  return { visit: await toVisit(ctx, row), browser }
}
