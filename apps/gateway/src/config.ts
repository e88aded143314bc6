/** The settings of a gateway. docs/configuration.md is generated from them. */
import { hostname } from 'node:os'
import { chatDefaults } from '@flotilla/chat'
import { nodeSettings } from '@flotilla/node'
import {
  addressHeaders,
  budgetSettings,
  checkFileLimit,
  choice,
  decimal,
  fileLimit,
  flag,
  integer,
  list,
  networks,
  parseListenHost,
  parseOrigins,
  port,
  readSettings,
  requiredKeys,
  text,
  urlOf,
} from '@flotilla/service'

const many = { min: 1, max: 1_000_000 }
const ms = { min: 1, max: 3_600_000 }

export const gatewaySettings = {
  HOST: { ...text('0.0.0.0', 'The address that clients connect to.'), parse: parseListenHost },
  PORT: port(8081, 'The port that clients connect to.'),
  ...nodeSettings({ id: hostname(), operatorPort: 9081 }),
  PUBLIC_URL: {
    ...text(
      'ws://localhost:8081/v1/socket',
      'The URL under which clients reach this node, `wss://…/v1/socket`; `GET /v1/connect` hands it out.',
    ),
    parse: urlOf({ schemes: ['ws', 'wss'], path: 'needed' }),
  },
  TICKET_KEYS: requiredKeys(
    'Keys of the one-time tickets, in the same form and equal to those of the API; the first signs, all verify.',
  ),
  DATABASE_CONNECTIONS_MAX: integer(
    6,
    { min: 3, max: 200 },
    'Connections to PostgreSQL. One of them carries all sends.',
  ),
  DATABASE_PERSON_PERCENT: integer(
    25,
    { min: 1, max: 100 },
    'How much of DATABASE_CONNECTIONS_MAX the reads of one person may hold at a time; one connection at the least. The rest of them waits.',
  ),
  COMMIT_WINDOW_MS: integer(
    8,
    { min: 0, max: 100 },
    'Sends wait so long, counted from the commit before, to be committed together. An idle node sends at once.',
  ),
  LARGE_CONVERSATION_MIN: integer(
    1_000,
    { min: 2, max: 100_000 },
    'A group that grows past this many members is routed by interest, for good. Equal for all processes.',
  ),
  REQUEST_MESSAGES_MAX: integer(
    chatDefaults.requestMessagesMax,
    { min: 1, max: 7 },
    'Messages that somebody may send into a direct conversation before the other has accepted it. Equal for all processes.',
  ),
  CONNECTIONS_MAX: integer(
    18_000,
    many,
    'Connections that this node takes. The file limit of the process must be higher, by 150 and DATABASE_CONNECTIONS_MAX.',
  ),
  CONNECTS_PER_SECOND: integer(
    500,
    many,
    'New connections that this node takes a second; the rest is told when to come back.',
  ),
  COMMANDS_PER_SECOND: integer(
    100,
    many,
    'Commands that one connection may send a second on average; a person on all nodes, twice as many.',
  ),
  COMMANDS_BURST: integer(400, many, 'Commands that may come at once after a pause.'),
  COMMANDS_IN_FLIGHT_MAX: integer(128, many, 'Commands of one connection that may wait for their answer.'),
  SEND_QUEUE_BYTES_MAX: integer(
    1_048_576,
    { min: 65_536, max: 268_435_456 },
    'Bytes that may wait for a slow reader before it is disconnected and resumes; a page that it has asked for does not count.',
  ),
  SEND_QUEUES_BYTES_MAX: integer(
    134_217_728,
    { min: 1_048_576, max: 17_179_869_184 },
    'Bytes that may wait for all slow readers together; above it those with the most are disconnected and resume.',
  ),
  READ_STALL_MS: integer(
    30_000,
    { min: 1_000, max: 600_000 },
    'A client that takes nothing of what waits for it for so long is disconnected and resumes.',
  ),
  CONNECTIONS_PER_SESSION_MAX: integer(
    16,
    many,
    'Connections of one session on this node; the oldest is closed for one more.',
  ),
  CONNECTIONS_PER_PERSON_MAX: integer(
    64,
    many,
    'Connections of one person, over all gateways; the oldest is closed for one more.',
  ),
  CONNECTS_PER_PERSON_MAX: integer(
    120,
    many,
    'Connections that one person may open in a minute, over all gateways; more are told to come back.',
  ),
  CONNECTS_PER_ADDRESS_MAX: integer(
    6_000,
    many,
    'Sockets that one network address may open in a minute, over all gateways; more are told to come back. An IPv6 network of 64 bits is one address.',
  ),
  SOCKETS_PER_ADDRESS_MAX: integer(
    10_000,
    many,
    'Sockets of one network address, over all gateways; more are told to come back. A company or a mobile network may stand behind it.',
  ),
  TRUSTED_PROXIES: networks(
    'Addresses or networks of the proxies in front, such as the edge, whose ADDRESS_HEADER is believed. Empty: the peer is the caller, and behind a proxy everybody is one.',
  ),
  ADDRESS_HEADER: choice(
    addressHeaders,
    'x-forwarded-for',
    'The header in which these proxies name the caller; `forwarded` is that of RFC 7239. The other one is not looked at.',
  ),
  ...budgetSettings,
  REFRESHES_PER_SECOND: integer(
    200,
    many,
    'Clients that are told a second to read their contacts, requests, blocks and notifications anew, after Redis may have lost a change of them. Each reads a few lists from the API.',
  ),
  PING_INTERVAL_MS: integer(
    25_000,
    { min: 1_000, max: 240_000 },
    'How often clients ping. A connection that is silent for more than two of them is closed.',
  ),
  RECONNECT_BASE_MS: integer(
    500,
    ms,
    'What clients multiply by two at each failed attempt; they wait a random part of it.',
  ),
  RECONNECT_MAX_MS: integer(30_000, ms, 'The longest that clients wait between two attempts.'),
  DRAIN_MS: integer(
    20_000,
    { min: 0, max: 600_000 },
    'On SIGTERM the clients are moved evenly over this time, while the node still delivers.',
  ),
  SHED_ABOVE_PERCENT: decimal(
    20,
    { min: 0, max: 1_000 },
    'So far above the mean of its region a gateway begins to move connections to emptier ones; 0 turns it off.',
  ),
  SHED_PERCENT_PER_SECOND: decimal(
    0.5,
    { min: 0.01, max: 10 },
    'How many of its connections it then moves a second; farther above the mean, up to three times as many.',
  ),
  DELETION_COST: flag(
    false,
    'Whether this gateway keeps the `pod-deletion-cost` of its own pod at its number of connections, so that Kubernetes removes the emptiest first. It needs the right to patch pods.',
  ),
  POD_NAME: text('', 'The name of this pod, for DELETION_COST.'),
  POD_NAMESPACE: text('', 'The namespace of this pod, for DELETION_COST.'),
  KUBERNETES_SERVICE_HOST: text('kubernetes.default.svc', 'The API server, for DELETION_COST. Kubernetes sets it.'),
  KUBERNETES_SERVICE_PORT: port(443, 'Its port. Kubernetes sets it.'),
  SERVICE_ACCOUNT_FOLDER: text(
    '/var/run/secrets/kubernetes.io/serviceaccount',
    'Where `token` and `ca.crt` are mounted, for DELETION_COST.',
  ),
  ALLOWED_ORIGINS: {
    ...list(
      [],
      'Origins of web pages that may connect: `https://chat.example`. Empty, or `*`, allows every origin, since a ticket is needed anyway.',
    ),
    parse: parseOrigins,
  },
}

/**
 * The size of headers, with what proxies add to the 16 kB that the API takes. uWebSockets.js has it from the environment
 * alone, once, when it is loaded; without it 4 kB are too much, and that is little for the cookies of a large site.
 */
export function setHeaderBytesMax(bytes: number): void {
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(bytes)
}

/** Reads the settings of this process. @throws Error that names every setting at fault */
export function readGatewaySettings(environment = process.env, limit = fileLimit()) {
  const settings = readSettings(gatewaySettings, environment)
  if (settings.DELETION_COST && (settings.POD_NAME === '' || settings.POD_NAMESPACE === ''))
    throw new Error('unable to start: DELETION_COST needs POD_NAME and POD_NAMESPACE')
  if (settings.RECONNECT_BASE_MS > settings.RECONNECT_MAX_MS)
    throw new Error('unable to start: RECONNECT_BASE_MS must not be above RECONNECT_MAX_MS')
  checkFileLimit('CONNECTIONS_MAX', settings.CONNECTIONS_MAX, settings.DATABASE_CONNECTIONS_MAX, limit)
  return settings
}
