/** The settings of the standalone process. docs/configuration.md is generated from them. */
import { apiSettings, boundSettings, providerSettings, registrationSettings } from '@flotilla/api'
import { checkDatabaseUrl } from '@flotilla/chat'
import { gatewaySettings } from '@flotilla/gateway'
import { checkRedisUrl, redisUrlSentence } from '@flotilla/routing'
import {
  choice,
  list,
  networks,
  optionalText,
  optionalUrl,
  parseListenHost,
  parseNodeName,
  parseOrigins,
  port,
  readSettings,
  text,
  unreadSettings,
  type Values,
} from '@flotilla/service'
import { smtpUrl, workerSettings } from '@flotilla/worker'

const { PUBLIC_URL: publicUrl, ...signInProviders } = providerSettings

export const standaloneSettings = {
  HOST: {
    ...text(
      '127.0.0.1',
      'The address to listen on. `0.0.0.0` lets other machines in; sockets are then opened at the host name that the API was called by, unless PUBLIC_URL is set.',
    ),
    parse: parseListenHost,
  },
  PORT: port(8080, 'The port of the REST API, its docs page and the socket.'),
  PUBLIC_URL: {
    ...publicUrl,
    description:
      'The URL at which people reach this process: needed behind a proxy, and for sign-in providers when other machines are let in. Unset: `http://localhost:PORT`, or HOST.',
  },
  TRUSTED_PROXIES: networks(
    'Addresses or networks of the proxies in front, such as the one that terminates TLS, whose ADDRESS_HEADER is trusted. Empty: the peer is the caller, so behind a proxy everybody is one caller.',
  ),
  ADDRESS_HEADER: apiSettings.ADDRESS_HEADER,
  ALLOWED_ORIGINS: {
    ...list(
      [],
      'Origins of web pages that may call the API: `https://chat.example`; `*` for any, then without cookies. Pages of this machine, `http://localhost` at any port, always may while it listens on this machine only; to use passkeys there, list them.',
    ),
    parse: parseOrigins,
  },
  FLOTILLA_FOLDER: text(
    '.flotilla',
    'Where keys and data are kept, relative to the working directory. Its `keys.json` decrypts the messages: back it up with the data.',
  ),
  DATABASE_URL: optionalUrl(
    'Your own PostgreSQL, as for the gateway. Unset: an embedded one, with its data in the folder.',
    checkDatabaseUrl,
  ),
  REDIS_URL: optionalUrl(`A ${redisUrlSentence} Unset: a single node without Redis.`, checkRedisUrl),
  ...signInProviders,
  DEPLOYMENT_NAME: apiSettings.DEPLOYMENT_NAME,
  OPERATORS: apiSettings.OPERATORS,
  EVENT_LOOP_DELAY_MS_MAX: apiSettings.EVENT_LOOP_DELAY_MS_MAX,
  ...registrationSettings,
  ...boundSettings,
  SMTP_URL: optionalUrl(
    'The mail server: `smtps://user:password@host:465`. Unset: while only this machine can reach the process, a page whose URL is printed on start shows what would have been sent; otherwise nothing that needs mail can be started.',
    smtpUrl,
  ),
  MAIL_FROM: workerSettings.MAIL_FROM,
  FCM_ACCOUNT: workerSettings.FCM_ACCOUNT,
  VAPID_PUBLIC_KEY: {
    ...apiSettings.VAPID_PUBLIC_KEY,
    description: 'The public key of Web Push. Unset: no Web Push.',
  },
  VAPID_PRIVATE_KEY: workerSettings.VAPID_PRIVATE_KEY,
  VAPID_SUBJECT: workerSettings.VAPID_SUBJECT,
  PUSH_CONTENT: workerSettings.PUSH_CONTENT,
  NODE_ID: {
    ...optionalText('The name of this node in Redis; unique in its region. Unset: the host and the port.'),
    parse: parseNodeName,
  },
  OPERATOR_HOST: { ...text('127.0.0.1', 'The address of /healthz, /readyz and /metrics.'), parse: parseListenHost },
  OPERATOR_PORT: port(0, 'The port of /healthz, /readyz and /metrics; 0 opens none.'),
  LOG_LEVEL: choice(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'warn',
    'The lowest level that is logged. What is printed for people is not affected.',
  ),
}

export type StandaloneValues = Values<typeof standaloneSettings>

/** Reads the settings of this process. @throws Error that names every setting at fault */
export const readStandaloneSettings = (): StandaloneValues => readSettings(standaloneSettings, process.env)

/** Set by Kubernetes and by shells, for whatever runs there. */
const notMeant = new Set(['KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT', 'POD_NAME', 'POD_NAMESPACE'])

/** What is set and would do something in the fleet, or looks as if it were meant for this process, a sentence each. */
export const warnOfUnread = (environment: NodeJS.ProcessEnv = process.env): string[] =>
  unreadSettings(
    standaloneSettings,
    { gateway: gatewaySettings, API: apiSettings, worker: workerSettings },
    Object.fromEntries(Object.entries(environment).filter(([name]) => !notMeant.has(name))),
  )
