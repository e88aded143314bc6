import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { signal } from '../message.ts'

export const conversationMuted = signal(
  'conversation.muted',
  'The person has muted the conversation, or no longer. Only their own devices hear it.',
  { conversation: Uuid, until: Type.Union([At, Type.Null()]) },
)
