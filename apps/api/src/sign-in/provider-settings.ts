/** Where people can come from and go back to: the settings of the sign-in providers. */
import { isIP } from 'node:net'
import { flag, optionalText, type Setting, secret, type Values } from '@flotilla/service'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'

interface ProviderIdentity {
  /** In URLs, and on the identity: never changed once people have come from there. */
  readonly name: string
  /** For the button. */
  readonly title: string
  readonly clientId: string
  readonly clientSecret: string
}

/** Everything else is found out by discovery. */
export interface OpenIdSettings extends ProviderIdentity {
  readonly kind: 'openid'
  readonly issuer: string
  readonly scopes: string
  /** Whether `email_verified` of this provider is believed. */
  readonly trustEmail: boolean
}

/** OAuth 2 alone, with an API to ask who it was. */
export interface GitHubSettings extends ProviderIdentity {
  readonly kind: 'github'
  /** Of the identities. */
  readonly issuer: string
  /** What GitHub calls itself in `iss` of its answers (RFC 9207). */
  readonly responseIssuer: string
  readonly authorizationUrl: string
  readonly tokenUrl: string
  readonly apiUrl: string
  /** Whether the addresses that GitHub calls verified are believed. */
  readonly trustEmail: boolean
}

export type ProviderSettings = OpenIdSettings | GitHubSettings

const scopesDefault = 'openid profile email'

const google = {
  kind: 'openid',
  name: 'google',
  title: 'Google',
  issuer: 'https://accounts.google.com',
  scopes: scopesDefault,
} as const

export const github = {
  kind: 'github',
  name: 'github',
  title: 'GitHub',
  issuer: 'https://github.com',
  responseIssuer: 'https://github.com/login/oauth',
  authorizationUrl: 'https://github.com/login/oauth/authorize',
  tokenUrl: 'https://github.com/login/oauth/access_token',
  apiUrl: 'https://api.github.com',
} as const

const providersMax = 20
const textMax = { minLength: 1, maxLength: 512 }
const providerName = '^[a-z0-9][a-z0-9-]{0,31}$'

const OpenIdProviders = Type.Array(
  Type.Object(
    {
      name: Type.String({ pattern: providerName }),
      title: Type.String({ minLength: 1, maxLength: 60 }),
      issuer: Type.String(textMax),
      clientId: Type.String(textMax),
      clientSecret: Type.String({ minLength: 1, maxLength: 4_096 }),
      scopes: Type.Optional(Type.String({ pattern: '(^| )openid( |$)', maxLength: 512 })),
      trustEmail: Type.Optional(Type.Boolean()),
    },
    { additionalProperties: false },
  ),
  { maxItems: providersMax },
)
const providersCheck = Compile(OpenIdProviders)

const isLoopback = (host: string) =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'))

/** Whether a URL may be asked without TLS: only what never leaves this machine. */
export const mayBeInsecure = (url: string) => new URL(url).protocol === 'http:' && isLoopback(new URL(url).hostname)

export const demandSecure = (url: string): string => {
  if (URL.canParse(url) && (new URL(url).protocol === 'https:' || mayBeInsecure(url))) return url
  throw new Error('must be https URLs')
}

/** @throws Error that shows nothing of what was given: it holds secrets */
function parseOpenIdProviders(text: string): readonly OpenIdSettings[] {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    throw new Error('must be JSON')
  }
  if (!providersCheck.Check(given)) {
    const [fault] = providersCheck.Errors(given)
    throw new Error(
      `must be a list of {name, title, issuer, clientId, clientSecret, scopes?, trustEmail?}: ${fault?.instancePath ?? ''} ${fault?.message ?? ''}`,
    )
  }
  const taken = new Set<string>([google.name, github.name])
  const issuers = new Set([google.issuer, github.issuer].map(issuer => new URL(issuer).href))
  return given.map(({ scopes = scopesDefault, trustEmail = false, ...one }) => {
    const issuer = new URL(demandSecure(one.issuer)).href
    if (taken.has(one.name) || issuers.has(issuer)) throw new Error('must name each provider and each issuer once')
    taken.add(one.name)
    issuers.add(issuer)
    return { kind: 'openid', ...one, scopes, trustEmail }
  })
}

function parsePublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isPlain = url?.search === '' && url.hash === '' && url.username === ''
  if (url === undefined || !isPlain || !/^https?:$/.test(url.protocol)) throw new Error('must be an https URL')
  return url.href.replace(/\/$/, '')
}

/** Schemes that run or show what stands in the URL itself. */
const dangerous = new Set(['javascript:', 'data:', 'vbscript:', 'blob:', 'file:', 'about:'])

function parseReturnUrls(text: string): readonly string[] {
  const urls = text.split(',').map(part => part.trim())
  for (const url of urls) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined
    if (parsed === undefined || dangerous.has(parsed.protocol) || parsed.search !== '' || parsed.hash !== '')
      throw new Error('must be URLs without query and fragment')
  }
  return urls
}

const optional = <T, D>(
  type: string,
  parse: (text: string) => T,
  description: string,
  fallback: D,
  isSecret = false,
): Setting<T | D> => ({ type, description, default: fallback, required: false, secret: isSecret, parse })

const trustSentence = (name: string) =>
  `Whether to trust the addresses that ${name} calls verified: accounts get them, and an account here with the same verified address is linked.`

export const providerSettings = {
  PUBLIC_URL: optional(
    'URL',
    parsePublicUrl,
    'The URL at which browsers reach this API. Sign-in providers send people back there: register `PUBLIC_URL/v1/providers/{name}/callback` with them.',
    undefined,
  ),
  RETURN_URLS: optional(
    'comma-separated list of URLs',
    parseReturnUrls,
    'Where people may be sent after signing in at a provider: origins, or URLs that stand for everything below them; an app’s own scheme too. Pages of PUBLIC_URL’s origin are always allowed.',
    [] as readonly string[],
  ),
  GOOGLE_CLIENT_ID: optionalText(
    'Of the OAuth client at Google. With its secret, and PUBLIC_URL, people can sign in with Google.',
  ),
  GOOGLE_CLIENT_SECRET: secret('Of the OAuth client at Google.'),
  GOOGLE_TRUST_EMAIL: flag(false, trustSentence('Google')),
  GITHUB_CLIENT_ID: optionalText(
    'Of the OAuth app at GitHub. With its secret, and PUBLIC_URL, people can sign in with GitHub.',
  ),
  GITHUB_CLIENT_SECRET: secret('Of the OAuth app at GitHub.'),
  GITHUB_TRUST_EMAIL: flag(false, trustSentence('GitHub')),
  OIDC_PROVIDERS: optional(
    'secret',
    parseOpenIdProviders,
    'Other providers that speak OpenID Connect, as JSON: `[{"name", "title", "issuer", "clientId", "clientSecret", "scopes"?, "trustEmail"?}]`. The name appears in URLs and must never change. `trustEmail: true` trusts the addresses that the provider calls verified, and links an account here with the same verified address. Use it only for a provider that verifies addresses and never reassigns them.',
    [] as readonly OpenIdSettings[],
    true,
  ),
}

export type ProviderValues = Values<typeof providerSettings>

/**
 * @param publicUrl where browsers come back to
 * @throws Error when half of something is configured
 */
export function toProviders(
  values: Omit<ProviderValues, 'PUBLIC_URL' | 'RETURN_URLS'>,
  publicUrl: string | undefined,
): readonly ProviderSettings[] {
  const pair = (name: 'GOOGLE' | 'GITHUB') => {
    const clientId = values[`${name}_CLIENT_ID`]
    const clientSecret = values[`${name}_CLIENT_SECRET`]
    if ((clientId === undefined) !== (clientSecret === undefined))
      throw new Error(`unable to start: ${name}_CLIENT_ID and ${name}_CLIENT_SECRET must be set together`)
    const trustEmail = values[`${name}_TRUST_EMAIL`]
    return clientId === undefined || clientSecret === undefined ? [] : [{ clientId, clientSecret, trustEmail }]
  }
  const providers = [
    ...pair('GOOGLE').map(credentials => ({ ...google, ...credentials })),
    ...pair('GITHUB').map(credentials => ({ ...github, ...credentials })),
    ...values.OIDC_PROVIDERS,
  ]
  if (providers.length > 0 && publicUrl === undefined)
    throw new Error('unable to start: PUBLIC_URL is missing: sign-in providers need it to send people back')
  return providers
}
