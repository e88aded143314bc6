import type { AccountsContext } from './context.ts'
import { note } from '../notices/security/note.ts'
import type { ClientDevice } from '../notices/security/client-device.ts'
import { transaction } from '../store/transaction.ts'

/** The account stays. Once its erasure has begun there is no way back, and nobody is signed in to ask for it. */
export async function cancelDeletion(
  ctx: AccountsContext,
  by: string,
  input: { readonly session: string; readonly client: ClientDevice },
): Promise<void> {
  await transaction(ctx, async tx => {
    const kept = await tx.query(
      'UPDATE users SET delete_after = NULL WHERE id = $1 AND delete_after IS NOT NULL AND erased_at IS NULL',
      [by],
    )
    if (kept.rowCount === 1) await note(ctx, { user: by, kind: 'deletion_cancelled', ...input }, tx)
  })
}
