import { Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { note } from '../../notices/security/note.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { demandReauthentication } from '../sessions/demand-reauthentication.ts'
import { transaction } from '../../store/transaction.ts'
import { demandSignInMethod } from '../demand-sign-in-method.ts'

/**
 * Takes a passkey away, unless it is the last way in.
 * @throws Refusal reauthentication_required, passkey_unknown, last_sign_in_method
 */
export async function remove(
  ctx: AccountsContext,
  by: string,
  input: { readonly passkey: string; readonly session: string; readonly client: ClientDevice },
): Promise<void> {
  const { passkey, session, client } = input
  await demandReauthentication(ctx, session)
  await transaction(ctx, async tx => {
    const removed = await tx.query<{ name: string }>(
      'DELETE FROM passkeys WHERE id = $1 AND user_id = $2 RETURNING name',
      [passkey, by],
    )
    const row = removed.rows[0]
    if (row === undefined) throw new Refusal('passkey_unknown')
    await demandSignInMethod(ctx, by, { passkey }, tx)
    await note(ctx, { user: by, kind: 'passkey_removed', session, client, detail: { name: row.name } }, tx)
  })
}
