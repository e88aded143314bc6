import { Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { note } from '../../notices/security/note.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { transaction } from '../../store/transaction.ts'
import { demandSignInMethod } from '../demand-sign-in-method.ts'
import type { Caller } from './grant.ts'

/**
 * Takes an identity off the caller's account.
 * @throws Refusal identity_unknown, last_sign_in_method
 */
export async function unlink(
  ctx: AccountsContext,
  by: Caller,
  input: { readonly provider: string; readonly client: ClientDevice },
): Promise<void> {
  const { provider, client: from } = input
  const { user, session } = by
  await transaction(ctx, async client => {
    const removed = await client.query<{ name: string }>(
      'DELETE FROM identities WHERE user_id = $1 AND provider = $2 RETURNING name',
      [user, provider],
    )
    const identity = removed.rows[0]
    if (identity === undefined) throw new Refusal('identity_unknown')
    await demandSignInMethod(ctx, user, { identity: provider }, client)
    const detail = { provider, name: identity.name }
    await note(ctx, { user, kind: 'identity_unlinked', session, client: from, detail }, client)
  })
}
