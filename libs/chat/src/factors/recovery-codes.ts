/**
 * Recovery codes: for whoever has lost their second factor. Each holds 80 random bits, so that a plain hash of it cannot
 * be guessed back, and is good once.
 */
import { createHash, randomBytes } from 'node:crypto'
import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { ChatContext } from '../context.ts'
import { note } from '../security/note.ts'
import type { Client } from '../sessions/client.ts'
import { demandFresh } from '../sessions/fresh.ts'
import { transaction } from '../store/transaction.ts'
import { plainCode } from '../typed.ts'

export const recoveryCodesMade = 10
const codeBytes = 10
const groupLength = 4
/** Crockford's base 32: without letters that are taken for digits. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

const encode = (bytes: Buffer): string =>
  Array.from({ length: (bytes.length * 8) / 5 }, (_, at) => {
    const bit = at * 5
    const pair = (bytes[bit >> 3]! << 8) | (bytes[(bit >> 3) + 1] ?? 0)
    return alphabet[(pair >> (11 - (bit & 7))) & 31]
  }).join('')

const grouped = (code: string): string => code.match(new RegExp(`.{${groupLength}}`, 'g'))!.join('-')

/** However it was typed: groups, case, and the letters that look like digits make no difference. */
function hashOf(typed: string): Buffer {
  const code = plainCode(typed).toLowerCase().replace(/o/g, '0').replace(/[il]/g, '1')
  return createHash('sha256').update(code).digest()
}

/**
 * Makes codes anew. Those of before are worth nothing any more.
 * @param tx the transaction, which holds the lock of the person's row
 */
export async function replaceRecoveryCodes(tx: PoolClient, user: string): Promise<string[]> {
  const codes = Array.from({ length: recoveryCodesMade }, () => encode(randomBytes(codeBytes)))
  await tx.query('DELETE FROM recovery_codes WHERE user_id = $1', [user])
  await tx.query('INSERT INTO recovery_codes (user_id, code_hash) SELECT $1, unnest($2::bytea[])', [
    user,
    codes.map(hashOf),
  ])
  return codes.map(grouped)
}

/** Uses a code up, and notes it. Of two who show one at once, only one gets it. */
export function spendRecoveryCode(ctx: ChatContext, user: string, typed: string, client: Client): Promise<boolean> {
  return transaction(ctx, async tx => {
    const spent = await tx.query(
      'UPDATE recovery_codes SET used_at = now() WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL',
      [user, hashOf(typed)],
    )
    if (spent.rowCount !== 1) return false
    await note(ctx, { user, kind: 'recovery_code_used', client }, tx)
    return true
  })
}

/**
 * Without a second factor there is nothing to recover.
 * @param tx the transaction, which holds the lock of the person's row
 */
export async function dropNeedlessRecoveryCodes(tx: PoolClient, user: string): Promise<void> {
  await tx.query(
    `DELETE FROM recovery_codes r USING users u
      WHERE r.user_id = $1 AND u.id = r.user_id AND NOT (u.mail_factor AND u.email IS NOT NULL)
        AND NOT EXISTS (SELECT FROM totp_factors t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL)`,
    [user],
  )
}

/**
 * Ten new recovery codes, shown this once.
 * @throws Refusal proof_needed, factor_conflict (no second factor is set up)
 */
export async function makeRecoveryCodes(
  ctx: ChatContext,
  by: string,
  input: { readonly session: string; readonly client: Client },
): Promise<string[]> {
  const { session, client } = input
  await demandFresh(ctx, session)
  return transaction(ctx, async tx => {
    const found = await tx.query<{ needed: boolean }>(
      `SELECT (u.mail_factor AND u.email IS NOT NULL)
           OR EXISTS (SELECT FROM totp_factors t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL) AS needed
         FROM users u WHERE u.id = $1 FOR NO KEY UPDATE`,
      [by],
    )
    if (found.rows[0]?.needed !== true) throw new Refusal('factor_conflict')
    const codes = await replaceRecoveryCodes(tx, by)
    await note(ctx, { user: by, kind: 'recovery_codes_made', session, client }, tx)
    return codes
  })
}
