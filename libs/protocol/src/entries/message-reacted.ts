import { Type } from 'typebox'
import { Emoji, ReactionCounts, ReactionVersion, Seq } from '../fields.ts'
import { entry, entryByCommand } from '../message.ts'

const target = Type.With(Seq, { description: 'The message.' })

export const messageReacted = entryByCommand(
  'message.reacted',
  13,
  'Somebody reacted to a message with an emoji, or took a reaction back. It is not unread, and no push tells of it. Large conversations have `reaction.counted` instead.',
  {
    target,
    emoji: Emoji,
    on: Type.Boolean({ description: 'Whether the reaction was added; otherwise it was taken back.' }),
    version: ReactionVersion,
    counts: ReactionCounts,
    own: Type.Array(Emoji, { description: 'All that this person has on the message now.' }),
  },
  {
    op: 'message.react',
    description:
      'Reacts to a message with an emoji, or takes that back. In a large conversation, and where nothing was to be taken back, there is no entry of its own: `entry` of the reply is null.',
    fields: {
      target,
      emoji: Emoji,
      on: Type.Boolean({ description: 'Whether to add it; otherwise it is taken back.' }),
    },
  },
)

export const reactionCounted = entry(
  'reaction.counted',
  14,
  'Of a large conversation: how many have reacted to some messages by now, and with what. It comes at most every few seconds, whatever the number of reactions; `by` is who reacted last.',
  {
    messages: Type.Array(
      Type.Object({ target, version: ReactionVersion, counts: ReactionCounts }, { additionalProperties: false }),
    ),
  },
)
