/** Makes a person who signs up by themselves: with a name alone, a password, an address that they verify, or several. */
import { check, spend } from '../codes/redeem.ts'
import type { AccountsContext } from '../context.ts'
import { checkName } from '../../text/names.ts'
import { paperCodeHash } from '../../text/paper-codes.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { openFirst, type SignedIn } from '../sessions/begin.ts'
import { transaction } from '../../store/transaction.ts'
import { checkNewUsername, create, demandEmailFree, demandUsernameFree } from './create.ts'
import { checkDisplayName } from '../../users/display-name.ts'
import { demandMayRegister } from './may-register.ts'
import { checkPassword, type HashSlot } from '../passwords/passwords.ts'

export interface Registration {
  /** Derived when left out. */
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Of a code for `register`: the address that it was sent to becomes theirs. */
  readonly email?: { readonly request: string; readonly code: string } | undefined
  /** The username, when left out. */
  readonly displayName?: string | undefined
  /** A code, as it was typed. */
  readonly invitation?: string | undefined
  readonly client: ClientDevice
  /** In the queue of passwords. */
  readonly slot?: HashSlot | undefined
}

/**
 * The account and its first session are made together or not at all: who has a name alone has no other way in.
 * @throws Refusal field_invalid, password_weak, username_taken, email_taken, code_invalid, registration_closed,
 *   invitation_invalid, overloaded
 */
export async function register(ctx: AccountsContext, input: Registration): Promise<SignedIn> {
  const { password, displayName, client, slot } = input
  checkName(client.deviceName, 'deviceName')
  const username = input.username === undefined ? undefined : checkNewUsername(ctx, input.username)
  if (displayName !== undefined) checkDisplayName(ctx, displayName)
  if (password !== undefined) await checkPassword(password, [username, ctx.settings.deploymentName])
  if (username !== undefined) await demandUsernameFree(ctx, username)
  const code = input.email === undefined ? undefined : await check(ctx, { ...input.email, purpose: 'register' })
  const email = code?.email
  const invitation = input.invitation === undefined ? undefined : paperCodeHash(input.invitation)
  await demandMayRegister(ctx, { email, invitation })
  // Only here, to somebody who has verified that the address is theirs.
  if (email !== undefined) await demandEmailFree(ctx.pool, email)
  if (password !== undefined) await checkPassword(password, [email])

  const passwordHash = password === undefined ? undefined : await ctx.passwords.hash(password, slot)
  return transaction(ctx, async tx => {
    if (code !== undefined) await spend(tx, code)
    const user = await create(ctx, { username, displayName, email, passwordHash, invitation, client }, tx)
    return openFirst(ctx, user, client, tx)
  })
}
