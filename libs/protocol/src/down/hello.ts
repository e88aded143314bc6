import { Type } from 'typebox'
import { At, Epoch, Uuid } from '../fields.ts'
import { event } from '../message.ts'

const count = Type.Integer({ minimum: 0 })

export const hello = event(
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
    limits: Type.Object(
      { frameBytesMax: count, commandsPerSecond: count, commandsBurst: count },
      { additionalProperties: false, description: 'The limits in force on this node.' },
    ),
    reconnect: Type.Object(
      { baseMs: count, maxMs: count },
      { additionalProperties: false, description: 'Wait a random time between 0 and min(maxMs, baseMs × 2^attempt).' },
    ),
  },
)
