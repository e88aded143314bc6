import { Type } from 'typebox'
import { Body, Seq } from '../fields.ts'
import { entry } from '../message.ts'

export const messageRemoved = entry(
  'message.removed',
  9,
  'What a message said was taken away. Its place, its sender and its time stay. An operator is not named: `by` is the sender.',
  {
    target: Type.With(Seq, { description: 'The message.' }),
    removed: Type.Literal('operator'),
    body: Type.With(Body, { description: 'Says so in words.' }),
  },
)
