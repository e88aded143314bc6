import { Type } from 'typebox'
import { Cursor, Seq, Uuid } from '../fields.ts'
import { ephemeral } from '../message.ts'

const receipt = { conversation: Uuid, user: Uuid, seq: Cursor }

export const deliveredUpTo = ephemeral(
  'message.delivered',
  "A member's devices have received everything up to seq.",
  receipt,
)
export const readUpTo = ephemeral('message.read', 'A member has read everything up to seq.', receipt)

const Count = Type.Integer({ minimum: 0 })

export const receiptsCounted = ephemeral(
  'receipts.counted',
  'In a large conversation, how many others have received and read the last message of the user. Members who hide their receipts are not counted.',
  { conversation: Uuid, seq: Type.With(Seq, { description: 'The message.' }), delivered: Count, read: Count },
)
