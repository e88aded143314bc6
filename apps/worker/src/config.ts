/** The settings of a worker. docs/configuration.md is generated from them. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { chatDefaults } from '@flotilla/chat'
import { messageSettings, nodeSettings } from '@flotilla/node'
import { limits } from '@flotilla/protocol'
import {
  budgetSettings,
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
    'The service account of Firebase Cloud Messaging: its JSON, or the path of the file. Unset: no pushes through FCM.',
  ),
  default: undefined,
  parse: parseFcmAccount,
}

export const workerSettings = {
  ...nodeSettings({ id: `worker-${hostname()}`, operatorPort: 9080 }),
  DATABASE_CONNECTIONS_MAX: integer(10, { min: 4, max: 200 }, 'Connections to PostgreSQL.'),
  ...storageSettings,
  DEPLOYMENT_NAME: text('Flotilla', 'The name of the deployment, in mails and in pushes that name nobody.'),
  SMTP_URL: optionalUrl(
    'The mail server: `smtps://user:password@host:465` or `smtp://host:587?requireTLS=true`. Unset: no mail is sent.',
    smtpUrl,
  ),
  MAIL_FROM: { ...text('Flotilla <noreply@localhost>', 'The sender of mail: `Name <address>`.'), parse: parseSender },
  MAILS_AT_ONCE_MAX: integer(5, { min: 1, max: 100 }, 'Connections to the mail server.'),
  JOBS_AT_ONCE_MAX: integer(10, { min: 1, max: 1_000 }, 'Jobs that this worker runs at once, mail included.'),
  FCM_ACCOUNT: fcmAccount,
  VAPID_PUBLIC_KEY: optionalText('The public key of Web Push, the same as the API’s. Unset: no Web Push.'),
  VAPID_PRIVATE_KEY: secret('The private key of Web Push.'),
  VAPID_SUBJECT: {
    ...optionalText('The contact for push services: `mailto:…` or `https://…`.'),
    parse: parseVapidSubject,
  },
  PUSH_CONTENT: choice(
    ['names', 'none'],
    'names',
    'Whether pushes name people and groups; with `none` they only say that there is something new. They never contain message bodies.',
  ),
  MENTION_ALL_TOLD_MAX: integer(
    chatDefaults.mentionAllToldMax,
    { min: 0, max: limits.groupMembersMax },
    'Members of a group up to which a mention of everybody notifies each of them. In a larger one it counts as a mention, and nobody is notified or, once the group is large, pushed.',
  ),
  ...budgetSettings,
  ...messageSettings,
  PUSH_DELAY_MS: integer(
    2_000,
    { min: 0, max: 10 * minuteMs },
    'How long a push waits, in case the person is just reconnecting.',
  ),
  PUSH_COLLAPSE_MS: integer(
    30_000,
    { min: 0, max: 24 * 60 * minuteMs },
    'How long no device gets a second push about the same conversation.',
  ),
  PUSH_SEND_MS_MAX: integer(10_000, { min: 100, max: minuteMs }, 'How long one attempt to send a push may take.'),
  PUSH_ATTEMPTS_MAX: integer(12, { min: 1, max: 30 }, 'Attempts before a push is dead-lettered.'),
  PUSH_TTL_MS: integer(
    24 * 60 * minuteMs,
    { min: 0, max: 28 * 24 * 60 * minuteMs },
    'How long a service keeps a push for a device that is off.',
  ),
  PUSHES_IN_FLIGHT_MAX: integer(50, many, 'Pushes that this worker sends at once through one provider.'),
  STOP_MS_MAX: integer(20_000, { min: 0, max: 600_000 }, 'On SIGTERM, how long work in progress may take to finish.'),
}

export type WorkerValues = Values<typeof workerSettings>

/** Reads the settings of this process. @throws Error that names every setting at fault */
export const readWorkerSettings = (): WorkerValues => readSettings(workerSettings, process.env)
