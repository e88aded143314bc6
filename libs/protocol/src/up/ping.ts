import { Type } from 'typebox'
import { At, ConversationCursor, ConversationHead } from '../fields.ts'
import { limits } from '../limits.ts'
import { command } from '../message.ts'

export const ping = command(
  'ping',
  'Keeps the connection. With `seen`, the store is asked whether the conversations named have entries beyond those seqs.',
  { seen: Type.Optional(Type.Array(ConversationCursor, { maxItems: limits.pingSeenMax })) },
  Type.Object({ at: At, behind: Type.Array(ConversationHead) }, { additionalProperties: false }),
)
