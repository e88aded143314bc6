/**
 * Tokens. The access token is a signed statement (JWT, EdDSA and nothing else) that lives ten minutes; the refresh token
 * is an HMAC over the session and a number that the store keeps, so that the store holds no secret of a token. The keys
 * of both are sets that can be rotated: the first signs, all of them verify. Times are by the clock of the store, which all
 * processes share.
 */
import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  timingSafeEqual,
} from 'node:crypto'
import fastifyJwt, { type TokenOrHeader } from '@fastify/jwt'
import { type ChatContext, sessions } from '@flotilla/chat'
import { Refusal } from '@flotilla/protocol'
import { Uuid } from '@flotilla/protocol/schemas'
import type { SecretKey } from '@flotilla/service'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Compile } from 'typebox/compile'

/** One key for access tokens. A retired key has no private part: it verifies, but does not sign. */
export interface TokenKey {
  readonly id: string
  readonly privatePem: string | undefined
  readonly publicPem: string
  /** As it is published. */
  readonly publicJwk: PublicJwk
}

export interface PublicJwk {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  readonly kid: string
  readonly alg: 'EdDSA'
  readonly use: 'sig'
}

/** The signed-in person that a request comes from. */
export interface Caller {
  readonly user: string
  readonly session: string
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on routes that demand a signed-in person. */
    caller: Caller
  }
}

/** RFC 7638: the name that a key has by its own content. */
const thumbprint = (x: string) =>
  createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url')

/** A fresh private key as JWK text, in the form that parseTokenKeys reads. */
export function generateTokenKey(): string {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  return JSON.stringify({ ...jwk, kid: thumbprint(jwk.x ?? ''), alg: 'EdDSA', use: 'sig' })
}

function toTokenKey(jwk: JsonWebKey | null): TokenKey {
  const { kty, crv, x, d, kid }: JsonWebKey & { kid?: unknown } = { ...jwk }
  if (kty !== 'OKP' || crv !== 'Ed25519' || x === undefined)
    throw new Error('unable to read token keys: each must be an Ed25519 key')
  if (kid !== undefined && (typeof kid !== 'string' || !/^[\w-]{1,64}$/.test(kid)))
    throw new Error('unable to read token keys: a kid must be 1 to 64 letters, digits, _ or -')
  const id = kid ?? thumbprint(x)
  const publicKey = createPublicKey({ key: { kty, crv, x }, format: 'jwk' })
  const privateKey = d === undefined ? undefined : createPrivateKey({ key: { kty, crv, x, d }, format: 'jwk' })
  if (privateKey !== undefined && createPublicKey(privateKey).export({ format: 'jwk' }).x !== x)
    throw new Error(`unable to read token keys: the two halves of key ${id} do not belong together`)
  return {
    id,
    privatePem: privateKey?.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    publicJwk: { kty, crv, x, kid: id, alg: 'EdDSA', use: 'sig' },
  }
}

const pemBlock = /-----BEGIN (PRIVATE|PUBLIC) KEY-----[\s\S]+?-----END \1 KEY-----/g

/** The keys of a text of PEM blocks; what stands between the blocks is passed over. */
function readPem(text: string): JsonWebKey[] {
  try {
    return [...text.matchAll(pemBlock)].map(([pem, half]) =>
      (half === 'PRIVATE' ? createPrivateKey(pem) : createPublicKey(pem)).export({ format: 'jwk' }),
    )
  } catch {
    // OpenSSL's own sentence would be about its decoders.
    throw new Error('unable to read token keys: not PEM of private or public keys')
  }
}

function readJson(text: string): JsonWebKey[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new Error('unable to read token keys: neither JSON nor PEM')
  }
  const isSet = typeof parsed === 'object' && parsed !== null && Object.hasOwn(parsed, 'keys')
  return [isSet ? (parsed as { keys: unknown }).keys : parsed].flat() as JsonWebKey[]
}

/**
 * Parses one JWK, an array of them, a JWK set, or PEM blocks one after the other: what Helm and openssl can make.
 * @throws Error that says which rule is broken, without a key
 */
export function parseTokenKeys(text: string): readonly TokenKey[] {
  const listed = text.includes('-----BEGIN ') ? readPem(text) : readJson(text)
  const keys = listed.map(toTokenKey)
  if (keys[0]?.privatePem === undefined)
    throw new Error('unable to read token keys: the first must be a private key, for it signs')
  if (new Set(keys.map(key => key.id)).size !== keys.length)
    throw new Error('unable to read token keys: a kid stands twice')
  return keys
}

export interface TokenOptions {
  readonly keys: { readonly token: readonly TokenKey[]; readonly refresh: readonly SecretKey[] }
  readonly issuer: string
  readonly audience: string
  readonly accessTokenLifeMs: number
}

