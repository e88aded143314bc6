/**
 * The one door to a session: whatever somebody has shown first (a password, a code, a passkey, an identity) ends here,
 * and gets a session, or the question for a second factor.
 */
import type { Factor, SecondFactorChallenge, User } from '@flotilla/protocol'
import { openChallenge } from '../../store/challenges.ts'
import type { PoolClient } from 'pg'
import type { AccountsContext } from '../context.ts'
import { factorsAfter, type FirstFactor, read } from '../factors/read.ts'
import type { SealedText } from '../identities/authorization.ts'
import { checkName } from '../../text/names.ts'
import { note } from '../../notices/security/note.ts'
import { transaction } from '../../store/transaction.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { holdPassword } from './hold-password.ts'
import { type Opened, open } from './open.ts'

export interface SignedIn extends Opened {
  readonly user: User
}

/** What the second step must know of the first. */
export interface PendingSignIn {
  readonly first: FirstFactor
  readonly factors: readonly Factor[]
  readonly deviceName: string
  /** The code by mail that was asked for last. */
  readonly request?: string
  /** What a passkey is to sign. */
  readonly nonce?: string
  /** What joins the account when the second step is done (identities/join-later.ts). */
  readonly identity?: SealedText
}

export const secondFactorKind = 'second-factor'
const secondFactorLifeMs = 10 * 60_000

/** The session of somebody who is made in this transaction: there is nothing yet that could be asked for besides. */
export async function openFirst(
  ctx: AccountsContext,
  user: User,
  client: ClientDevice,
  tx: Pick<PoolClient, 'query'>,
): Promise<SignedIn> {
  return { user, ...(await open(ctx, user.id, client, 'registration', tx)) }
}

/**
 * @param shown.passwordHash what a password was held against, where one was shown
 * @throws Refusal field_invalid (the name of the device), invalid_credentials (the password was changed meanwhile)
 */
export async function begin(
  ctx: AccountsContext,
  user: User,
  first: FirstFactor,
  client: ClientDevice,
  shown: { readonly passwordHash?: string; readonly identity?: SealedText | undefined } = {},
): Promise<SignedIn | SecondFactorChallenge> {
  const { passwordHash, identity } = shown
  const deviceName = checkName(client.deviceName, 'deviceName')
  const factors = factorsAfter(first, await read(ctx, user.id))
  return transaction(ctx, async tx => {
    await holdPassword(tx, user.id, passwordHash)
    if (factors.length > 0) {
      const data: PendingSignIn = { first, factors, deviceName, ...(identity === undefined ? {} : { identity }) }
      const expiresInMs = secondFactorLifeMs
      const challenge = await openChallenge(ctx, { kind: secondFactorKind, user: user.id, data, expiresInMs }, tx)
      return { challenge, factors, expiresInMs }
    }
    const opened = await open(ctx, user.id, client, first, tx)
    const { session } = opened
    await note(ctx, { user: user.id, kind: 'signed_in', session, client, detail: { by: first } }, tx)
    return { user, ...opened }
  })
}
