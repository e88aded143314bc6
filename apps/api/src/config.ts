/** The settings of the API. docs/configuration.md is generated from them. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { limits } from '@flotilla/protocol'
import {
  choice,
  flag,
  integer,
  list,
  optionalText,
  parseSecretKeys,
  port,
  readSettings,
  requiredUrl,
  type Setting,
  text,
  type Values,
} from '@flotilla/service'
import type { GatewayUrl } from './connect.ts'
import { parseRegion, type Region } from './regions.ts'
import { parseTokenKeys } from './tokens.ts'

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

function parseGatewayUrl(part: string): GatewayUrl {
  const [, region = 'local', url = ''] = /^(?:([\w-]{1,32})=)?(.+)$/.exec(part) ?? []
  if (!URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol)) throw new Error('must be region=wss://…')
  return { region, url }
}

/** The keys themselves, or the path of the file that holds them. */
const keysOrFile = (value: string) => parseTokenKeys(/^\s*[[{]/.test(value) ? value : readFileSync(value, 'utf8'))

export const apiSettings = {
  HOST: text('0.0.0.0', 'The address that clients connect to.'),
  PORT: port(8080, 'The port that clients connect to.'),
  OPERATOR_HOST: text('0.0.0.0', 'The address of /healthz, /readyz and /metrics.'),
  OPERATOR_PORT: port(9080, 'The port of /healthz, /readyz and /metrics.'),
  NODE_ID: text(
    `api-${hostname()}`,
    'The name of this process; unique in its region. Letters, digits, `.`, `-` and `_`.',
  ),
  REGION: text('local', 'The region that this process belongs to.'),
  REGIONS: parsed(
    'comma-separated list of name:latitude:longitude',
    inParts(parseRegion),
    'All regions and where they are, when there are several: callers get the gateways of the nearest first.',
    { default: [] as readonly Region[] },
  ),
  GEO_DATA_FOLDER: optionalText(
    'A folder with newer `geoip-country.dat` and `geoip-country6.dat` of geoip-lite. Read only when there are several regions.',
  ),
  GATEWAY_URLS: parsed(
    'comma-separated list of region=URL',
    inParts(parseGatewayUrl),
    'The gateways that `GET /v1/connect` names while no node is seen in Redis.',
    { default: [] as readonly GatewayUrl[] },
  ),
  DATABASE_URL: requiredUrl('PostgreSQL.'),
  DATABASE_CONNECTIONS_MAX: integer(
    10,
    { min: 3, max: 200 },
    'Connections to PostgreSQL. One of them carries all sends.',
  ),
  MIGRATE: flag(true, 'Whether to bring the database up to date at the start.'),
  REDIS_URL: requiredUrl('Redis: `redis://host:port`, or `redis-cluster://host:port,host:port`.'),
  MASTER_KEYS: parsed(
    'secret',
    parseSecretKeys,
    'Keys that wrap the data keys of bodies: `id:base64 of 32 bytes`, comma-separated; the first wraps, all unwrap.',
    { secret: true },
  ),
  TICKET_KEYS: parsed(
    'secret',
    parseSecretKeys,
    'Keys of the one-time tickets, in the same form and equal to those of the gateways; the first signs, all verify.',
    { secret: true },
  ),
  REFRESH_KEYS: parsed(
    'secret',
    parseSecretKeys,
    'Keys of the refresh tokens, in the same form; the first signs, all verify. To drop one signs out whoever has not refreshed since.',
    { secret: true },
  ),
  TOKEN_KEYS: parsed(
    'secret',
    keysOrFile,
    'Ed25519 keys of the access tokens: JSON (a JWK, an array, or a JWK set) or the path of a file with it; the first signs, all verify and are published.',
    { secret: true },
  ),
  TOKEN_ISSUER: text('flotilla', '`iss` of the access tokens.'),
  TOKEN_AUDIENCE: text('flotilla', '`aud` of the access tokens.'),
  ACCESS_TOKEN_LIFE_MS: integer(
    10 * minuteMs,
    { min: 10_000, max: 60 * minuteMs },
    'How long an access token is good.',
  ),
  COOKIE_SECURE: flag(
    true,
    'Whether the refresh cookie travels over HTTPS only. Turn it off only to try things without HTTPS.',
  ),
  ALLOWED_ORIGINS: list(
    [],
    'Origins of web pages that may call the API; `*` for any, then without cookies. Empty: pages of its own origin only.',
  ),
  TRUSTED_PROXIES: list(
    [],
    'Addresses or networks of the proxies in front, whose `X-Forwarded-For` is believed. Empty: the peer is the caller.',
  ),
  REQUESTS_MAX: integer(600, many, 'Requests of one address within the window.'),
  REQUEST_WINDOW_MS: integer(minuteMs, window, 'The window of REQUESTS_MAX.'),
  SIGN_INS_MAX: integer(15, many, 'Attempts to sign in to one account from one address within the window.'),
  SIGN_IN_WINDOW_MS: integer(15 * minuteMs, window, 'The window of SIGN_INS_MAX.'),
  REGISTRATIONS_MAX: integer(20, many, 'Registrations from one address within the window.'),
  REGISTRATION_WINDOW_MS: integer(60 * minuteMs, window, 'The window of REGISTRATIONS_MAX.'),
  REQUESTS_UNDER_WAY_MAX: integer(1_000, many, 'Requests that are answered at once; more are told to come back.'),
  EVENT_LOOP_DELAY_MS_MAX: integer(
    300,
    { min: 10, max: 60_000 },
    'When the event loop is later than this on average of half a second, requests are told to come back.',
  ),
  REQUEST_MS_MAX: integer(
    30_000,
    { min: 1_000, max: 600_000 },
    'How long a client may take to send a request, and a connection may be silent within one.',
  ),
  DRAIN_WAIT_MS: integer(
    3_000,
    { min: 0, max: 600_000 },
    'On SIGTERM the process says that it is not ready and works on for so long, until the proxies have noticed.',
  ),
  LOG_LEVEL: choice(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    'The least important lines that are logged.',
  ),
}

/** The numbers and names that the app works by. */
export interface ApiSettings {
  readonly region: string
  readonly regions: readonly Region[]
  readonly gatewayUrls: readonly GatewayUrl[]
  readonly issuer: string
  readonly audience: string
  readonly accessTokenLifeMs: number
  readonly cookieSecure: boolean
  readonly allowedOrigins: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly bodyBytesMax: number
  readonly requestMsMax: number
  readonly requestsMax: number
  readonly requestWindowMs: number
  readonly signIns: { readonly max: number; readonly windowMs: number }
  readonly registrations: { readonly max: number; readonly windowMs: number }
  readonly requestsUnderWayMax: number
  readonly eventLoopDelayMsMax: number
}

type ApiValues = Values<typeof apiSettings>

/** The part of the process's settings that the app works by. */
export const toApiSettings = (values: ApiValues): ApiSettings => ({
  region: values.REGION,
  regions: values.REGIONS,
  gatewayUrls: values.GATEWAY_URLS,
  issuer: values.TOKEN_ISSUER,
  audience: values.TOKEN_AUDIENCE,
  accessTokenLifeMs: values.ACCESS_TOKEN_LIFE_MS,
  cookieSecure: values.COOKIE_SECURE,
  allowedOrigins: values.ALLOWED_ORIGINS,
  trustedProxies: values.TRUSTED_PROXIES,
  // What the socket takes in one frame, REST takes in one body.
  bodyBytesMax: limits.frameBytesMax,
  requestMsMax: values.REQUEST_MS_MAX,
  requestsMax: values.REQUESTS_MAX,
  requestWindowMs: values.REQUEST_WINDOW_MS,
  signIns: { max: values.SIGN_INS_MAX, windowMs: values.SIGN_IN_WINDOW_MS },
  registrations: { max: values.REGISTRATIONS_MAX, windowMs: values.REGISTRATION_WINDOW_MS },
  requestsUnderWayMax: values.REQUESTS_UNDER_WAY_MAX,
  eventLoopDelayMsMax: values.EVENT_LOOP_DELAY_MS_MAX,
})

/** What standalone and the tests start from. */
export const apiDefaults: ApiSettings = toApiSettings(
  Object.fromEntries(Object.entries(apiSettings).map(([name, setting]) => [name, setting.default])) as ApiValues,
)

/** Reads the settings of this process. @throws Error that names every setting at fault */
export const readApiSettings = (): ApiValues => readSettings(apiSettings, process.env)
