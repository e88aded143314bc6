import { readSettings } from '@flotilla/service'
import { expect, test } from 'vitest'
import { providerSettings, toProviders } from './provider-settings.ts'

const provider = {
  name: 'corp',
  title: 'The company',
  issuer: 'https://id.example.org',
  clientId: 'flotilla',
  clientSecret: 'hunter2',
}
const PUBLIC_URL = 'https://chat.example.org/'
const read = (given: Record<string, string>) => {
  const values = readSettings(providerSettings, given)
  return toProviders(values, values.PUBLIC_URL)
}
const readOidc = (...providers: object[]) => read({ PUBLIC_URL, OIDC_PROVIDERS: JSON.stringify(providers) })

test('without settings there are no providers', () => {
  expect(read({})).toEqual([])
})

test('Google and GitHub take an id and a secret, any other provider its issuer too', () => {
  const providers = read({
    PUBLIC_URL,
    GOOGLE_CLIENT_ID: 'g',
    GOOGLE_CLIENT_SECRET: 'gs',
    GITHUB_CLIENT_ID: 'h',
    GITHUB_CLIENT_SECRET: 'hs',
    OIDC_PROVIDERS: JSON.stringify([provider]),
  })
  expect(providers).toMatchObject([
    { kind: 'openid', name: 'google', issuer: 'https://accounts.google.com', clientId: 'g', trustEmail: false },
    { kind: 'github', name: 'github', issuer: 'https://github.com', clientSecret: 'hs', trustEmail: false },
    { kind: 'openid', ...provider, scopes: 'openid profile email', trustEmail: false },
  ])
  // Addresses are believed where that is said, provider by provider.
  expect(
    read({ PUBLIC_URL, GITHUB_CLIENT_ID: 'h', GITHUB_CLIENT_SECRET: 'hs', GITHUB_TRUST_EMAIL: 'true' }),
  ).toMatchObject([{ name: 'github', trustEmail: true }])
  expect(readOidc({ ...provider, trustEmail: true })).toMatchObject([{ trustEmail: true }])
  expect(readSettings(providerSettings, { PUBLIC_URL }).PUBLIC_URL).toBe('https://chat.example.org')
})

test('an issuer on this machine may do without TLS', () => {
  for (const issuer of ['http://localhost:8080/realm', 'http://127.0.0.1:9', 'http://[::1]:9'])
    expect(readOidc({ ...provider, issuer })).toMatchObject([{ issuer }])
})

test.each<[string, () => unknown, RegExp]>([
  ['half of Google', () => read({ PUBLIC_URL, GOOGLE_CLIENT_ID: 'g' }), /GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET/],
  [
    'half of GitHub',
    () => read({ PUBLIC_URL, GITHUB_CLIENT_SECRET: 'g' }),
    /GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET/,
  ],
  ['no URL to come back to', () => read({ GOOGLE_CLIENT_ID: 'g', GOOGLE_CLIENT_SECRET: 's' }), /PUBLIC_URL is missing/],
  ['no JSON', () => read({ PUBLIC_URL, OIDC_PROVIDERS: '[{"clientSecret":"hunter2"' }), /must be JSON/],
  ['no list', () => read({ PUBLIC_URL, OIDC_PROVIDERS: '{}' }), /must be a list/],
  ['an unknown field', () => readOidc({ ...provider, trustMail: true }), /must be a list of/],
  ['a missing field', () => readOidc({ ...provider, clientId: undefined }), /must be a list of/],
  ['a name for no URL', () => readOidc({ ...provider, name: '../x' }), /must be a list of/],
  ['scopes without openid', () => readOidc({ ...provider, scopes: 'email' }), /must be a list of/],
  ['an issuer without TLS', () => readOidc({ ...provider, issuer: 'http://id.example.org' }), /https/],
  ['a host that only begins like this one', () => readOidc({ ...provider, issuer: 'http://127.evil.test' }), /https/],
  ['an issuer that is no URL', () => readOidc({ ...provider, issuer: 'corp' }), /https/],
  ['a name twice', () => readOidc(provider, { ...provider, issuer: 'https://b.example.org' }), /once/],
  ['an issuer twice', () => readOidc(provider, { ...provider, name: 'b', issuer: `${provider.issuer}/` }), /once/],
  ['the name of Google', () => readOidc({ ...provider, name: 'google' }), /once/],
  ['the issuer of Google', () => readOidc({ ...provider, issuer: 'https://accounts.google.com' }), /once/],
  ['a public URL with a query', () => read({ PUBLIC_URL: 'https://x.test/?a' }), /https URL/],
  ['a scheme that runs code', () => read({ RETURN_URLS: 'https://a.test,javascript:x' }), /must be URLs/],
  ['a return URL with a fragment', () => read({ RETURN_URLS: 'https://a.test/#x' }), /must be URLs/],
])('%s is refused at the start, and no secret is shown', (_name, reading, message) => {
  expect(reading).toThrow(message)
  expect(reading).not.toThrow(/hunter2/)
})
