/**
 * The address of an account: verified by a code before it is written, and never left without the old one hearing of it. The
 * note of the trail comes first in each transaction, while the old address is still that of the account.
 */
import { type CodeRequest, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { ask } from './codes/ask.ts'
import { check, spend } from './codes/redeem.ts'
import type { AccountsContext } from './context.ts'
import { isHeldBack } from './registration/held-back.ts'
import { note } from '../notices/security/note.ts'
import type { ClientDevice } from '../notices/security/client-device.ts'
import { demandReauthentication } from './sessions/demand-reauthentication.ts'
import { transaction } from '../store/transaction.ts'
import { readAccount } from './account.ts'
import { emailTaken, isTaken } from './registration/create.ts'
import { demandSignInMethod } from './demand-sign-in-method.ts'
import { emailKey } from '../text/email.ts'

interface Changing {
  readonly session: string
  readonly client: ClientDevice
}

/**
 * Sends a code to the address that is to be the caller's. Whether somebody has it already is not told here.
 * @throws Refusal reauthentication_required, field_invalid, mail_disabled
 */
export async function requestEmailChange(
  ctx: AccountsContext,
  by: string,
  input: { session: string; email: string; isMailed?: boolean },
): Promise<CodeRequest> {
  const { session, email, isMailed = true } = input
  await demandReauthentication(ctx, session)
  return ask(ctx, { purpose: 'change-email', email, user: by, isMailed })
}

/**
 * The address that the code was sent to becomes the caller's.
 * @throws Refusal code_invalid, email_taken
 */
export async function changeEmail(
  ctx: AccountsContext,
  by: string,
  input: Changing & { request: string; code: string },
): Promise<void> {
  const { request, code, session, client } = input
  const right = await check(ctx, { request, code, purpose: 'change-email', user: by })
  try {
    await transaction(ctx, async tx => {
      await spend(tx, right)
      await demandNotHeldBack(tx, right.email)
      await note(ctx, { user: by, kind: 'email_changed', session, client }, tx)
      await write(tx, by, right.email)
    })
  } catch (error) {
    // Somebody else was faster to verify it, or had it all the time and knows their own code.
    if (isTaken(error, 'email')) throw emailTaken()
    throw error
  }
}

/**
 * Takes the address from the account.
 * @throws Refusal reauthentication_required, last_sign_in_method, factor_conflict while it is a second factor
 */
export async function removeEmail(ctx: AccountsContext, by: string, input: Changing): Promise<void> {
  const { session, client } = input
  await demandReauthentication(ctx, session)
  if ((await readAccount(ctx, by)).email === null) return
  await transaction(ctx, async tx => {
    await demandSignInMethod(ctx, by, { email: true }, tx)
    const factor = await tx.query('SELECT FROM users WHERE id = $1 AND mail_factor', [by])
    if (factor.rowCount !== 0)
      throw new Refusal('factor_conflict', 'the address receives second-factor codes. Turn those off first.')
    await note(ctx, { user: by, kind: 'email_removed', session, client }, tx)
    await write(tx, by, null)
  })
}

/** One of the banned is nobody's. @throws Refusal email_taken */
async function demandNotHeldBack(tx: PoolClient, email: string): Promise<void> {
  const held = await tx.query(`SELECT WHERE ${isHeldBack('email', '$1')}`, [emailKey(email)])
  if (held.rowCount !== 0) throw emailTaken()
}

/** What was sent to the address before, or is meant for another, is worth nothing any more. */
async function write(tx: PoolClient, user: string, email: string | null): Promise<void> {
  await tx.query('UPDATE users SET email = $2 WHERE id = $1 AND erased_at IS NULL', [user, email])
  await tx.query('DELETE FROM codes WHERE user_id = $1', [user])
}