/** Access tokens by @fastify/jwt, with everything pinned that RFC 8725 says to pin. */
export function installAccessTokens(app: FastifyInstance, options: TokenOptions): void {
  const { issuer, audience, keys } = options
  const byId = new Map(keys.token.map(key => [key.id, key.publicPem]))
  const signing = keys.token[0]
  if (signing?.privatePem === undefined) throw new Error('unable to sign access tokens: no key')
  app.register(fastifyJwt, {
    secret: {
      private: signing.privatePem,
      public: async (_request: FastifyRequest, { header }: TokenOrHeader) => {
        const pem = byId.get((header as { kid?: string }).kid ?? '')
        if (pem === undefined) throw new Refusal('unauthenticated')
        return pem
      },
    },
    decode: { complete: true },
    sign: {
      algorithm: 'EdDSA',
      kid: signing.id,
      header: { alg: 'EdDSA', typ: 'at+jwt' },
      iss: issuer,
      aud: audience,
      expiresIn: options.accessTokenLifeMs / 1000,
    },
    verify: {
      algorithms: ['EdDSA'],
      checkTyp: 'at+jwt',
      allowedIss: issuer,
      allowedAud: audience,
      requiredClaims: ['iss', 'aud', 'sub', 'sid', 'exp'],
      // It would go by the clock of this machine; createAuthentication looks at it.
      ignoreExpiration: true,
      // Remembered answers would outlive a key that was taken out.
      cache: false,
    },
  })
  app.decorateRequest('caller', null as unknown as Caller)
}

/** The access token of a session. Its life is counted from `nowMs`. */
export const signAccessToken = (app: FastifyInstance, caller: Caller, nowMs: number) =>
  app.jwt.sign({ sub: caller.user, sid: caller.session, iat: Math.floor(nowMs / 1_000) })

const isUuid = Compile(Uuid)

/**
 * The hook of routes that demand a signed-in person. It runs before the body is read. A token whose session has ended is
 * worth nothing from that second on, although it has not expired (P8).
 */
export function createAuthentication(chat: ChatContext) {
  return async (request: FastifyRequest): Promise<void> => {
    const claims = await request
      .jwtVerify<{ sub: unknown; sid: unknown; exp: unknown }>()
      .catch(() => Promise.reject(new Refusal('unauthenticated')))
    const { sub: user, sid: session, exp } = claims
    if (typeof exp !== 'number' || exp * 1_000 <= chat.clock()) throw new Refusal('unauthenticated')
    if (!isUuid.Check(user) || !isUuid.Check(session)) throw new Refusal('unauthenticated')
    const live = await sessions.check(chat, session)
    if (live?.user !== user) throw new Refusal('unauthenticated', 'the session has ended. Sign in again.')
    if (live.suspension !== undefined) throw sessions.suspendedRefusal(live.suspension)
    request.caller = { user, session }
  }
}

// ── HMACs under the refresh keys ─────────────────────────────────────────────────────────────────────────────────────

const macOf = (key: SecretKey, payload: string) => createHmac('sha256', key.key).update(payload).digest()

/** @param use what the token is for: one for something else is worth nothing */
function sign(keys: readonly SecretKey[], use: string, payload: string): string {
  const key = keys[0]
  if (key === undefined) throw new Error(`unable to sign a ${use} token: no key`)
  return `${payload}.${macOf(key, `${use}.${payload}`).toString('base64url')}`
}

/** No key id in the token: a set has two or three keys, and an HMAC costs microseconds. */
const isSigned = (keys: readonly SecretKey[], use: string, payload: string, mac: string): boolean =>
  keys.some(key => timingSafeEqual(macOf(key, `${use}.${payload}`), Buffer.from(mac, 'base64url')))

/** The refresh token that is good at this number of the session. */
export const signRefreshToken = (keys: readonly SecretKey[], session: string, number: number): string =>
  sign(keys, 'refresh', `${session}.${number}`)

const refreshShape = /^([0-9a-f-]{36})\.([1-9]\d{0,8})\.([\w-]{43})$/

/** What a refresh token says, if one of our keys signed it; otherwise undefined. */
export function verifyRefreshToken(
  keys: readonly SecretKey[],
  token: string,
): { session: string; number: number } | undefined {
  const [, session, number, mac] = refreshShape.exec(token) ?? []
  if (session === undefined || number === undefined || mac === undefined) return undefined
  return isSigned(keys, 'refresh', `${session}.${number}`, mac) ? { session, number: Number(number) } : undefined
}

/** A device on which somebody has signed in before: known by the session that they had there. */
export interface KnownDevice {
  readonly user: string
  readonly session: string
}

export const deviceLifeMs = 365 * 86_400_000

/** Says that this device has signed in. It opens nothing: it only spares its owner the waiting that others are put to. */
export const signDeviceToken = (keys: readonly SecretKey[], { user, session }: KnownDevice, nowMs: number): string =>
  sign(keys, 'device', `${user}.${session}.${Math.floor(nowMs / 1_000)}`)

const deviceShape = /^([0-9a-f-]{36})\.([0-9a-f-]{36})\.(\d{1,12})\.([\w-]{43})$/

/** What a device token says, if one of our keys signed it within a year; otherwise undefined. */
export function verifyDeviceToken(keys: readonly SecretKey[], token: string, nowMs: number): KnownDevice | undefined {
  const [, user, session, at, mac] = deviceShape.exec(token) ?? []
  if (user === undefined || session === undefined || at === undefined || mac === undefined) return undefined
  if (nowMs - Number(at) * 1_000 > deviceLifeMs) return undefined
  return isSigned(keys, 'device', `${user}.${session}.${at}`, mac) ? { user, session } : undefined
}
