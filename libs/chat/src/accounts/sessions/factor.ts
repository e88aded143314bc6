/** What somebody shows to be who they are, and whether it holds. Whatever is good once is used up by looking at it. */
import { Refusal } from '@flotilla/protocol'
import { redeem } from '../codes/redeem.ts'
import type { AccountsContext } from '../context.ts'
import { spendRecoveryCode } from '../factors/recovery-codes.ts'
import { spendTotp } from '../factors/totp.ts'
import type { CodePurpose } from '../../store/jobs/job.ts'
import type { ShownPasskey } from '../passkeys/passkey.ts'
import { show } from '../passkeys/show.ts'
import { emailKey } from '../../text/email.ts'
import type { HashSlot } from '../passwords/passwords.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'

export type SubmittedFactor =
  | { readonly factor: 'totp' | 'recovery_code' | 'email_code'; readonly code: string }
  | { readonly factor: 'password'; readonly password: string; readonly slot?: HashSlot | undefined }
  | { readonly factor: 'passkey'; readonly passkey: ShownPasskey }

/** What was asked for before it is shown. */
export interface Asked {
  readonly purpose: CodePurpose
  /** The code by mail; undefined when none was asked for. */
  readonly request: string | undefined
  /** What a passkey was to sign; undefined when none was asked for. */
  readonly nonce: string | undefined
  /** Whether a passkey must have checked its owner. */
  readonly ownerChecked: boolean
  /** Where it is shown, for the trail. */
  readonly client: ClientDevice
}

/**
 * Whether it is right.
 * @throws Refusal overloaded (a password without a slot in the queue)
 */
export async function holds(
  ctx: AccountsContext,
  user: string,
  shown: SubmittedFactor,
  asked: Asked,
): Promise<boolean> {
  const { nonce, ownerChecked, client } = asked
  switch (shown.factor) {
    case 'totp':
      return spendTotp(ctx, user, shown.code)
    case 'recovery_code':
      return spendRecoveryCode(ctx, user, shown.code, client)
    case 'password':
      return ctx.passwords.verify(await passwordHashOf(ctx, user), shown.password, shown.slot)
    case 'email_code':
      return holdsCode(ctx, user, shown.code, asked)
    case 'passkey':
      return nonce !== undefined && (await show(ctx, shown.passkey, { nonce, user, ownerChecked })).holds
    default:
      return false
  }
}

/** The address may have changed since the code went out: then the code proves nothing any more. */
async function holdsCode(ctx: AccountsContext, user: string, code: string, asked: Asked): Promise<boolean> {
  const { request, purpose } = asked
  if (request === undefined) return false
  try {
    const { email } = await redeem(ctx, { request, code, purpose, user })
    return emailKey(email) === emailKey((await emailOf(ctx, user)) ?? '')
  } catch (error) {
    if (error instanceof Refusal && error.code === 'code_invalid') return false
    throw error
  }
}

export async function emailOf(ctx: AccountsContext, user: string): Promise<string | undefined> {
  const found = await ctx.pool.query<{ email: string | null }>('SELECT email FROM users WHERE id = $1', [user])
  return found.rows[0]?.email ?? undefined
}

async function passwordHashOf(ctx: AccountsContext, user: string): Promise<string | undefined> {
  const found = await ctx.pool.query<{ hash: string | null }>('SELECT password_hash AS hash FROM users WHERE id = $1', [
    user,
  ])
  return found.rows[0]?.hash ?? undefined
}
