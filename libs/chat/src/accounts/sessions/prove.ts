/**
 * A fresh proof of who one is, for what an intruder at an open screen must not do. Any one factor that has the level
 * of the account will do, but a passkey only if it checked its owner: the key that is left in the computer is there for
 * the intruder too.
 */
import { type AskedCode, Refusal } from '@flotilla/protocol'
import { takeChallenge } from '../../store/challenges.ts'
import { ask } from '../codes/index.ts'
import type { AccountsContext } from '../context.ts'
import { demandLevel, read } from '../factors/read.ts'
import { beginCeremony, type Ceremony, type PasskeyRef, refsOf, type ShownPasskey } from '../passkeys/passkey.ts'
import { note } from '../../notices/security/note.ts'
import type { Place } from '../passwords/passwords.ts'
import type { Client } from '../../notices/security/client.ts'
import { emailOf, holds } from './factor.ts'

export type Proof =
  | { readonly factor: 'password'; readonly password: string; readonly place?: Place | undefined }
  | { readonly factor: 'totp'; readonly code: string }
  | { readonly factor: 'email_code'; readonly code: string; readonly request: string }
  | { readonly factor: 'passkey'; readonly passkey: ShownPasskey; readonly challenge: string }

const wrong = {
  password: 'credentials_wrong',
  totp: 'second_factor_wrong',
  email_code: 'code_invalid',
  passkey: 'passkey_invalid',
} as const

/**
 * @throws Refusal field_invalid (a factor below the level of the account), credentials_wrong, second_factor_wrong,
 *   code_invalid, passkey_invalid, challenge_invalid, overloaded
 */
export async function prove(
  ctx: AccountsContext,
  by: string,
  input: { readonly proof: Proof; readonly session: string; readonly client: Client },
): Promise<void> {
  const { proof, session, client } = input
  const { factor } = proof
  demandLevel(factor, await read(ctx, by))
  const nonce = factor === 'passkey' ? await takeNonce(ctx, by, proof.challenge) : undefined
  const request = factor === 'email_code' ? proof.request : undefined
  const right = await holds(ctx, by, proof, { purpose: 'prove', request, nonce, ownerChecked: true, client })
  if (!right) {
    await note(ctx, { user: by, kind: 'second_factor_failed', session, client, detail: { factor, at: 'proof' } })
    throw new Refusal(wrong[factor])
  }
  await proved(ctx, session)
}

/** The person of this session has just shown who they are, here or at a provider. */
export async function proved(ctx: AccountsContext, session: string): Promise<void> {
  await ctx.pool.query('UPDATE sessions SET proved_at = now() WHERE id = $1 AND revoked_at IS NULL', [session])
}

/** Sends a code to the caller's address. @throws Refusal factor_conflict (there is none), mail_unavailable */
export async function askProofCode(ctx: AccountsContext, by: string): Promise<AskedCode> {
  const email = await emailOf(ctx, by)
  if (email === undefined) throw new Refusal('factor_conflict', 'there is no address to send a code to')
  return ask(ctx, { purpose: 'prove', email, user: by })
}

/** @throws Refusal factor_conflict (the caller has no passkey) */
export async function askProofPasskey(
  ctx: AccountsContext,
  by: string,
): Promise<Ceremony & { readonly known: readonly PasskeyRef[] }> {
  const known = await refsOf(ctx, by)
  if (known.length === 0) throw new Refusal('factor_conflict', 'there is no passkey')
  return { ...(await beginCeremony(ctx, 'passkey-proof', { user: by })), known }
}

async function takeNonce(ctx: AccountsContext, by: string, challenge: string): Promise<string> {
  return (await takeChallenge<{ nonce: string }>(ctx, challenge, { kind: 'passkey-proof', user: by })).nonce
}
