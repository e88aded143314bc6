import { Cursor, Uuid } from '../fields.ts'
import { Nothing, quietCommand } from '../message.ts'

export const messageDelivered = quietCommand(
  'message.delivered',
  'Reports that this device has received everything up to seq. A lower seq changes nothing.',
  { conversation: Uuid, seq: Cursor },
  Nothing,
)
