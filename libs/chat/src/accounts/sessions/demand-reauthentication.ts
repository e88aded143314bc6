import { Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'

/** Of a person who registered by a name alone and has nothing yet to sign in by. */
const nothingToSignInWith = `
  u.password_hash IS NULL AND (u.email IS NULL OR NOT $3)
  AND NOT EXISTS (SELECT FROM passkeys p WHERE p.user_id = u.id)
  AND NOT EXISTS (SELECT FROM identities i WHERE i.user_id = u.id)`

/**
 * What an intruder at an open screen must not do asks for this: the person has shown lately who they are, by signing in
 * or by sessions.reauthenticate. Whoever has nothing to show is not asked, or they could never add the first thing.
 * @throws Refusal reauthentication_required
 */
export async function demandReauthentication(ctx: AccountsContext, session: string): Promise<void> {
  const found = await ctx.pool.query(
    `SELECT FROM sessions s JOIN users u ON u.id = s.user_id
      WHERE s.id = $1 AND s.revoked_at IS NULL
        AND (s.proved_at > now() - $2 * interval '1 millisecond' OR (${nothingToSignInWith}))`,
    [session, ctx.settings.reauthenticationLifeMs, ctx.settings.mail],
  )
  if (found.rowCount === 0) throw new Refusal('reauthentication_required')
}
