import { Type } from 'typebox'
import { Seq, Uuid } from '../fields.ts'
import { signal } from '../message.ts'

export const threadChanged = signal(
  'thread.changed',
  'The user followed, unfollowed or read a thread. Only their own devices receive it.',
  {
    conversation: Uuid,
    thread: Type.With(Seq, { description: 'The seq of the root of the thread.' }),
    following: Type.Boolean(),
    readSeq: Type.Optional(Type.With(Seq, { description: 'If they follow it: how far they have read.' })),
  },
)
