import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { AccountsContext } from './context.ts'

/** What is about to be removed. */
export interface Without {
  readonly email?: true
  /** Its id. */
  readonly passkey?: string
  /** The name of its provider. */
  readonly identity?: string
}

/** Read by a statement of its own after the lock: within one, what the other removal has taken would still be seen. */
const signInMethods = `
SELECT u.password_hash IS NOT NULL
    OR (u.email IS NOT NULL AND NOT $2)
    OR EXISTS (SELECT FROM passkeys p WHERE p.user_id = u.id AND p.id IS DISTINCT FROM $3)
    OR EXISTS (SELECT FROM identities i WHERE i.user_id = u.id AND i.provider IS DISTINCT FROM $4) AS any_left
  FROM users u WHERE u.id = $1`

/**
 * Nobody locks themselves out: without this there is still a password, an address, a passkey or an identity to sign in
 * with. Of two removals at once the second waits here and sees what the first has left.
 * @param client of the transaction that removes it, which then holds the lock of the person's row
 * @throws Refusal last_sign_in_method
 */
export async function demandSignInMethod(
  ctx: AccountsContext,
  user: string,
  without: Without,
  client: PoolClient,
): Promise<void> {
  await client.query('SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE', [user])
  const { email = false, passkey = null, identity = null } = without
  // Where no mail is sent, an address lets nobody in.
  const values = [user, email || !ctx.settings.mail, passkey, identity]
  const found = await client.query<{ any_left: boolean }>(signInMethods, values)
  if (found.rows[0]?.any_left !== true) throw new Refusal('last_sign_in_method')
}
