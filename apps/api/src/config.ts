/** The settings of the API. docs/configuration.md is generated from them. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { nodeSettings, storeSettings } from '@flotilla/node'
import { limits } from '@flotilla/protocol'
import { Uuid } from '@flotilla/protocol/schemas'
import {
  type AddressHeader,
  addressHeaders,
  budgetSettings,
  checkFileLimit,
  choice,
  fileLimit,
  flag,
  integer,
  list,
  networks,
  optionalText,
  parseHost,
  parseListenHost,
  parseOrigin,
  parseOrigins,
  requiredKeys,
  port,
  readSettings,
  type Setting,
  storageSettings,
  text,
  type Values,
  urlOf,
} from '@flotilla/service'
import { Compile } from 'typebox/compile'
import { boundSettings } from './http/bound-settings.ts'
import type { GatewayUrl } from './regions/connect.ts'
import type { GuessLimit, Limit } from './http/limits.ts'
import { type ProviderSettings, providerSettings, toProviders } from './sign-in/provider-settings.ts'
import { parseRegion, type Region } from './regions/regions.ts'
import {
  demandDomains,
  type RegistrationCheckSettings,
  registrationSettings,
  toRegistrationCheck,
} from './sign-in/registration-settings.ts'
import { parseTokenKeys } from './sign-in/tokens.ts'

const many = { min: 1, max: 1_000_000 }
const minuteMs = 60_000
const window = { min: 1_000, max: 86_400_000 }

/** A setting with a shape of its own. A required one has no default. */
const parsed = <T>(
  type: string,
  parse: (text: string) => T,
  description: string,
  options: { default?: T; secret?: boolean } = {},
): Setting<T> => ({
  type,
  description,
  default: options.default,
  required: options.default === undefined,
  secret: options.secret ?? false,
  parse,
})

const inParts =
  <T>(parse: (part: string) => T) =>
  (value: string) =>
    value
      .split(',')
      .map(part => part.trim())
      .filter(part => part !== '')
      .map(parse)

const socketUrl = urlOf({ schemes: ['ws', 'wss'], path: 'needed', query: true })
function parseGatewayUrl(part: string): GatewayUrl {
  const [, region = 'local', url = ''] = /^(?:([\w-]{1,32})=)?(.+)$/.exec(part) ?? []
  return { region, url: socketUrl(url) }
}

const isUserId = Compile(Uuid)
function parseUserId(part: string): string {
  if (!isUserId.Check(part)) throw new Error('must be user ids')
  return part
}

/** An uncompressed point on P-256, as browsers want it. */
function parseVapidKey(value: string): string {
  const bytes = Buffer.from(value, 'base64url')
  if (!/^[\w-]{87}$/.test(value) || bytes.length !== 65 || bytes[0] !== 4)
    throw new Error('must be the base64url of 65 bytes')
  return value
}

function parseHeaderName(value: string): string {
  if (!/^[\w-]{1,64}$/.test(value)) throw new Error('must be the name of a header')
  return value.toLowerCase()
}

/** As browsers write an origin, or as Android names an app. */
const parsePasskeyOrigin = (part: string) => (/^android:apk-key-hash:[\w-]{43}$/.test(part) ? part : parseOrigin(part))

