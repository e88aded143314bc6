import { Type } from 'typebox'
import { Body, Seq } from '../fields.ts'
import { limits } from '../limits.ts'
import { entry } from '../message.ts'

export const messagesExpired = entry(
  'messages.expired',
  20,
  'These messages have disappeared: their content is erased. Seq, sender and time stay. `by` is the sender of the first one.',
  {
    targets: Type.Array(Seq, { minItems: 1, maxItems: limits.expiredAtOnceMax, description: 'The messages.' }),
    body: Type.With(Body, { description: 'Replaces their content and says so.' }),
  },
)
