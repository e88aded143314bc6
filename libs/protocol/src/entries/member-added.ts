import { Type } from 'typebox'
import { MemberRef, Seq } from '../fields.ts'
import { entry } from '../message.ts'

export const memberAdded = entry('member.added', 4, 'Members joined. They see entries from this one on.', {
  members: Type.Array(MemberRef),
  since: Type.Optional(
    Type.With(Seq, {
      description:
        'They see entries from this seq on instead: a user who accepts a direct conversation sees the messages sent before, and a group may show its history to new members.',
    }),
  ),
  via: Type.Optional(
    Type.Union([Type.Literal('link'), Type.Literal('request')], {
      description: 'They joined by an invite link, or `by` approved their request to join.',
    }),
  ),
})
