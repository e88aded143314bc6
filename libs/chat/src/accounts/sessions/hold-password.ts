import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'

/**
 * Holds the password of somebody who is signing in to the end of the transaction. Whoever sets another one ends all
 * sessions and all sign-ins that were begun (users/set-password.ts): either that waits here and then ends this one too,
 * or this waits for that and finds its challenge gone, or the password. Two sign-ins come one after the other, as what they
 * open is counted (open.ts).
 * @param hash the one that the password was held against, where a password was shown: hashing takes its time
 * @throws Refusal invalid_credentials when it is another one by now
 */
export async function holdPassword(tx: PoolClient, user: string, hash?: string): Promise<void> {
  const found = await tx.query<{ hash: string | null }>(
    'SELECT password_hash AS hash FROM users WHERE id = $1 FOR NO KEY UPDATE',
    [user],
  )
  if (hash !== undefined && found.rows[0]?.hash !== hash) throw new Refusal('invalid_credentials')
}
