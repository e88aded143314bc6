/** The settings of the standalone process. docs/configuration.md is generated from them. */
import { apiSettings, providerSettings } from '@flotilla/api'
import { checkRedisUrl } from '@flotilla/routing'
import { choice, networks, optionalText, optionalUrl, port, readSettings, text, type Values } from '@flotilla/service'
import { workerSettings } from '@flotilla/worker'

const { PUBLIC_URL: _, ...signInProviders } = providerSettings

export const standaloneSettings = {
  HOST: text(
    '127.0.0.1',
    'The address that people connect to. `0.0.0.0` lets other machines in: then set PUBLIC_URL too.',
  ),
  PORT: port(8080, 'The one port for people: REST API, its docs page and the socket.'),
  PUBLIC_URL: optionalUrl('The URL under which people reach this process. Without it `http://localhost:PORT`.'),
  TRUSTED_PROXIES: networks(
    'Addresses or networks of the proxies in front, such as the one that ends TLS: their ADDRESS_HEADER tells who calls. Empty: the peer is the caller, and behind a proxy everybody is one.',
  ),
  ADDRESS_HEADER: apiSettings.ADDRESS_HEADER,
  FLOTILLA_FOLDER: text(
    '.flotilla',
    'Where keys and data are kept, as seen from the working directory. Its `keys.json` opens the messages: back it up with the data.',
  ),
  DATABASE_URL: optionalUrl('A PostgreSQL of your own. Without it one is started inside, with its data in the folder.'),
  REDIS_URL: {
    ...optionalUrl(
      'A Redis of your own: `redis://host:port`, `redis-cluster://host:port,host:port`, or `redis-sentinel://host:port,host:port/name`. Without it there is this one node.',
    ),
    parse: checkRedisUrl,
  },
  ...signInProviders,
  DEPLOYMENT_NAME: apiSettings.DEPLOYMENT_NAME,
  OPERATORS: apiSettings.OPERATORS,
  DIRECT_FROM: apiSettings.DIRECT_FROM,
  SMTP_URL: optionalUrl(
    'Where mail is handed in: `smtps://user:password@host:465`. Without it `/dev/mail` shows what would have been sent, as long as only this machine reaches the process; otherwise nothing that needs mail can be begun.',
  ),
  MAIL_FROM: workerSettings.MAIL_FROM,
  FCM_ACCOUNT: workerSettings.FCM_ACCOUNT,
  VAPID_PUBLIC_KEY: optionalText('The public key of Web Push. Without it no Web Push is sent.'),
  VAPID_PRIVATE_KEY: workerSettings.VAPID_PRIVATE_KEY,
  VAPID_SUBJECT: workerSettings.VAPID_SUBJECT,
  PUSH_CONTENT: workerSettings.PUSH_CONTENT,
  NODE_ID: optionalText('The name of this node in Redis; unique in its region. Without it the host and the port.'),
  OPERATOR_HOST: text('127.0.0.1', 'The address of /healthz, /readyz and /metrics.'),
  OPERATOR_PORT: port(0, 'The port of /healthz, /readyz and /metrics; 0 opens none.'),
  LOG_LEVEL: choice(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'warn',
    'The least important lines that are logged, beside what is printed for people.',
  ),
}

export type StandaloneValues = Values<typeof standaloneSettings>

/** Reads the settings of this process. @throws Error that names every setting at fault */
export const readStandaloneSettings = (): StandaloneValues => readSettings(standaloneSettings, process.env)
