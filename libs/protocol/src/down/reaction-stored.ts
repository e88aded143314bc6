import { Type } from 'typebox'
import { Emoji, ReactionCounts, ReactionVersion, Seq, Uuid } from '../fields.ts'
import { signal } from '../message.ts'

export const reactionStored = signal(
  'reaction.stored',
  'In a large conversation the person has reacted, or taken a reaction back. Only their own devices hear it; the others hear `reaction.counted`.',
  {
    conversation: Uuid,
    target: Type.With(Seq, { description: 'The message.' }),
    version: ReactionVersion,
    counts: ReactionCounts,
    own: Type.Array(Emoji, { description: 'All that the person has on the message now.' }),
  },
)
