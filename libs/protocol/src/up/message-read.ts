import { Cursor, Uuid } from '../fields.ts'
import { Nothing, quietCommand } from '../message.ts'

export const messageRead = quietCommand(
  'message.read',
  'Says that the person has read everything up to seq. Lower than before changes nothing; it implies delivered.',
  { conversation: Uuid, seq: Cursor },
  Nothing,
)
