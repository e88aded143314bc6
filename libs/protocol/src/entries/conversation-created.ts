import { Type } from 'typebox'
import { MemberRef } from '../fields.ts'
import { limits } from '../limits.ts'
import { entry } from '../message.ts'

export const conversationCreated = entry('conversation.created', 2, 'The conversation was created. Always seq 1.', {
  kind: Type.Union([Type.Literal('direct'), Type.Literal('group')]),
  name: Type.Optional(Type.String({ maxLength: limits.nameLengthMax })),
  members: Type.Array(MemberRef),
})
