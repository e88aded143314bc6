import { Type } from 'typebox'
import { Seq, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { signal } from '../message.ts'

export const conversationCleared = signal(
  'conversation.cleared',
  'You hid messages, or cleared a conversation up to a seq, on any of your devices. Sent to your own devices only.',
  {
    conversation: Uuid,
    seqs: Type.Optional(Type.Array(Seq, { maxItems: limits.hiddenAtOnceMax })),
    upTo: Type.Optional(Type.With(Seq, { description: 'Everything up to this seq is cleared.' })),
  },
)
