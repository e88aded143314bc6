import { Cursor, Uuid } from '../fields.ts'
import { Nothing, quietCommand } from '../message.ts'

export const messageDelivered = quietCommand(
  'message.delivered',
  'Says that everything up to seq has arrived on this device, without a gap. Lower than before changes nothing.',
  { conversation: Uuid, seq: Cursor },
  Nothing,
)