/** The keys themselves, or the path of the file that holds them. */
const keysOrFile = (value: string) =>
  parseTokenKeys(/^\s*([[{]|-----BEGIN )/.test(value) ? value : readFileSync(value, 'utf8'))

export const apiSettings = {
  HOST: { ...text('0.0.0.0', 'The address to listen on for clients.'), parse: parseListenHost },
  PORT: port(8080, 'The port to listen on for clients.'),
  ...nodeSettings({ id: `api-${hostname()}`, operatorPort: 9080 }),
  REGIONS: parsed(
    'comma-separated list of name:latitude:longitude',
    inParts(parseRegion),
    'All regions with their positions, when there are several: callers get the gateways of the nearest first.',
    { default: [] as readonly Region[] },
  ),
  GEO_DATA_FOLDER: optionalText(
    'A folder with newer `geoip-country.dat` and `geoip-country6.dat` of geoip-lite: used for the nearest region, and for the country in the list of sign-ins.',
  ),
  GATEWAY_URLS: parsed(
    'comma-separated list of region=URL',
    inParts(parseGatewayUrl),
    'The gateways that `GET /v1/connect` returns while Redis lists none.',
    { default: [] as readonly GatewayUrl[] },
  ),
  DATABASE_CONNECTIONS_MAX: integer(
    10,
    { min: 3, max: 200 },
    'Connections to PostgreSQL. One of them carries all sends.',
  ),
  DATABASE_PERSON_PERCENT: integer(
    25,
    { min: 1, max: 100 },
    'The share of DATABASE_CONNECTIONS_MAX that one person’s requests may hold at once; at least one connection. Further requests wait.',
  ),
  TICKET_KEYS: requiredKeys(
    'Keys of the one-time tickets, in the same form, the same as the gateways’; the first signs, all verify.',
  ),
  REFRESH_KEYS: requiredKeys(
    'Keys of the refresh tokens, in the same form; the first signs, all verify. Dropping one signs out whoever has not refreshed since.',
  ),
  TOKEN_KEYS: parsed(
    'secret',
    keysOrFile,
    'Ed25519 keys of the access tokens: JSON (a JWK, an array, or a JWK set), PEM, or the path of a file with one of them; the first signs, all verify and are published.',
    { secret: true },
  ),
  TOKEN_ISSUER: text('flotilla', '`iss` of the access tokens.'),
  TOKEN_AUDIENCE: text('flotilla', '`aud` of the access tokens.'),
  ACCESS_TOKEN_LIFE_MS: integer(
    10 * minuteMs,
    { min: 10_000, max: 60 * minuteMs },
    'How long an access token is valid.',
  ),
  COOKIE_SECURE: flag(
    true,
    'Whether the refresh cookie is sent over HTTPS only. Turn it off only for trials without HTTPS.',
  ),
  ALLOWED_ORIGINS: {
    ...list(
      [],
      'Origins of web pages that may call the API: `https://chat.example`; `*` for any, but then without cookies. Empty: same origin only.',
    ),
    parse: parseOrigins,
  },
  TRUSTED_PROXIES: networks(
    'Addresses or networks of the proxies in front, whose ADDRESS_HEADER is trusted. Empty: the peer is the caller.',
  ),
  ADDRESS_HEADER: choice(
    addressHeaders,
    'x-forwarded-for',
    'The header in which these proxies name the caller; `forwarded` is that of RFC 7239. The other one is ignored.',
  ),
  COUNTRY_HEADER: {
    ...optionalText(
      'The header in which these proxies name the caller’s country, and which they strip from requests: `x-flotilla-country` behind the edge. Unset: the country is looked up by address.',
    ),
    parse: parseHeaderName,
  },
  ...storageSettings,
  ...boundSettings,
  OPERATORS: parsed(
    'comma-separated list of user ids',
    inParts(parseUserId),
    'Ids of the people who may call the routes under /v1/operator. Ids, because a username can change hands.',
    { default: [] as readonly string[] },
  ),
  VAPID_PUBLIC_KEY: {
    ...optionalText(
      'The public key of Web Push, for browsers that subscribe; the private key is a setting of the worker.',
    ),
    parse: parseVapidKey,
  },
  WEB_PUSH_HOSTS: parsed(
    'comma-separated list of hosts',
    inParts(parseHost),
    'The push services of browsers, each with its subdomains. Web pushes go nowhere else.',
    {
      default: [
        'fcm.googleapis.com',
        'push.services.mozilla.com',
        'notify.windows.com',
        'push.apple.com',
      ] as readonly string[],
    },
  ),
  WEBAUTHN_RP_ID: optionalText(
    'The domain that passkeys belong to: the host of all WEBAUTHN_ORIGINS, or a suffix of theirs. It can never change: that would invalidate all passkeys. Unset: the host of the first origin.',
  ),
  WEBAUTHN_ORIGINS: parsed(
    'comma-separated list of origins',
    inParts(parsePasskeyOrigin),
    'The pages and apps that passkeys are used in: `https://chat.example`, `android:apk-key-hash:…`. Empty: those of ALLOWED_ORIGINS, or else `http://localhost` at PORT.',
    { default: [] as readonly string[] },
  ),
  WEBAUTHN_RP_NAME: text('Flotilla', 'The name of this deployment in passkeys and authenticator apps.'),
  ...providerSettings,
  PROVIDER_MS_MAX: integer(
    5_000,
    { min: 100, max: 60_000 },
    'How long a sign-in provider, or a captcha server, may take to answer. One sign-in asks a provider up to four times.',
  ),
  PROVIDER_SIGN_INS_MAX: integer(60, many, 'Provider sign-ins started from one address within the window.'),
  PROVIDER_SIGN_IN_WINDOW_MS: integer(15 * minuteMs, window, 'The window of PROVIDER_SIGN_INS_MAX.'),
  ...budgetSettings,
  REQUESTS_MAX: integer(600, many, 'Requests of one address within the window.'),
  REQUEST_WINDOW_MS: integer(minuteMs, window, 'The window of REQUESTS_MAX.'),
  SIGN_INS_MAX: integer(15, many, 'Attempts to sign in to one account from one address within the window.'),
  SIGN_IN_WINDOW_MS: integer(15 * minuteMs, window, 'The window of SIGN_INS_MAX.'),
  GUESSES_MAX: integer(
    20,
    many,
    'Wrong passwords for one name, from all addresses together, within the window. Beyond it one attempt at a time is let through, after one second, two, four; a device that has signed in to the account before has a count of its own.',
  ),
  GUESS_WINDOW_MS: integer(24 * 60 * minuteMs, window, 'The window of GUESSES_MAX.'),
  GUESS_WAIT_MS_MAX: integer(15 * minuteMs, window, 'The longest wait between two such attempts.'),
  FACTOR_TRIES_MAX: integer(
    30,
    many,
    'Second factors tried for one account, from any address, within the window; devices that have signed in to it, and the reauthentications of each session, are counted separately.',
  ),
  FACTOR_TRY_WINDOW_MS: integer(15 * minuteMs, window, 'The window of FACTOR_TRIES_MAX.'),
  CEREMONIES_MAX: integer(60, many, 'Passkey ceremonies started from one address within the window.'),
  CEREMONY_WINDOW_MS: integer(minuteMs, window, 'The window of CEREMONIES_MAX.'),
  ...registrationSettings,
  REGISTRATIONS_MAX: integer(20, many, 'Registrations from one address within the window.'),
  REGISTRATION_WINDOW_MS: integer(60 * minuteMs, window, 'The window of REGISTRATIONS_MAX.'),
  SEARCHES_MAX: integer(30, many, 'Searches for people by one person within the window.'),
  SEARCHES_AT_ONCE_MAX: integer(
    2,
    { min: 1, max: 100 },
    'Searches running at once. Each holds one of DATABASE_CONNECTIONS_MAX; the others stay free of searches.',
  ),
  SEARCH_WINDOW_MS: integer(minuteMs, window, 'The window of SEARCHES_MAX.'),
  PICTURES_MAX: integer(60, many, 'Steps of an avatar change by one person within the window.'),
  PICTURE_WINDOW_MS: integer(60 * minuteMs, window, 'The window of PICTURES_MAX.'),
  PICTURES_AT_ONCE_MAX: integer(
    2,
    { min: 1, max: 64 },
    'Pictures decoded at once. One takes a core for up to a second, and up to 160 MB.',
  ),
  PICTURES_QUEUE_MAX: integer(
    20,
    { min: 0, max: 1_000 },
    'Pictures waiting to be decoded, of up to 5 MB each; more are told to retry later.',
  ),
  LINK_TRIES_MAX: integer(60, many, 'Invite links of groups that one person looks at or joins by within the window.'),
  LINK_TRY_WINDOW_MS: integer(60 * minuteMs, window, 'The window of LINK_TRIES_MAX.'),
  CONTACT_REQUESTS_MAX: integer(30, many, 'Contact requests sent by one person within the window.'),
  CONTACT_REQUEST_WINDOW_MS: integer(60 * minuteMs, window, 'The window of CONTACT_REQUESTS_MAX.'),
  REPORTS_MAX: integer(20, many, 'Reports by one person within the window.'),
  REPORT_WINDOW_MS: integer(24 * 60 * minuteMs, window, 'The window of REPORTS_MAX.'),
  CODES_MAX: integer(20, many, 'Mail codes requested from one network address within the window.'),
  CODES_PER_EMAIL_MAX: integer(
    10,
    many,
    'Codes sent to one mail address within the window; at most half of them for one network address. Once strangers have used them up, its owner gets as many more from where they have been signed in, and twice as many go out for network addresses that ask for the first time.',
  ),
  CODE_WINDOW_MS: integer(60 * minuteMs, window, 'The window of CODES_MAX and CODES_PER_EMAIL_MAX.'),
  ACCOUNT_CHANGES_MAX: integer(
    30,
    many,
    'Changes to the sign-in methods of an account by one person within the window; the owner gets mail about each.',
  ),
  ACCOUNT_CHANGE_WINDOW_MS: integer(15 * minuteMs, window, 'The window of ACCOUNT_CHANGES_MAX.'),
  SECURITY_MAIL_WINDOW_MS: integer(
    5 * minuteMs,
    { min: 0, max: 86_400_000 },
    'After a security mail about an account, further events are gathered for this long and sent in one mail at the end.',
  ),
  USERNAME_CHANGES_MAX: integer(5, many, 'Username changes by one person within the window.'),
  USERNAME_CHANGE_WINDOW_MS: integer(24 * 60 * minuteMs, window, 'The window of USERNAME_CHANGES_MAX.'),
  DEPLOYMENT_NAME: text('Flotilla', 'The name of the deployment. No password may be it.'),
  MAIL: flag(true, 'Whether a worker sends mail. Without mail nobody can verify an address or sign in with a code.'),
  EXPORTS_MAX: integer(2, many, 'Exports of their own data that one person may fetch within the window.'),
  EXPORT_WINDOW_MS: integer(86_400_000, window, 'The window of EXPORTS_MAX.'),
  REQUESTS_IN_FLIGHT_MAX: integer(
    1_000,
    many,
    'Requests in progress at once, their bodies read; more are told to retry later.',
  ),
  REQUESTS_PER_ADDRESS_MAX: integer(
    100,
    many,
    'Open requests of one address, including those whose body has not arrived.',
  ),
  HTTP_CONNECTIONS_PER_ADDRESS_MAX: integer(
    256,
    many,
    'Connections of one address, in use or idle. Those of TRUSTED_PROXIES are not counted.',
  ),
  EVENT_LOOP_DELAY_MS_MAX: integer(
    300,
    { min: 10, max: 60_000 },
    'When the event-loop delay, averaged over half a second, exceeds this, requests are told to retry later.',
  ),
  HEADERS_MS_MAX: integer(
    10_000,
    { min: 100, max: 600_000 },
    'How long a client may take to send the headers of a request, counted from the start of the connection.',
  ),
  BODY_MS_MAX: integer(
    10_000,
    { min: 100, max: 600_000 },
    'How long a body may take to arrive after its headers. For a picture, REQUEST_MS_MAX applies.',
  ),
  REQUEST_MS_MAX: integer(
    30_000,
    { min: 1_000, max: 600_000 },
    'How long a client may take to send a request, and how long a connection may be silent within one.',
  ),
  DRAIN_WAIT_MS: integer(
    3_000,
    { min: 0, max: 600_000 },
    'On SIGTERM, how long the process reports not ready and keeps working, until the proxies have noticed.',
  ),
}

/** Whom passkeys are made for, and where they may be used. */
export interface WebauthnSettings {
  readonly rpId: string
  readonly origins: readonly string[]
  readonly rpName: string
}

/** The numbers and names that the app works by. */
export interface ApiSettings {
  readonly region: string
  readonly regions: readonly Region[]
  readonly gatewayUrls: readonly GatewayUrl[]
  /** That of these URLs whose host is the one that the caller has come by; none in a fleet. */
  readonly urlByHost: string | undefined
  readonly issuer: string
  readonly audience: string
  readonly accessTokenLifeMs: number
  readonly cookieSecure: boolean
  /** An expression stands for all that it matches; `*` for every one. */
  readonly allowedOrigins: readonly (string | RegExp)[]
  readonly trustedProxies: readonly string[]
  readonly addressHeader: AddressHeader
  /** In small letters. */
  readonly countryHeader: string | undefined
  readonly operators: readonly string[]
  readonly bodyBytesMax: number
  readonly headersMsMax: number
  readonly bodyMsMax: number
  readonly requestMsMax: number
  readonly requestsMax: number
  readonly requestWindowMs: number
  readonly signIns: Limit
  readonly guesses: GuessLimit
  readonly factorTries: Limit
  readonly ceremonies: Limit
  readonly webauthn: WebauthnSettings
  readonly registrations: Limit
  readonly registrationCheck: RegistrationCheckSettings
  readonly searches: Limit
  readonly pictures: Limit
  readonly linkTries: Limit
  readonly picturesAtOnceMax: number
  readonly picturesQueueMax: number
  readonly contactRequests: Limit
  readonly reports: Limit
  readonly exports: Limit
  readonly vapidPublicKey: string | undefined
  readonly webPushHosts: readonly string[]
  /** Of one address of the network. */
  readonly codes: Limit
  readonly codesPerEmail: Limit
  readonly accountChanges: Limit
  readonly usernameChanges: Limit
  /** Under which browsers reach this API; needed only where there are providers. */
  readonly publicUrl: string | undefined
  readonly returnUrls: readonly string[]
  readonly providers: readonly ProviderSettings[]
  readonly providerMsMax: number
  readonly providerSignIns: Limit
  readonly requestsInFlightMax: number
  readonly requestsPerAddressMax: number
  readonly httpConnectionsPerAddressMax: number
  readonly eventLoopDelayMsMax: number
}

type ApiValues = Values<typeof apiSettings>

/** The part of the process's settings that the app works by. */
export const toApiSettings = (values: ApiValues): ApiSettings => ({
  region: values.REGION,
  regions: values.REGIONS,
  gatewayUrls: values.GATEWAY_URLS,
  urlByHost: undefined,
  issuer: values.TOKEN_ISSUER,
  audience: values.TOKEN_AUDIENCE,
  accessTokenLifeMs: values.ACCESS_TOKEN_LIFE_MS,
  cookieSecure: values.COOKIE_SECURE,
  allowedOrigins: values.ALLOWED_ORIGINS,
  trustedProxies: values.TRUSTED_PROXIES,
  addressHeader: values.ADDRESS_HEADER,
  countryHeader: values.COUNTRY_HEADER,
  operators: values.OPERATORS,
  // What the socket takes in one frame, REST takes in one body.
  bodyBytesMax: limits.frameBytesMax,
  headersMsMax: Math.min(values.HEADERS_MS_MAX, values.REQUEST_MS_MAX),
  bodyMsMax: values.BODY_MS_MAX,
  requestMsMax: values.REQUEST_MS_MAX,
  requestsMax: values.REQUESTS_MAX,
  requestWindowMs: values.REQUEST_WINDOW_MS,
  signIns: { max: values.SIGN_INS_MAX, windowMs: values.SIGN_IN_WINDOW_MS },
  guesses: { max: values.GUESSES_MAX, windowMs: values.GUESS_WINDOW_MS, waitMsMax: values.GUESS_WAIT_MS_MAX },
  factorTries: { max: values.FACTOR_TRIES_MAX, windowMs: values.FACTOR_TRY_WINDOW_MS },
  ceremonies: { max: values.CEREMONIES_MAX, windowMs: values.CEREMONY_WINDOW_MS },
  webauthn: webauthnOf(values),
  registrations: { max: values.REGISTRATIONS_MAX, windowMs: values.REGISTRATION_WINDOW_MS },
  registrationCheck: toRegistrationCheck(values, values.PROVIDER_MS_MAX),
  searches: { max: values.SEARCHES_MAX, windowMs: values.SEARCH_WINDOW_MS },
  pictures: { max: values.PICTURES_MAX, windowMs: values.PICTURE_WINDOW_MS },
  linkTries: { max: values.LINK_TRIES_MAX, windowMs: values.LINK_TRY_WINDOW_MS },
  picturesAtOnceMax: values.PICTURES_AT_ONCE_MAX,
  picturesQueueMax: values.PICTURES_QUEUE_MAX,
  contactRequests: { max: values.CONTACT_REQUESTS_MAX, windowMs: values.CONTACT_REQUEST_WINDOW_MS },
  reports: { max: values.REPORTS_MAX, windowMs: values.REPORT_WINDOW_MS },
  exports: { max: values.EXPORTS_MAX, windowMs: values.EXPORT_WINDOW_MS },
  vapidPublicKey: values.VAPID_PUBLIC_KEY,
  webPushHosts: values.WEB_PUSH_HOSTS,
  codes: { max: values.CODES_MAX, windowMs: values.CODE_WINDOW_MS },
  codesPerEmail: { max: values.CODES_PER_EMAIL_MAX, windowMs: values.CODE_WINDOW_MS },
  accountChanges: { max: values.ACCOUNT_CHANGES_MAX, windowMs: values.ACCOUNT_CHANGE_WINDOW_MS },
  usernameChanges: { max: values.USERNAME_CHANGES_MAX, windowMs: values.USERNAME_CHANGE_WINDOW_MS },
  publicUrl: values.PUBLIC_URL,
  returnUrls: values.RETURN_URLS,
  providers: toProviders(values, values.PUBLIC_URL),
  providerMsMax: values.PROVIDER_MS_MAX,
  providerSignIns: { max: values.PROVIDER_SIGN_INS_MAX, windowMs: values.PROVIDER_SIGN_IN_WINDOW_MS },
  requestsInFlightMax: values.REQUESTS_IN_FLIGHT_MAX,
  requestsPerAddressMax: values.REQUESTS_PER_ADDRESS_MAX,
  httpConnectionsPerAddressMax: values.HTTP_CONNECTIONS_PER_ADDRESS_MAX,
  eventLoopDelayMsMax: values.EVENT_LOOP_DELAY_MS_MAX,
})

/** A page that may call the API may use passkeys: its cookie goes there too. Whoever only tries things out has neither. */
function webauthnOf(values: ApiValues): WebauthnSettings {
  const allowed = values.ALLOWED_ORIGINS.filter(origin => URL.canParse(origin))
  const given = [values.WEBAUTHN_ORIGINS, allowed].find(list => list.length > 0)
  const origins = given ?? [`http://localhost:${values.PORT}`]
  const host = origins.filter(origin => /^https?:/.test(origin)).map(origin => new URL(origin).hostname)[0]
  return { rpId: values.WEBAUTHN_RP_ID ?? host ?? 'localhost', origins, rpName: values.WEBAUTHN_RP_NAME }
}

/** What standalone and the tests start from. */
export const apiDefaults: ApiSettings = toApiSettings(
  Object.fromEntries(Object.entries(apiSettings).map(([name, setting]) => [name, setting.default])) as ApiValues,
)

/** Reads the settings of this process. @throws Error that names every setting at fault */
export function readApiSettings(environment: NodeJS.ProcessEnv = process.env, limit = fileLimit()): ApiValues {
  const values = readSettings(apiSettings, environment)
  const { REGION, REGIONS, GATEWAY_URLS } = values
  demandDomains(values)
  toRegistrationCheck(values, values.PROVIDER_MS_MAX)
  for (const region of REGIONS.length === 0 ? [] : [REGION, ...GATEWAY_URLS.map(one => one.region)])
    if (!REGIONS.some(one => one.name === region))
      throw new Error(`unable to start: the region ${region} is not one of REGIONS`)
  const { rpId, origins } = webauthnOf(values)
  for (const origin of origins.filter(one => /^https?:/.test(one)))
    if (!`.${new URL(origin).hostname}`.endsWith(`.${rpId}`))
      throw new Error(
        `unable to start: passkeys of ${rpId} cannot be used on ${origin}: WEBAUTHN_RP_ID must be the host of every origin, or what they all end in`,
      )
  checkFileLimit('REQUESTS_IN_FLIGHT_MAX', values.REQUESTS_IN_FLIGHT_MAX, values.DATABASE_CONNECTIONS_MAX, limit)
  return values
}

/** Of migrate.ts, which runs once before a roll-out. It waits less long than a process: whoever began it is waiting too. */
export const migrateSettings = {
  DATABASE_URL: storeSettings.DATABASE_URL,
  MIGRATE_WAIT_MS: integer(
    120_000,
    { min: 0, max: 3_600_000 },
    'How long to wait for PostgreSQL, and for another process that is migrating.',
  ),
  LOG_LEVEL: storeSettings.LOG_LEVEL,
}

/** Reads the settings of this process. @throws Error that names every setting at fault */
export const readMigrateSettings = () => readSettings(migrateSettings, process.env)
