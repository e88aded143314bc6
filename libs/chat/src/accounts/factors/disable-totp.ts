import { Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { note } from '../../notices/security/note.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { demandReauthentication } from '../sessions/demand-reauthentication.ts'
import { transaction } from '../../store/transaction.ts'
import { holdUsers } from '../../users/hold.ts'
import { dropNeedlessRecoveryCodes } from './recovery-codes.ts'

/**
 * Turns the authenticator app off. With the last second factor the recovery codes go too.
 * @throws Refusal reauthentication_required, factor_conflict (there is none)
 */
export async function disableTotp(
  ctx: AccountsContext,
  by: string,
  input: { readonly session: string; readonly client: ClientDevice },
): Promise<void> {
  const { session, client } = input
  await demandReauthentication(ctx, session)
  await transaction(ctx, async tx => {
    await holdUsers(tx, [by])
    const gone = await tx.query('DELETE FROM totp_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL', [by])
    if (gone.rowCount !== 1) throw new Refusal('factor_conflict')
    await dropNeedlessRecoveryCodes(tx, by)
    await note(ctx, { user: by, kind: 'totp_disabled', session, client }, tx)
  })
}
