import { Cursor, Uuid } from '../fields.ts'
import { Nothing, quietCommand } from '../message.ts'

export const messageRead = quietCommand(
  'message.read',
  'Reports that the user has read everything up to seq. A lower seq changes nothing. Implies delivered.',
  { conversation: Uuid, seq: Cursor },
  Nothing,
)
