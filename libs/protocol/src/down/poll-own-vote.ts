import { Type } from 'typebox'
import { Seq, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { signal } from '../message.ts'

export const pollOwnVote = signal(
  'poll.own_vote',
  'The user voted in an anonymous poll, or in a poll of a large conversation. Only their own devices receive it.',
  {
    conversation: Uuid,
    target: Type.With(Seq, { description: 'The seq of the poll.' }),
    options: Type.Array(Type.Integer({ minimum: 0 }), {
      maxItems: limits.pollOptionsMax,
      description: 'Empty: the vote was withdrawn.',
    }),
  },
)
