import type { OperatorsContext } from './context.ts'
import { note } from '../notices/security/note.ts'
import { transaction } from '../store/transaction.ts'
import { type Actor, checkReason, noteAction } from './note-action.ts'
import { endEverywhere, holdPerson } from './suspend.ts'

/**
 * Ends all sessions of a person, and all sign-ins that were begun. They may sign in again.
 * @throws Refusal field_invalid, user_unknown
 */
export async function signOut(
  ctx: OperatorsContext,
  by: Actor,
  input: { readonly user: string; readonly reason: string },
): Promise<void> {
  const { user } = input
  const reason = checkReason(input.reason)
  await transaction(ctx, async tx => {
    await holdPerson(tx, user)
    const sessions = await endEverywhere(ctx, tx, user)
    await noteAction(tx, by, { action: 'signed_out', user, reason, detail: { sessions: String(sessions) } })
    await note(ctx, { user, kind: 'signed_out_by_operator', detail: { reason } }, tx)
  })
}
