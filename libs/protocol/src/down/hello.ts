import { Type } from 'typebox'
import { At, Epoch, Uuid } from '../fields.ts'
import { type Limits, limits } from '../limits.ts'
import { control } from '../message.ts'

const count = Type.Integer({ minimum: 0 })
const about = (description: string) => Type.Integer({ minimum: 0, description })

/** Those of the wire, and those that an operator tunes: whatever a client can run into. */
const Limits = Type.Object(
  {
    ...(Object.fromEntries(Object.keys(limits).map(name => [name, about('Of the wire, see Limits.')])) as {
      readonly [Name in keyof Limits]: typeof count
    }),
    commandsPerSecond: about('Commands of this connection, lasting; some commands count for several.'),
    commandsBurst: about('Commands of this connection at once, before the rate holds.'),
    personCommandsPerSecond: about('Commands of all connections of the person, lasting, at all nodes.'),
    personCommandsBurst: about('Commands of all connections of the person at once.'),
    connectionsPerSessionMax: about('Connections of one session to this node; one more closes the oldest.'),
    connectionsPerPersonMax: about('Connections of one person, at all nodes; one more closes the oldest.'),
    connectsPerPersonMax: about('Connections that one person may open in a minute, at all nodes.'),
    connectsPerAddressMax: about('Sockets that one network address may open in a minute, at all nodes.'),
    socketsPerAddressMax: about('Sockets that one network address may have, at all nodes.'),
    messagesPerSecond: about('Messages of the person in one conversation, lasting, at all nodes.'),
    messagesBurst: about('Messages of the person in one conversation at once.'),
    fanoutPerSecond: about(
      'People who are told the messages of the person a second, lasting, at all nodes. A longer message counts once for every 2,048 bytes.',
    ),
    fanoutBurst: about('People who are told the messages of the person at once. One message may tell more.'),
    storedBytesPerDayMax: about('What the messages of the person may take in the store in a day.'),
    commandsInFlightMax: about('Commands of this connection that wait for their replies.'),
    sendQueueBytesMax: about(
      'What may wait for a client that reads too slowly, before it is closed with `slow_consumer`.',
    ),
  },
  { additionalProperties: false, description: 'The limits in force on this node.' },
)

export const hello = control(
  'hello',
  'The first frame of a connection: the person is registered and live from here on.',
  {
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
        'Between two times that the client reads anew what signals tell. A node that names it says `refresh` when that is needed.',
      ),
    ),
    limits: Limits,
    reconnect: Type.Object(
      { baseMs: count, maxMs: count },
      { additionalProperties: false, description: 'Wait a random time between 0 and min(maxMs, baseMs × 2^attempt).' },
    ),
  },
)
