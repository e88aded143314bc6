/** Recovery codes: for whoever has lost their second factor. Each is good once. */
import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { AccountsContext } from '../context.ts'
import { makePaperCode, paperCodeHash } from '../../text/paper-codes.ts'
import { note } from '../../notices/security/note.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { demandReauthentication } from '../sessions/demand-reauthentication.ts'
import { transaction } from '../../store/transaction.ts'

const recoveryCodesMade = 10
/**
 * Makes codes anew. Those of before are worth nothing any more.
 * @param tx the transaction, which holds the lock of the person's row
 */
export async function replaceRecoveryCodes(tx: PoolClient, user: string): Promise<string[]> {
  const codes = Array.from({ length: recoveryCodesMade }, makePaperCode)
  await tx.query('DELETE FROM recovery_codes WHERE user_id = $1', [user])
  await tx.query('INSERT INTO recovery_codes (user_id, code_hash) SELECT $1, unnest($2::bytea[])', [
    user,
    codes.map(paperCodeHash),
  ])
  return codes
}

/** Uses a code up, and notes it. Of two who show one at once, only one gets it. */
export function spendRecoveryCode(
  ctx: AccountsContext,
  user: string,
  typed: string,
  client: ClientDevice,
): Promise<boolean> {
  return transaction(ctx, async tx => {
    const spent = await tx.query(
      'UPDATE recovery_codes SET used_at = now() WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL',
      [user, paperCodeHash(typed)],
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
 * @throws Refusal reauthentication_required, factor_conflict (no second factor is set up)
 */
export async function createRecoveryCodes(
  ctx: AccountsContext,
  by: string,
  input: { readonly session: string; readonly client: ClientDevice },
): Promise<string[]> {
  const { session, client } = input
  await demandReauthentication(ctx, session)
  return transaction(ctx, async tx => {
    const found = await tx.query<{ needed: boolean }>(
      `SELECT (u.mail_factor AND u.email IS NOT NULL)
           OR EXISTS (SELECT FROM totp_factors t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL) AS needed
         FROM users u WHERE u.id = $1 FOR NO KEY UPDATE`,
      [by],
    )
    if (found.rows[0]?.needed !== true) throw new Refusal('factor_conflict')
    const codes = await replaceRecoveryCodes(tx, by)
    await note(ctx, { user: by, kind: 'recovery_codes_created', session, client }, tx)
    return codes
  })
}
