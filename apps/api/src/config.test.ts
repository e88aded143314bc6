import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeSettings, generateSecretKey, readSettings } from '@flotilla/service'
import { expect, onTestFinished, test } from 'vitest'
import { apiDefaults, apiSettings, toApiSettings } from './config.ts'
import { generateTokenKey } from './sign-in/tokens.ts'

const required = {
  DATABASE_URL: 'postgres://localhost/x',
  REDIS_URL: 'redis://localhost',
  MASTER_KEYS: generateSecretKey('m'),
  TICKET_KEYS: generateSecretKey('t'),
  REFRESH_KEYS: generateSecretKey('r'),
  TOKEN_KEYS: generateTokenKey(),
}

test('what must be given is enough, and the rest takes its default', () => {
  const values = readSettings(apiSettings, required)
  expect(values.TOKEN_KEYS).toHaveLength(1)
  expect(toApiSettings(values)).toEqual(apiDefaults)
  expect(apiDefaults.accessTokenLifeMs).toBe(600_000)
})

test('token keys may be PEM in the environment itself', () => {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  expect(readSettings(apiSettings, { ...required, TOKEN_KEYS: pem }).TOKEN_KEYS).toHaveLength(1)
})

test('regions and gateways are read from their lists', () => {
  const values = readSettings(apiSettings, {
    ...required,
    REGIONS: 'eu:50.1:8.7, us:39:-77.5',
    GATEWAY_URLS: 'eu=wss://eu.example/v1/socket,wss://example/v1/socket?a=b',
  })
  expect(values.REGIONS).toEqual([
    { name: 'eu', lat: 50.1, lon: 8.7 },
    { name: 'us', lat: 39, lon: -77.5 },
  ])
  expect(values.GATEWAY_URLS).toEqual([
    { region: 'eu', url: 'wss://eu.example/v1/socket' },
    { region: 'local', url: 'wss://example/v1/socket?a=b' },
  ])
})

test('token keys may lie in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-api-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'keys.json'), `{"keys":[${generateTokenKey()},${generateTokenKey()}]}`)
  expect(readSettings(apiSettings, { ...required, TOKEN_KEYS: join(folder, 'keys.json') }).TOKEN_KEYS).toHaveLength(2)
})

test('mistakes are named together, without the secrets', () => {
  const read = () =>
    readSettings(apiSettings, {
      ...required,
      GATEWAY_URLS: 'https://example',
      REGIONS: 'eu',
      REFRESH_KEYS: 'r:hunter2',
      TOKEN_KEYS: '/nonexistent',
    })
  expect(read).toThrow(/REGIONS must be .*GATEWAY_URLS must begin with ws.*REFRESH_KEYS .*TOKEN_KEYS .*ENOENT/)
  expect(read).not.toThrow(/hunter2/)
})

test('no secret has a default, and none is shown in the docs', () => {
  expect(describeSettings(apiSettings)).toMatch(/\| `TOKEN_KEYS` \| secret \| \*\*required\*\* \|/)
})

test.each([
  [{}, 'localhost', ['http://localhost:8080']],
  [{ PORT: '9000', ALLOWED_ORIGINS: '*' }, 'localhost', ['http://localhost:9000']],
  [{ ALLOWED_ORIGINS: 'https://chat.example' }, 'chat.example', ['https://chat.example']],
  [
    { ALLOWED_ORIGINS: 'https://other.example', WEBAUTHN_ORIGINS: 'https://chat.example, https://beta.chat.example' },
    'chat.example',
    ['https://chat.example', 'https://beta.chat.example'],
  ],
  [
    {
      WEBAUTHN_ORIGINS: `android:apk-key-hash:${'x'.repeat(43)},https://app.chat.example`,
      WEBAUTHN_RP_ID: 'chat.example',
    },
    'chat.example',
    [`android:apk-key-hash:${'x'.repeat(43)}`, 'https://app.chat.example'],
  ],
])('passkeys are for the pages of %j', (given, rpId, origins) => {
  const { webauthn } = toApiSettings(readSettings(apiSettings, { ...required, ...given }))
  expect(webauthn).toEqual({ rpId, origins, rpName: 'Flotilla' })
})

test('origins of passkeys are origins', () => {
  const read = (origins: string) => readSettings(apiSettings, { ...required, WEBAUTHN_ORIGINS: origins })
  for (const origin of ['chat.example', 'https://chat.example/', 'https://chat.example/page', '*'])
    expect(() => read(origin)).toThrow(/WEBAUTHN_ORIGINS must be origins/)
})

test('the header of the country is the name of one, in whatever letters', () => {
  const read = (COUNTRY_HEADER: string) => readSettings(apiSettings, { ...required, COUNTRY_HEADER })
  expect(toApiSettings(read('CF-IPCountry')).countryHeader).toBe('cf-ipcountry')
  expect(apiDefaults.countryHeader).toBeUndefined()
  expect(() => read('x: y')).toThrow(/COUNTRY_HEADER.*must be the name of a header/)
})
