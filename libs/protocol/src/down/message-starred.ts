import { Type } from 'typebox'
import { Seq, Uuid } from '../fields.ts'
import { signal } from '../message.ts'

export const messageStarred = signal(
  'message.starred',
  'The person has starred a message, or no longer. Only their own devices hear it.',
  { conversation: Uuid, target: Type.With(Seq, { description: 'The message.' }), starred: Type.Boolean() },
)
