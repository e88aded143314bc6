import { Type } from 'typebox'
import { At, User, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { signal } from '../message.ts'

/** Somebody is asked to join a conversation, and is not a member of it until they accept. */
export const ConversationRequest = Type.Object(
  {
    id: Uuid,
    conversation: Uuid,
    kind: Type.Union([Type.Literal('direct'), Type.Literal('group')]),
    name: Type.Optional(Type.String({ maxLength: limits.nameLengthMax, description: 'The name of the group.' })),
    from: User,
    to: User,
    at: At,
    messages: Type.Integer({
      minimum: 0,
      description: 'The number of messages in the direct conversation so far; 0 for groups.',
    }),
  },
  { additionalProperties: false },
)
export type ConversationRequest = Type.Static<typeof ConversationRequest>

export const conversationRequested = signal(
  'conversation.requested',
  'The user is asked to join a conversation. For direct conversations it is repeated with each message until they accept. It should not make a sound.',
  { request: ConversationRequest },
)

export const conversationAnswered = signal(
  'conversation.answered',
  'A request was answered. Both sides receive it, except that the sender of a direct request is not told that it was declined.',
  {
    request: Uuid,
    conversation: Uuid,
    answer: Type.Union([Type.Literal('accepted'), Type.Literal('declined'), Type.Literal('cancelled')]),
  },
)
