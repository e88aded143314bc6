/**
 * reauthentication, for what an intruder at an open screen must not do. Any one factor that has the level
 * of the account will do, but a passkey only if it checked its owner: the key that is left in the computer is there for
 * the intruder too.
 */
import { type CodeRequest, Refusal } from '@flotilla/protocol'
import { takeChallenge } from '../../store/challenges.ts'
import { ask } from '../codes/index.ts'
import type { AccountsContext } from '../context.ts'
import { demandLevel, read } from '../factors/read.ts'
import { beginCeremony, type Ceremony, type PasskeyRef, refsOf, type ShownPasskey } from '../passkeys/passkey.ts'
import { note } from '../../notices/security/note.ts'
import type { HashSlot } from '../passwords/passwords.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { emailOf, holds } from './factor.ts'

export type Reauthentication =
  | { readonly factor: 'password'; readonly password: string; readonly slot?: HashSlot | undefined }
  | { readonly factor: 'totp'; readonly code: string }
  | { readonly factor: 'email_code'; readonly code: string; readonly request: string }
  | { readonly factor: 'passkey'; readonly passkey: ShownPasskey; readonly challenge: string }

const wrong = {
  password: 'invalid_credentials',
  totp: 'second_factor_invalid',
  email_code: 'code_invalid',
  passkey: 'passkey_invalid',
} as const

/**
 * @throws Refusal field_invalid (a factor below the level of the account), invalid_credentials, second_factor_invalid,
 *   code_invalid, passkey_invalid, challenge_invalid, overloaded
 */
export async function reauthenticate(
  ctx: AccountsContext,
  by: string,
  input: { readonly reauthentication: Reauthentication; readonly session: string; readonly client: ClientDevice },
): Promise<void> {
  const { reauthentication, session, client } = input
  const { factor } = reauthentication
  demandLevel(factor, await read(ctx, by))
  const nonce = factor === 'passkey' ? await takeNonce(ctx, by, reauthentication.challenge) : undefined
  const request = factor === 'email_code' ? reauthentication.request : undefined
  const right = await holds(ctx, by, reauthentication, {
    purpose: 'reauthenticate',
    request,
    nonce,
    ownerChecked: true,
    client,
  })
  if (!right) {
    await note(ctx, {
      user: by,
      kind: 'second_factor_failed',
      session,
      client,
      detail: { factor, at: 'reauthentication' },
    })
    throw new Refusal(wrong[factor])
  }
  await markReauthenticated(ctx, session)
}

/** The person of this session has just shown who they are, here or at a provider. */
export async function markReauthenticated(ctx: AccountsContext, session: string): Promise<void> {
  await ctx.pool.query('UPDATE sessions SET proved_at = now() WHERE id = $1 AND revoked_at IS NULL', [session])
}

/** Sends a code to the caller's address. @throws Refusal factor_conflict (there is none), mail_disabled */
export async function sendReauthenticationCode(ctx: AccountsContext, by: string): Promise<CodeRequest> {
  const email = await emailOf(ctx, by)
  if (email === undefined) throw new Refusal('factor_conflict', 'the account has no email address')
  return ask(ctx, { purpose: 'reauthenticate', email, user: by })
}

/** @throws Refusal factor_conflict (the caller has no passkey) */
export async function beginPasskeyReauthentication(
  ctx: AccountsContext,
  by: string,
): Promise<Ceremony & { readonly known: readonly PasskeyRef[] }> {
  const known = await refsOf(ctx, by)
  if (known.length === 0) throw new Refusal('factor_conflict', 'the account has no passkey')
  return { ...(await beginCeremony(ctx, 'passkey-reauthentication', { user: by })), known }
}

async function takeNonce(ctx: AccountsContext, by: string, challenge: string): Promise<string> {
  return (await takeChallenge<{ nonce: string }>(ctx, challenge, { kind: 'passkey-reauthentication', user: by })).nonce
}
