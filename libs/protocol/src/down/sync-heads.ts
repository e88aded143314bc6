import { Type } from 'typebox'
import { ConversationHead, Epoch } from '../fields.ts'
import { control } from '../message.ts'

export const syncHeads = control(
  'sync.heads',
  'Some events may have been lost. A client that is behind a head fetches the rest with history.page.',
  { epoch: Epoch, heads: Type.Array(ConversationHead) },
)
