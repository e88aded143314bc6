import { Cursor, Uuid } from '../fields.ts'
import { ephemeral } from '../message.ts'

const receipt = { conversation: Uuid, user: Uuid, seq: Cursor }

export const deliveredUpTo = ephemeral(
  'message.delivered',
  "A member's devices have received everything up to seq.",
  receipt,
)
export const readUpTo = ephemeral('message.read', 'A member has read everything up to seq.', receipt)
