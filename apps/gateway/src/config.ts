/** The settings of a gateway. docs/configuration.md is generated from them. */
import { hostname } from 'node:os'
import { messageSettings, nodeSettings } from '@flotilla/node'
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
  HOST: { ...text('0.0.0.0', 'The address to listen on for clients.'), parse: parseListenHost },
  PORT: port(8081, 'The port to listen on for clients.'),
  ...nodeSettings({ id: hostname(), operatorPort: 9081 }),
  PUBLIC_URL: {
    ...text(
      'ws://localhost:8081/v1/socket',
      'The URL at which clients reach this node, `wss://…/v1/socket`; `GET /v1/connect` hands it out.',
    ),
    parse: urlOf({ schemes: ['ws', 'wss'], path: 'needed' }),
  },
  TICKET_KEYS: requiredKeys(
    'Keys of the one-time tickets, in the same form, the same as the API’s; the first signs, all verify.',
  ),
  DATABASE_CONNECTIONS_MAX: integer(
    6,
    { min: 3, max: 200 },
    'Connections to PostgreSQL. One of them carries all sends.',
  ),
  DATABASE_PERSON_PERCENT: integer(
    25,
    { min: 1, max: 100 },
    'The share of DATABASE_CONNECTIONS_MAX that one person’s reads may hold at once; at least one connection. Further reads wait.',
  ),
  COMMIT_WINDOW_MS: integer(
    16,
    { min: 0, max: 100 },
    'How long sends wait, counted from the previous commit, to be committed together. An idle node commits at once.',
  ),
  CONNECTIONS_MAX: integer(
    18_000,
    many,
    'Connections that this node accepts. The open-file limit of the process must exceed it by 150 plus DATABASE_CONNECTIONS_MAX.',
  ),
  CONNECTS_PER_SECOND: integer(
    500,
    many,
    'New connections that this node accepts per second; the rest are told when to retry.',
  ),
  COMMANDS_PER_SECOND: integer(
    100,
    many,
    'Commands per second that one connection may send on average; one person, over all nodes, twice as many.',
  ),
  COMMANDS_BURST: integer(400, many, 'Burst of commands allowed after a pause.'),
  COMMANDS_IN_FLIGHT_MAX: integer(128, many, 'Unanswered commands of one connection.'),
  SEND_QUEUE_BYTES_MAX: integer(
    1_048_576,
    { min: 65_536, max: 268_435_456 },
    'Bytes queued for a slow reader before it is disconnected, to resume; a page that it asked for does not count.',
  ),
  SEND_QUEUES_BYTES_MAX: integer(
    134_217_728,
    { min: 1_048_576, max: 17_179_869_184 },
    'Bytes queued for all slow readers together; above it, those with the most are disconnected, to resume.',
  ),
  READ_STALL_MS: integer(
    30_000,
    { min: 1_000, max: 600_000 },
    'How long a client may read nothing of what is queued for it before it is disconnected, to resume.',
  ),
  CONNECTIONS_PER_SESSION_MAX: integer(
    16,
    many,
    'Connections of one session on this node; one more closes the oldest.',
  ),
  CONNECTIONS_PER_PERSON_MAX: integer(
    64,
    many,
    'Connections of one person, over all gateways; one more closes the oldest.',
  ),
  CONNECTS_PER_PERSON_MAX: integer(
    120,
    many,
    'Connections that one person may open per minute, over all gateways; more are told to retry later.',
  ),
  CONNECTS_PER_ADDRESS_MAX: integer(
    6_000,
    many,
    'Sockets that one network address may open per minute, over all gateways; more are told to retry later. An IPv6 /64 counts as one address.',
  ),
  SOCKETS_PER_ADDRESS_MAX: integer(
    10_000,
    many,
    'Sockets of one network address, over all gateways; more are told to retry later. One address may be a whole company or mobile network.',
  ),
  TRUSTED_PROXIES: networks(
    'Addresses or networks of the proxies in front, such as the edge, whose ADDRESS_HEADER is trusted. Empty: the peer is the caller, so behind a proxy everybody is one caller.',
  ),
  ADDRESS_HEADER: choice(
    addressHeaders,
    'x-forwarded-for',
    'The header in which these proxies name the caller; `forwarded` is that of RFC 7239. The other one is ignored.',
  ),
  ...budgetSettings,
  ...messageSettings,
  REFRESHES_PER_SECOND: integer(
    200,
    many,
    'Clients per second that are told to reread their contacts, requests, blocks and notifications, after Redis may have lost a change. Each reads a few lists from the API.',
  ),
  PING_INTERVAL_MS: integer(
    25_000,
    { min: 1_000, max: 240_000 },
    'How often clients ping. A connection that is silent for more than two intervals is closed.',
  ),
  RECONNECT_BASE_MS: integer(
    500,
    ms,
    'First reconnect delay; clients double it at each failed attempt and wait a random part of it.',
  ),
  RECONNECT_MAX_MS: integer(30_000, ms, 'Longest reconnect delay.'),
  DRAIN_MS: integer(
    20_000,
    { min: 0, max: 600_000 },
    'On SIGTERM, clients are moved evenly over this time while the node still delivers.',
  ),
  SHED_ABOVE_PERCENT: decimal(
    20,
    { min: 0, max: 1_000 },
    'How far above the mean of its region a gateway must be to start moving connections to emptier ones; 0 turns it off.',
  ),
  SHED_PERCENT_PER_SECOND: decimal(
    0.5,
    { min: 0.01, max: 10 },
    'The share of its connections that it then moves per second; farther above the mean, up to three times as many.',
  ),
  DELETION_COST: flag(
    false,
    'Whether this gateway keeps the `pod-deletion-cost` of its own pod at its number of connections, so that Kubernetes removes the emptiest first. Needs permission to patch pods.',
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
      'Origins of web pages that may connect: `https://chat.example`. Empty or `*` allows every origin; a ticket is needed anyway.',
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
