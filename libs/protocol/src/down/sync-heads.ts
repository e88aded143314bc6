import { Type } from 'typebox'
import { ConversationHead, Epoch } from '../fields.ts'
import { control } from '../message.ts'

export const syncHeads = control(
  'sync.heads',
  'The node cannot rule out that something was lost on the way. A client that has less than a head fetches the rest with history.page.',
  { epoch: Epoch, heads: Type.Array(ConversationHead) },
)
