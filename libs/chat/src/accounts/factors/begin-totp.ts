import { Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { demandReauthentication } from '../sessions/demand-reauthentication.ts'
import { makeSecret, sealSecret, uriOf } from './totp.ts'

/** What the authenticator app takes in, as text and as what a picture of it says. */
export interface TotpSetUp {
  readonly secret: string
  readonly uri: string
}

/** One that was begun and not finished makes room; one that is in use does not. */
const insert = `
INSERT INTO totp_factors (user_id, key_id, secret) VALUES ($1, $2, $3)
ON CONFLICT (user_id) DO UPDATE SET key_id = excluded.key_id, secret = excluded.secret, last_step = 0, created_at = now()
 WHERE totp_factors.confirmed_at IS NULL`

/**
 * Begins to set up an authenticator app. Nothing is asked for before it is confirmed by a code.
 * @param input.issuer the name of the deployment, as the app shows it
 * @throws Refusal reauthentication_required, factor_conflict (there is one)
 */
export async function beginTotp(
  ctx: AccountsContext,
  by: string,
  input: { readonly issuer: string; readonly session: string },
): Promise<TotpSetUp> {
  await demandReauthentication(ctx, input.session)
  const found = await ctx.pool.query<{ username: string }>('SELECT username FROM users WHERE id = $1', [by])
  const label = found.rows[0]?.username
  if (label === undefined) throw new Refusal('user_unknown')
  const secret = makeSecret()
  const { keyId, body } = sealSecret(ctx, by, secret)
  const inserted = await ctx.pool.query(insert, [by, keyId, body])
  if (inserted.rowCount !== 1) throw new Refusal('factor_conflict')
  return { secret, uri: uriOf(secret, { issuer: input.issuer, label }) }
}
