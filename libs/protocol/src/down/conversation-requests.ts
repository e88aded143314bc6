import { Type } from 'typebox'
import { At, User, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { signal } from '../message.ts'

/** Somebody is asked into a conversation, and is no member of it before they accept. */
export const ConversationRequest = Type.Object(
  {
    id: Uuid,
    conversation: Uuid,
    kind: Type.Union([Type.Literal('direct'), Type.Literal('group')]),
    name: Type.Optional(Type.String({ maxLength: limits.nameLengthMax, description: 'Of the group.' })),
    from: User,
    to: User,
    at: At,
    messages: Type.Integer({
      minimum: 0,
      description: 'What was said in the direct conversation so far. Of a group nothing is shown.',
    }),
  },
  { additionalProperties: false },
)
export type ConversationRequest = Type.Static<typeof ConversationRequest>

export const conversationRequested = signal(
  'conversation.requested',
  'Somebody asks the person into a group or a direct conversation. Of a direct one it comes once more with each message before they accept. It is no reason for a sound.',
  { request: ConversationRequest },
)

export const conversationAnswered = signal(
  'conversation.answered',
  'A request is open no longer. Both sides hear it; but whoever asked for a direct conversation does not hear that it was declined.',
  {
    request: Uuid,
    conversation: Uuid,
    answer: Type.Union([Type.Literal('accepted'), Type.Literal('declined'), Type.Literal('cancelled')]),
  },
)
