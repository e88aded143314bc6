import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { event } from '../message.ts'

export const conversationMuted = event(
  'conversation.muted',
  'The person has muted the conversation, or no longer. Only their own devices hear it.',
  { conversation: Uuid, until: Type.Union([At, Type.Null()]) },
)
