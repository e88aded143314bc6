import { Type } from 'typebox'
import { At, Epoch, Uuid } from '../fields.ts'
import { type Limits, limits } from '../limits.ts'
import { control } from '../message.ts'

const count = Type.Integer({ minimum: 0 })
const about = (description: string) => Type.Integer({ minimum: 0, description })

/** Those of the wire, and those that an operator tunes: whatever a client can run into. */
const Limits = Type.Object(
  {
    ...(Object.fromEntries(Object.keys(limits).map(name => [name, about('A limit of the protocol, see Limits.')])) as {
      readonly [Name in keyof Limits]: typeof count
    }),
    commandsPerSecond: about('Sustained command rate of this connection. Some commands count more than once.'),
    commandsBurst: about('Command burst of this connection.'),
    personCommandsPerSecond: about('Sustained command rate of the user, across all connections and nodes.'),
    personCommandsBurst: about('Command burst of the user, across all connections.'),
    connectionsPerSessionMax: about('Connections of one session to this node. One more closes the oldest.'),
    connectionsPerPersonMax: about('Connections of one user, across all nodes. One more closes the oldest.'),
    connectsPerPersonMax: about('Connections one user may open per minute, across all nodes.'),
    connectsPerAddressMax: about('Sockets one IP address may open per minute, across all nodes.'),
    socketsPerAddressMax: about('Open sockets of one IP address, across all nodes.'),
    messagesPerSecond: about('Sustained message rate of the user in one conversation, across all nodes.'),
    messagesBurst: about('Message burst of the user in one conversation.'),
    fanoutPerSecond: about(
      'Sustained rate of recipients of the user’s messages, across all nodes. Messages count once for every 2,048 bytes.',
    ),
    fanoutBurst: about('Recipient burst of the user’s messages. A single message may exceed it.'),
    storedBytesPerDayMax: about('Storage for the user’s messages per day.'),
    commandsInFlightMax: about('Commands of this connection that await replies.'),
    sendQueueBytesMax: about(
      'The send queue of a slow client. A client that exceeds it is closed with `slow_consumer`.',
    ),
  },
  { additionalProperties: false, description: 'The limits in force on this node.' },
)

export const hello = control('hello', 'The first frame of a connection. Events are delivered from here on.', {
  protocol: count,
  node: Type.String(),
  region: Type.String(),
  connection: Type.String(),
  user: Uuid,
  session: Uuid,
  epoch: Epoch,
  at: At,
  pingIntervalMs: count,
  refreshPauseMs: Type.Optional(
    about(
      'The minimum time between two reloads of the state that signals report. A node that sends it also sends `refresh` when needed.',
    ),
  ),
  limits: Limits,
  reconnect: Type.Object(
    { baseMs: count, maxMs: count },
    { additionalProperties: false, description: 'Wait a random time between 0 and min(maxMs, baseMs × 2^attempt).' },
  ),
})
