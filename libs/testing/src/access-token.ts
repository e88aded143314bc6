/** Access tokens like those of the API, signed with the deployment's own key: thousands of people need not sign in first. */
import { createHash, createPrivateKey, type JsonWebKey, sign } from 'node:crypto'

export interface TokenSettings {
  /** TOKEN_KEYS of the API: JSON (one JWK, an array or a set) or PEM; the first signs. */
  readonly keys: string
  readonly issuer: string
  readonly audience: string
}

export interface TokenSubject {
  readonly user: string
  readonly session: string
}

const lifeSeconds = 600
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** The first key. */
function readKey(text: string): JsonWebKey {
  if (text.includes('-----BEGIN ')) return createPrivateKey(text).export({ format: 'jwk' })
  const parsed = JSON.parse(text) as JsonWebKey | JsonWebKey[] | { keys: JsonWebKey[] }
  const listed = !Array.isArray(parsed) && 'keys' in parsed ? parsed.keys : parsed
  const [first] = [listed].flat() as JsonWebKey[]
  if (first === undefined) throw new Error('unable to sign access tokens: there is no key')
  return first
}

/** RFC 7638: what the API calls a key that has no name. */
const thumbprint = ({ crv, kty, x }: JsonWebKey) =>
  createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url')

/** @returns what makes a fresh token for somebody */
export function createTokenSigner(settings: TokenSettings): (subject: TokenSubject) => string {
  const jwk = readKey(settings.keys)
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  const header = encode({ alg: 'EdDSA', typ: 'at+jwt', kid: jwk['kid'] ?? thumbprint(jwk) })
  return ({ user, session }) => {
    const nowSeconds = Math.floor(Date.now() / 1_000)
    const claims = {
      sub: user,
      sid: session,
      iat: nowSeconds,
      exp: nowSeconds + lifeSeconds,
      iss: settings.issuer,
      aud: settings.audience,
    }
    const signed = `${header}.${encode(claims)}`
    return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`
  }
}
