/**
 * What the banned may not come back with: their username, addresses and identities. While the account is there its own
 * indexes keep them; this is for the time after its erasure, so it keeps digests and nothing in clear. Whatever is held
 * back counts as taken.
 */
import type { PoolClient } from 'pg'
import { folded } from '../../store/folded.ts'

type HeldKind = 'username' | 'email' | 'identity'

/** @param text of one spelling: of usernameKey, of emailKey, or identityText */
const digest = (text: string) => `sha256(convert_to(${text}, 'UTF8'))`

export const identityText = ({ issuer, subject }: { readonly issuer: string; readonly subject: string }) =>
  `${issuer}\n${subject}`

/** For a WHERE clause. @param text the expression of a text of one spelling */
export const isHeldBack = (kind: HeldKind, text: string) =>
  `EXISTS (SELECT FROM held_back h WHERE h.kind = '${kind}' AND h.key = ${digest(text)})`

/** Every way in that the person has. */
const ways = `
SELECT 'username' AS kind, ${folded('username')} AS text FROM users WHERE id = $1
 UNION SELECT 'email', ${folded('email')} FROM users WHERE id = $1 AND email IS NOT NULL
 UNION SELECT 'email', ${folded('email')} FROM identities WHERE user_id = $1 AND email IS NOT NULL
 UNION SELECT 'identity', issuer || E'\\n' || subject FROM identities WHERE user_id = $1`

export async function holdBack(tx: PoolClient, user: string): Promise<void> {
  await tx.query(
    `INSERT INTO held_back (kind, key, user_id) SELECT kind, ${digest('text')}, $1 FROM (${ways}) own ON CONFLICT DO NOTHING`,
    [user],
  )
}

/** @returns whether anything was held back */
export async function letGo(tx: PoolClient, user: string): Promise<boolean> {
  const { rowCount } = await tx.query('DELETE FROM held_back WHERE user_id = $1', [user])
  return rowCount !== 0
}
