import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { signal } from '../message.ts'

export const conversationMuted = signal(
  'conversation.muted',
  'The user muted or unmuted the conversation. Only their own devices receive it. Kept for older clients: `conversation.settings_changed` says the same and more.',
  { conversation: Uuid, until: Type.Union([At, Type.Null()]) },
)
