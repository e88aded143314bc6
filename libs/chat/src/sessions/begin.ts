/**
 * The one door to a session: whatever somebody has shown first (a password, a code, a passkey, an identity) ends here,
 * and gets a session, or the question for a second factor.
 */
import { openChallenge } from '../challenges.ts'
import type { ChatContext } from '../context.ts'
import { factorsAfter, read } from '../factors/read.ts'
import { checkName } from '../names.ts'
import { note } from '../security/note.ts'
import type { User } from '../users/user.ts'
import type { Client } from './client.ts'
import { type Opened, open } from './open.ts'

/** What was shown first. A passkey that checked its owner is two factors in one. */
export type FirstProof = 'registration' | 'password' | 'email_code' | 'passkey' | 'identity'

export type Factor = 'totp' | 'recovery_code' | 'email_code' | 'passkey' | 'password'

export interface SignedIn extends Opened {
  readonly user: User
}

/** The session comes after a second factor: sessions.finish. */
export interface FactorNeeded {
  readonly challenge: string
  /** Any one of these will do. */
  readonly factors: readonly Factor[]
  readonly lifeMs: number
}

/** What the second step must know of the first. */
export interface Begun {
  readonly proof: FirstProof
  readonly factors: readonly Factor[]
  readonly deviceName: string
  /** The code by mail that was asked for last. */
  readonly request?: string
  /** What a passkey is to sign. */
  readonly nonce?: string
}

export const secondFactorKind = 'second-factor'
const secondFactorLifeMs = 10 * 60_000

/** @throws Refusal field_invalid (the name of the device) */
export async function begin(
  ctx: ChatContext,
  user: User,
  proof: FirstProof,
  client: Client,
): Promise<SignedIn | FactorNeeded> {
  const deviceName = checkName(client.deviceName, 'deviceName')
  const factors = proof === 'registration' ? [] : factorsAfter(proof, await read(ctx, user.id))
  if (factors.length > 0) {
    const data: Begun = { proof, factors, deviceName }
    const lifeMs = secondFactorLifeMs
    return {
      challenge: await openChallenge(ctx, { kind: secondFactorKind, user: user.id, data, lifeMs }),
      factors,
      lifeMs,
    }
  }
  const opened = await open(ctx, user.id, client, proof)
  if (proof !== 'registration')
    await note(ctx, { user: user.id, kind: 'signed_in', session: opened.session, client, detail: { by: proof } })
  return { user, ...opened }
}
