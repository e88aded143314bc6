import { generateKeyPairSync } from 'node:crypto'
import { generateSecretKey, parseSecretKeys } from '@flotilla/service'
import { expect, test } from 'vitest'
import {
  generateTokenKey,
  parseTokenKeys,
  signDeviceToken,
  signRefreshToken,
  verifyDeviceToken,
  verifyRefreshToken,
} from './tokens.ts'

const session = '00000000-0000-4000-8000-000000000001'
const [old, current] = [generateSecretKey('k1'), generateSecretKey('k2')]

test('a refresh token tells its session and number, also after its key was rotated', () => {
  const token = signRefreshToken(parseSecretKeys(old), session, 7)
  expect(verifyRefreshToken(parseSecretKeys(old), token)).toEqual({ session, number: 7 })
  expect(verifyRefreshToken(parseSecretKeys(`${current},${old}`), token)).toEqual({ session, number: 7 })
  expect(verifyRefreshToken(parseSecretKeys(current), token)).toBeUndefined()
})

test('a refresh token that was altered anywhere is refused', () => {
  const keys = parseSecretKeys(current)
  const token = signRefreshToken(keys, session, 7)
  for (let at = 0; at < token.length - 1; at++) {
    const letter = token[at] === '1' ? '2' : '1'
    expect(verifyRefreshToken(keys, token.slice(0, at) + letter + token.slice(at + 1))).toBeUndefined()
  }
  for (const text of ['', '.', '...', `${session}.0.x`, `${token}.`, 'x'.repeat(256)])
    expect(verifyRefreshToken(keys, text)).toBeUndefined()
})

test('a device token tells who signed in where, for a year, and is no refresh token', () => {
  const keys = parseSecretKeys(current)
  const device = { user: '00000000-0000-4000-8000-000000000002', session }
  const token = signDeviceToken(keys, device, 1_000)
  const yearMs = 365 * 86_400_000
  expect(verifyDeviceToken(keys, token, yearMs)).toEqual(device)
  expect(verifyDeviceToken(keys, token, yearMs + 2_000)).toBeUndefined()
  expect(verifyDeviceToken(parseSecretKeys(old), token, 1_000)).toBeUndefined()
  expect(verifyRefreshToken(keys, token)).toBeUndefined()
  for (const text of ['', token.replace('.1.', '.2.'), signRefreshToken(keys, session, 1)])
    expect(verifyDeviceToken(keys, text, 1_000)).toBeUndefined()
})

test('token keys come as a JWK, as an array and as a set, and only public parts are for publishing', () => {
  const [first, second] = [generateTokenKey(), generateTokenKey()]
  expect(parseTokenKeys(first)).toHaveLength(1)
  expect(parseTokenKeys(`[${first},${second}]`)).toHaveLength(2)
  const keys = parseTokenKeys(`{"keys":[${first},${second}]}`)
  expect(keys.map(key => key.publicJwk.kid)).toEqual([first, second].map(text => JSON.parse(text).kid))
  expect(Object.keys(keys[0]?.publicJwk ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
})

test('token keys come as PEM too, one block after the other, and have the name of their content', () => {
  const [first, second] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
  const pem = first.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const retired = second.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const keys = parseTokenKeys(`${pem}\n# retired in May\n${retired}`)
  expect(keys.map(key => key.publicJwk.x)).toEqual(
    [first, second].map(pair => pair.publicKey.export({ format: 'jwk' }).x),
  )
  expect(keys.map(key => key.privatePem)).toEqual([pem, undefined])
  expect(parseTokenKeys(JSON.stringify(first.privateKey.export({ format: 'jwk' })))[0]?.id).toBe(keys[0]?.id)
  expect(() => parseTokenKeys(retired)).toThrow(/the first must be a private key/)
})

test('a retired key may come without its private half, the one that signs may not', () => {
  const [first, second] = [generateTokenKey(), generateTokenKey()]
  const retired = JSON.stringify({ ...JSON.parse(second), d: undefined })
  expect(parseTokenKeys(`[${first},${retired}]`)[1]?.privatePem).toBeUndefined()
  expect(() => parseTokenKeys(`[${retired},${first}]`)).toThrow(/the first must be a private key/)
})

test.each([
  ['not JSON', 'x'],
  [
    'PEM of another kind of key',
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  ],
  ['PEM that is no key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'],
  ['PEM of a certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ['another kind of key', '{"kty":"oct","k":"AAAA"}'],
  ['the same key twice', (key => `[${key},${key}]`)(generateTokenKey())],
  ['a kid that is no name', JSON.stringify({ ...JSON.parse(generateTokenKey()), kid: 'a b' })],
  [
    'two halves of different keys',
    JSON.stringify({ ...JSON.parse(generateTokenKey()), x: JSON.parse(generateTokenKey()).x }),
  ],
])('%s is refused as token keys, and the message holds no key', (_name, text) => {
  const { d } = text.startsWith('{') ? JSON.parse(text) : { d: undefined }
  expect(() => parseTokenKeys(text)).toThrow(/unable to read token keys/)
  if (d !== undefined) expect(() => parseTokenKeys(text)).not.toThrow(d)
})
