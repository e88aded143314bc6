/** The settings of a worker. docs/configuration.md is generated from them. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { nodeSettings } from '@flotilla/node'
import {
  choice,
  integer,
  optionalText,
  optionalUrl,
  readSettings,
  type Setting,
  secret,
  storageSettings,
  text,
  type Values,
  urlOf,
} from '@flotilla/service'

const many = { min: 1, max: 10_000 }
const minuteMs = 60_000

/** What firebase-admin needs of the file that Google gives out. */
export interface FcmAccount {
  readonly projectId: string
  readonly clientEmail: string
  readonly privateKey: string
}

/** The account itself, or the path of the file that holds it. */
function parseFcmAccount(value: string): FcmAccount {
  const account = readJson(/^\s*\{/.test(value) ? value : readFileSync(value, 'utf8'))
  const { project_id: projectId, client_email: clientEmail, private_key: privateKey } = account
  if (typeof projectId !== 'string' || typeof clientEmail !== 'string' || typeof privateKey !== 'string')
    throw new Error('must hold project_id, client_email and private_key')
  return { projectId, clientEmail, privateKey }
}

/** The parser's own error would show a piece of the key. */
function readJson(value: string): Record<string, unknown> {
  try {
    return JSON.parse(value) as Record<string, unknown>
  } catch {
    throw new Error('must be the JSON of a service account')
  }
}

/** `nodemailer` takes its options as a query. */
export const smtpUrl = urlOf({ schemes: ['smtp', 'smtps'], path: 'none', login: true, query: true })

function parseSender(value: string): string {
  if (!/^([^<>@]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/.test(value.trim()))
    throw new Error('must be an address: Name <address>')
  return value
}

function parseVapidSubject(value: string): string {
  if (!/^(mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/.test(value)) throw new Error('must be mailto:address or https://…')
  return value
}

const fcmAccount: Setting<FcmAccount | undefined> = {
  ...secret(
    'The service account of Firebase Cloud Messaging: its JSON, or the path of the file. Without it nothing is pushed through FCM.',
  ),
  default: undefined,
  parse: parseFcmAccount,
}

export const workerSettings = {
  ...nodeSettings({ id: `worker-${hostname()}`, operatorPort: 9080 }),
  DATABASE_CONNECTIONS_MAX: integer(10, { min: 4, max: 200 }, 'Connections to PostgreSQL.'),
  ...storageSettings,
  DEPLOYMENT_NAME: text('Flotilla', 'What the deployment is called, in mails and in pushes that name nobody.'),
  SMTP_URL: optionalUrl(
    'Where mail is handed in: `smtps://user:password@host:465` or `smtp://host:587?requireTLS=true`. Without it no mail is sent.',
    smtpUrl,
  ),
  MAIL_FROM: { ...text('Flotilla <noreply@localhost>', 'The sender of mails: `Name <address>`.'), parse: parseSender },
  MAILS_AT_ONCE_MAX: integer(5, { min: 1, max: 100 }, 'Connections to the mail server.'),
  JOBS_AT_ONCE_MAX: integer(10, { min: 1, max: 1_000 }, 'Jobs that this worker does at once, mails among them.'),
  FCM_ACCOUNT: fcmAccount,
  VAPID_PUBLIC_KEY: optionalText(
    'The public key of Web Push, equal to that of the API. Without it no Web Push is sent.',
  ),
  VAPID_PRIVATE_KEY: secret('The private key of Web Push.'),
  VAPID_SUBJECT: {
    ...optionalText('Whom push services can reach about us: `mailto:…` or `https://…`.'),
    parse: parseVapidSubject,
  },
  PUSH_CONTENT: choice(
    ['names', 'none'],
    'names',
    'Whether pushes name people and groups; with `none` they only say that there is something new. Bodies are never in them.',
  ),
  PUSH_DELAY_MS: integer(
    2_000,
    { min: 0, max: 10 * minuteMs },
    'A push waits so long, for somebody who is only just reconnecting.',
  ),
  PUSH_COLLAPSE_MS: integer(
    30_000,
    { min: 0, max: 24 * 60 * minuteMs },
    'Of one conversation no device gets a second push within so long.',
  ),
  PUSH_SEND_MS_MAX: integer(10_000, { min: 100, max: minuteMs }, 'What one attempt to send a push may take.'),
  PUSH_ATTEMPTS_MAX: integer(12, { min: 1, max: 30 }, 'Attempts until a push is given up and listed as dead.'),
  PUSH_TTL_MS: integer(
    24 * 60 * minuteMs,
    { min: 0, max: 28 * 24 * 60 * minuteMs },
    'How long a service keeps a push for a device that is off.',
  ),
  PUSHES_IN_FLIGHT_MAX: integer(50, many, 'Pushes that this worker sends at once through one provider.'),
  STOP_MS_MAX: integer(20_000, { min: 0, max: 600_000 }, 'On SIGTERM, what is under way gets so long to end.'),
}

export type WorkerValues = Values<typeof workerSettings>

/** Reads the settings of this process. @throws Error that names every setting at fault */
export const readWorkerSettings = (): WorkerValues => readSettings(workerSettings, process.env)
