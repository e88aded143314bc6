/**
 * An authorization: somebody goes to a provider with their browser and comes back with who they are there. Four secrets hold its
 * ends together, each known to one party only, and of each the store has no more than a hash:
 * - the cookie: who comes back is the browser that went (nobody else's answer can be slipped in);
 * - the state: the provider answers to this authorization, once;
 * - the grant: what the browser carries home from the call-back, for a minute;
 * - the secret: what the application that began the authorization has kept. A grant alone, seen in a URL or slipped in by a link,
 *   signs nobody in.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { PoolClient } from 'pg'
import type { AccountsContext } from '../context.ts'

/** What an authorization is for: an authorization for one thing is good for nothing else. */
export type AuthorizationPurpose = 'sign-in' | 'link' | 'reauthenticate'

/** An authorization under way, as the talk with the provider needs it. */
export interface Authorization {
  readonly provider: string
  readonly purpose: AuthorizationPurpose
  readonly returnTo: string
  /** It begins with the id of the authorization. */
  readonly state: string
  /** Only with OpenID Connect. */
  readonly nonce: string
  /** Of PKCE. */
  readonly verifier: string
  readonly beganAt: number
}

/** The row of an authorization. `browser` is there once the browser has set out. */
export interface AuthorizationData {
  readonly provider: string
  readonly purpose: AuthorizationPurpose
  readonly returnTo: string
  readonly state: string
  readonly secret: string
  readonly session: string | null
  readonly browser?: string
  readonly sealed: SealedText
}

export interface SealedText {
  readonly keyId: number
  readonly body: string
}

export const authorizationKind = 'authorization'
export const grantKind = 'authorization-grant'

/** 256 random bits as text for a URL. */
export const makeToken = (): string => randomBytes(32).toString('base64url')

/** Of 256 random bits a plain hash tells nothing. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('base64url')

/** For a column of JSON. */
export function sealText(ctx: AccountsContext, bound: string, text: string): SealedText {
  const { keyId, body } = ctx.seal.seal(bound, text)
  return { keyId, body: body.toString('base64') }
}

/** @param client of the transaction, within one */
export async function openText(
  ctx: AccountsContext,
  bound: string,
  sealed: SealedText,
  client?: PoolClient,
): Promise<string> {
  await ctx.seal.ready([sealed.keyId], client)
  return ctx.seal.open(bound, sealed.keyId, Buffer.from(sealed.body, 'base64'))
}

const boundOf = (stateHash: string) => `authorization ${stateHash}`

/** What is said in the talk with the provider. */
interface Spoken {
  readonly token: string
  readonly nonce: string
  readonly verifier: string
}

export function makeSpoken(ctx: AccountsContext): { state: string; sealed: SealedText } {
  const spoken: Spoken = { token: makeToken(), nonce: makeToken(), verifier: makeToken() }
  const state = hashToken(spoken.token)
  return { state, sealed: sealText(ctx, boundOf(state), JSON.stringify(spoken)) }
}

export interface AuthorizationRow {
  id: string
  data: AuthorizationData
  user_id: string | null
  began_at: number
}

export const authorizationColumns = 'id, data, user_id, (extract(epoch FROM created_at) * 1000)::float8 AS began_at'

export async function toAuthorization(ctx: AccountsContext, row: AuthorizationRow): Promise<Authorization> {
  const { provider, purpose, returnTo, state, sealed } = row.data
  const { token, nonce, verifier } = JSON.parse(await openText(ctx, boundOf(state), sealed)) as Spoken
  return { provider, purpose, returnTo, state: `${row.id}.${token}`, nonce, verifier, beganAt: row.began_at }
}

/** A state or a grant: the id of its row, and the part that only those know who were told. */
export function splitToken(text: string): { id: string; token: string } | undefined {
  const [, id, token] = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([\w-]{43})$/.exec(text) ?? []
  return id === undefined || token === undefined ? undefined : { id, token }
}

/** The authorization that a state is about, for whoever looks for its cookie. */
export const authorizationOfState = (state: string): string | undefined => splitToken(state)?.id
