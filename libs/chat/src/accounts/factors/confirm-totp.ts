import { Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { note } from '../../notices/security/note.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { transaction } from '../../store/transaction.ts'
import { holdUsers } from '../../users/hold.ts'
import { replaceRecoveryCodes } from './recovery-codes.ts'
import { type SealedSecret, stepOf } from './totp.ts'

/** A secret that was shown so long ago may have been left on a screen. */
const setUpMsMax = 60 * 60_000

const findOpen = `
SELECT key_id, secret FROM totp_factors
 WHERE user_id = $1 AND confirmed_at IS NULL AND created_at > now() - $2 * interval '1 millisecond'`

/** Of two at once one confirms; and not what was begun anew meanwhile. */
const confirm = `
UPDATE totp_factors SET confirmed_at = now(), last_step = $2
 WHERE user_id = $1 AND confirmed_at IS NULL AND secret = $3`

/**
 * Turns the authenticator app on, by a first code of it.
 * @returns recovery codes, shown this once
 * @throws Refusal factor_conflict (nothing was begun), second_factor_invalid
 */
export async function confirmTotp(
  ctx: AccountsContext,
  by: string,
  input: { readonly code: string; readonly session: string; readonly client: ClientDevice },
): Promise<string[]> {
  const { code, session, client } = input
  const found = await ctx.pool.query<SealedSecret>(findOpen, [by, setUpMsMax])
  const row = found.rows[0]
  if (row === undefined) throw new Refusal('factor_conflict')
  const step = await stepOf(ctx, by, row, code)
  if (step === undefined) throw new Refusal('second_factor_invalid')
  return transaction(ctx, async tx => {
    await holdUsers(tx, [by])
    const confirmed = await tx.query(confirm, [by, step, row.secret])
    if (confirmed.rowCount !== 1) throw new Refusal('factor_conflict')
    const codes = await replaceRecoveryCodes(tx, by)
    await note(ctx, { user: by, kind: 'totp_enabled', session, client }, tx)
    return codes
  })
}
