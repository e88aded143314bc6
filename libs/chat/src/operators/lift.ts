import { Refusal } from '@flotilla/protocol'
import type { OperatorsContext } from './context.ts'
import { note } from '../notices/security/note.ts'
import { transaction } from '../store/transaction.ts'
import { letGo } from '../accounts/registration/held-back.ts'
import { type Actor, checkReason, noteAction } from './note-action.ts'

/**
 * Lets somebody in again who was suspended or banned: they sign in anew. Of an account that was erased meanwhile, what
 * was held back is free again.
 * @throws Refusal field_invalid, suspension_unknown
 */
export async function lift(
  ctx: OperatorsContext,
  by: Actor,
  input: { readonly user: string; readonly reason: string },
): Promise<void> {
  const { user } = input
  const reason = checkReason(input.reason)
  await transaction(ctx, async tx => {
    const lifted = await tx.query<{ suspended: boolean; erased: boolean }>(
      `WITH held AS (SELECT id, coalesce(suspended_until > now(), false) AS suspended FROM users WHERE id = $1 FOR UPDATE)
       UPDATE users u SET suspended_until = NULL FROM held WHERE u.id = held.id
       RETURNING held.suspended, u.erased_at IS NOT NULL AS erased`,
      [user],
    )
    const { suspended = false, erased = false } = lifted.rows[0] ?? {}
    const wasBanned = await letGo(tx, user)
    if (!suspended && !wasBanned) throw new Refusal('suspension_unknown')
    await noteAction(tx, by, { action: 'suspension_lifted', user, reason })
    if (!erased) await note(ctx, { user, kind: 'suspension_lifted', detail: { reason } }, tx)
  })
}
