import { Type } from 'typebox'
import { At, ConversationCursor, ConversationHead } from '../fields.ts'
import { limits } from '../limits.ts'
import { command } from '../message.ts'

export const ping = command(
  'ping',
  'Keeps the connection alive. With `seen`, checks whether these conversations have entries beyond those seqs.',
  { seen: Type.Optional(Type.Array(ConversationCursor, { maxItems: limits.pingSeenMax })) },
  Type.Object({ at: At, behind: Type.Array(ConversationHead) }, { additionalProperties: false }),
)
