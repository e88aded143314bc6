import { Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { note } from '../../notices/security/note.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { demandReauthentication } from '../sessions/demand-reauthentication.ts'
import { transaction } from '../../store/transaction.ts'
import { dropNeedlessRecoveryCodes } from './recovery-codes.ts'

/**
 * No code by mail is asked for any more. With the last second factor the recovery codes go too.
 * @throws Refusal reauthentication_required, factor_conflict (it is off)
 */
export async function disableEmailFactor(
  ctx: AccountsContext,
  by: string,
  input: { readonly session: string; readonly client: ClientDevice },
): Promise<void> {
  const { session, client } = input
  await demandReauthentication(ctx, session)
  await transaction(ctx, async tx => {
    const gone = await tx.query('UPDATE users SET mail_factor = false WHERE id = $1 AND mail_factor', [by])
    if (gone.rowCount !== 1) throw new Refusal('factor_conflict')
    await dropNeedlessRecoveryCodes(tx, by)
    await note(ctx, { user: by, kind: 'email_factor_disabled', session, client }, tx)
  })
}
