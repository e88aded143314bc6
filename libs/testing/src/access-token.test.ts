import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { createTokenSigner } from './access-token.ts'

test.each([
  ['one key', (jwk: object) => jwk],
  ['an array', (jwk: object) => [jwk]],
  ['a set', (jwk: object) => ({ keys: [jwk] })],
])('a token says who it is for and is signed by the first key: %s', (_, shape) => {
  const pair = generateKeyPairSync('ed25519')
  const keys = JSON.stringify(shape({ ...pair.privateKey.export({ format: 'jwk' }), kid: 'k1' }))
  const token = createTokenSigner({ keys, issuer: 'i', audience: 'a' })({ user: 'u', session: 's' })
  const [header, claims, signature] = token.split('.') as [string, string, string]
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
  expect(read(header)).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: 'k1' })
  expect(read(claims)).toMatchObject({ sub: 'u', sid: 's', iss: 'i', aud: 'a' })
  expect(read(claims)['exp']).toBeGreaterThan(Date.now() / 1_000 + 60)
  const signed = Buffer.from(`${header}.${claims}`)
  expect(
    verify(
      null,
      signed,
      createPublicKey(pair.publicKey.export({ format: 'pem', type: 'spki' })),
      Buffer.from(signature, 'base64url'),
    ),
  ).toBe(true)
})

test('a key as PEM has the name that the API gives it: its thumbprint', () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const keys = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  const token = createTokenSigner({ keys, issuer: 'i', audience: 'a' })({ user: 'u', session: 's' })
  const { x } = privateKey.export({ format: 'jwk' })
  const kid = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url')
  expect(JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString())).toMatchObject({ kid })
})
