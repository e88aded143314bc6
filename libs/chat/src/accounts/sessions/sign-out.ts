import type { AccountsContext } from '../context.ts'
import { note } from '../../notices/security/note.ts'
import { transaction } from '../../store/transaction.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { end } from './end.ts'

/** The caller leaves the session that they call with. */
export async function signOut(
  ctx: AccountsContext,
  by: string,
  input: { readonly session: string; readonly client: ClientDevice },
): Promise<void> {
  const { session, client } = input
  await transaction(ctx, async tx => {
    if (await end(ctx, session, tx)) await note(ctx, { user: by, kind: 'signed_out', session, client }, tx)
  })
}
