import { Type } from 'typebox'
import { Body, Seq } from '../fields.ts'
import { entry } from '../message.ts'

export const messageRemoved = entry(
  'message.removed',
  9,
  'The content of a message was removed. Its seq, sender and time stay. Operators are not named: `by` is the sender.',
  {
    target: Type.With(Seq, { description: 'The seq of the message.' }),
    removed: Type.Literal('operator'),
    body: Type.With(Body, { description: 'The removal notice.' }),
  },
)
