/**
 * Passkeys as they are kept. What the browser brings can verify itself (the library for that lives in the API); what it
 * is held against, and how often it counts, is decided here.
 */
import { passkeysMax } from '@flotilla/protocol'
import { randomBytes } from 'node:crypto'
import { type Challenge, openChallenge } from '../../store/challenges.ts'
import type { AccountsContext } from '../context.ts'

/** What a new passkey says about itself, once it has been verified. */
export interface MadePasskey {
  /** The id of the credential, in base64url. */
  readonly id: string
  readonly publicKey: Uint8Array
  readonly counter: number
  readonly transports: readonly string[]
  readonly synced: boolean
}

/** The browser's answer to a wish for a new passkey. */
export interface NewPasskey {
  /** @returns undefined when it does not verify */
  verify(nonce: string): Promise<MadePasskey | undefined>
}

/** What a passkey is held against. */
export interface HeldPasskey {
  readonly nonce: string
  readonly id: string
  readonly publicKey: Uint8Array
  readonly counter: number
  /** Whether the authenticator must have checked its owner, not only that somebody is there. */
  readonly ownerChecked: boolean
}

/** The browser's answer when a passkey was asked for. */
export interface ShownPasskey {
  readonly id: string
  /** Whose the authenticator says that it is. */
  readonly user: string | undefined
  /** @returns undefined when it does not verify */
  verify(held: HeldPasskey): Promise<{ readonly counter: number; readonly synced: boolean } | undefined>
}

/** How a browser finds a passkey that is known here. */
export interface PasskeyRef {
  readonly id: string
  readonly transports: readonly string[]
}

/** A ceremony that was begun: what the browser is to sign, and the id that its answer comes back with. */
export interface Ceremony {
  readonly challenge: string
  readonly nonce: Uint8Array<ArrayBuffer>
  readonly expiresInMs: number
}

/** What each ceremony is for. A challenge of one is worth nothing in another. */
export type CeremonyKind = 'passkey-sign-in' | 'passkey-register' | 'passkey-add' | 'passkey-reauthentication'

const ceremonyLifeMs = 5 * 60_000
const nonceBytes = 32

export const makeNonce = (): Uint8Array<ArrayBuffer> => new Uint8Array(randomBytes(nonceBytes))

export const nonceText = (nonce: Uint8Array): string => Buffer.from(nonce).toString('base64url')

/** @param about the person, if known, and what the second step needs to know */
export async function beginCeremony(
  ctx: AccountsContext,
  kind: CeremonyKind,
  about: Pick<Challenge<object>, 'user'> & { readonly data?: object } = {},
): Promise<Ceremony> {
  const nonce = makeNonce()
  const data = { ...about.data, nonce: nonceText(nonce) }
  const challenge = await openChallenge(ctx, { kind, user: about.user, data, expiresInMs: ceremonyLifeMs })
  return { challenge, nonce, expiresInMs: ceremonyLifeMs }
}

/** The passkeys of a person, as a browser is told of them. */
export async function refsOf(ctx: AccountsContext, user: string): Promise<PasskeyRef[]> {
  const found = await ctx.pool.query<{ id: string; transports: string }>(
    'SELECT id, transports FROM passkeys WHERE user_id = $1 ORDER BY created_at LIMIT $2',
    [user, passkeysMax],
  )
  return found.rows.map(({ id, transports }) => ({ id, transports: transports.split(',').filter(one => one !== '') }))
}
