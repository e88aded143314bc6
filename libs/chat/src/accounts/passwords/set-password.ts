/**
 * A new password. Whoever sets one may do so because somebody else knows the old one: all other sessions end with it, and
 * so does every sign-in that still waits for its second factor.
 */
import { Refusal, type SecondFactorChallenge } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { check, spend } from '../codes/redeem.ts'
import type { AccountsContext } from '../context.ts'
import { note } from '../../notices/security/note.ts'
import { begin, type SignedIn } from '../sessions/begin.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { endAll } from '../sessions/end.ts'
import { demandReauthentication } from '../sessions/demand-reauthentication.ts'
import { transaction } from '../../store/transaction.ts'
import { type Account, readAccount } from '../account.ts'
import { checkPassword, type HashSlot } from './passwords.ts'

/**
 * Sets the caller's password, who shows the current one; without one, reauthentication.
 * @param session the caller's own, which stays
 * @throws Refusal invalid_credentials, reauthentication_required, password_weak, overloaded
 */
export async function setPassword(
  ctx: AccountsContext,
  by: string,
  input: { session: string; current?: string | undefined; password: string; client: ClientDevice; slot?: HashSlot },
): Promise<void> {
  const { session, current, password, client, slot } = input
  const account = await readAccount(ctx, by)
  if (account.passwordHash === null) await demandReauthentication(ctx, session)
  else if (current === undefined || !(await ctx.passwords.verify(account.passwordHash, current, slot))) {
    const detail = { factor: 'password', at: 'password' }
    if (current !== undefined) await note(ctx, { user: by, kind: 'second_factor_failed', session, client, detail })
    throw new Refusal('invalid_credentials', 'wrong current password', { field: 'current' })
  }
  await checkPassword(password, namesOf(ctx, account))
  const hash = await ctx.passwords.hash(password, slot)
  await transaction(ctx, async tx => {
    const kind = account.passwordHash === null ? 'password_set' : 'password_changed'
    await note(ctx, { user: by, kind, session, client }, tx)
    // Of two changes at once the second has shown a password that is no longer the current one.
    if (!(await write(tx, account, hash))) throw new Refusal('invalid_credentials', undefined, { field: 'current' })
    await endAll(ctx, { user: by, except: session }, tx)
  })
}

/**
 * Sets the password of whoever reads the mail of the account's address, and signs them in.
 * @throws Refusal code_invalid, password_weak (the code stays good), overloaded
 */
export async function resetPassword(
  ctx: AccountsContext,
  input: { request: string; code: string; password: string; client: ClientDevice; slot?: HashSlot },
): Promise<SignedIn | SecondFactorChallenge> {
  const { request, code, password, client, slot } = input
  await checkPassword(password, [ctx.settings.deploymentName])
  const right = await check(ctx, { request, code, purpose: 'reset-password' })
  if (right.user === undefined) throw new Refusal('code_invalid')
  const account = await readAccount(ctx, right.user)
  const { user } = account
  await checkPassword(password, namesOf(ctx, account))
  const hash = await ctx.passwords.hash(password, slot)
  await transaction(ctx, async tx => {
    await spend(tx, right)
    await note(ctx, { user: user.id, kind: 'password_reset', client }, tx)
    if (!(await write(tx, account, hash))) throw new Refusal('code_invalid')
    await endAll(ctx, { user: user.id }, tx)
  })
  return begin(ctx, user, 'email_code', client)
}

const namesOf = (ctx: AccountsContext, { user, email }: Account) => [user.username, email, ctx.settings.deploymentName]

/** @returns false when the account is no longer what was read */
async function write(tx: PoolClient, { user, email, passwordHash }: Account, hash: string): Promise<boolean> {
  const written = await tx.query(
    `UPDATE users SET password_hash = $2
      WHERE id = $1 AND password_hash IS NOT DISTINCT FROM $3 AND email IS NOT DISTINCT FROM $4 AND erased_at IS NULL`,
    [user.id, hash, passwordHash, email],
  )
  await tx.query('DELETE FROM challenges WHERE user_id = $1', [user.id])
  return written.rowCount === 1
}
