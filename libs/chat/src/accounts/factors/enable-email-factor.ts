import { Refusal } from '@flotilla/protocol'
import { demandMail } from '../codes/code.ts'
import type { AccountsContext } from '../context.ts'
import { note } from '../../notices/security/note.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { demandReauthentication } from '../sessions/demand-reauthentication.ts'
import { transaction } from '../../store/transaction.ts'

/**
 * From now on a code by mail is asked for after the first factor. Nothing changes where that is so already.
 * @throws Refusal reauthentication_required, mail_disabled, factor_conflict (the person has no address)
 */
export async function enableEmailFactor(
  ctx: AccountsContext,
  by: string,
  input: { readonly session: string; readonly client: ClientDevice },
): Promise<void> {
  const { session, client } = input
  await demandReauthentication(ctx, session)
  demandMail(ctx)
  await transaction(ctx, async tx => {
    const found = await tx.query<{ addressed: boolean; mail_factor: boolean }>(
      'SELECT email IS NOT NULL AS addressed, mail_factor FROM users WHERE id = $1 FOR NO KEY UPDATE',
      [by],
    )
    const row = found.rows[0]
    if (row?.addressed !== true)
      throw new Refusal('factor_conflict', 'codes by email need an email address. Add one first.', {
        rule: 'an email address',
      })
    if (row.mail_factor) return
    await tx.query('UPDATE users SET mail_factor = true WHERE id = $1', [by])
    await note(ctx, { user: by, kind: 'email_factor_enabled', session, client }, tx)
  })
}
