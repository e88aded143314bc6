import { Type } from 'typebox'
import { At, Body, Emoji, PostedBody, Quote, ReactionCounts, ReactionVersion, Removed, Seq, Uuid } from '../fields.ts'
import { alsoMakes, entryByCommand } from '../message.ts'

export const messageNew = entryByCommand(
  'message.new',
  1,
  'A new message. Live, it is as it was sent; in history and replays, it is in its current state.',
  {
    body: Body,
    replyTo: Type.Optional(Seq),
    changedSeq: Type.Optional(
      Type.With(Seq, {
        description:
          'The last entry that changed the message, already applied here. Missing if nothing has changed it.',
      }),
    ),
    editedAt: Type.Optional(Type.With(At, { description: 'When the sender last edited it.' })),
    pin: Type.Optional(
      Type.Object(
        { seq: Seq, pinned: Type.Boolean() },
        {
          additionalProperties: false,
          description:
            'Whether the message is pinned, and the last entry that changed it. Missing if it was never pinned.',
        },
      ),
    ),
    reactions: Type.Optional(
      Type.Object(
        {
          version: ReactionVersion,
          counts: ReactionCounts,
          own: Type.Optional(
            Type.Object(
              { version: ReactionVersion, emojis: Type.Array(Emoji) },
              {
                additionalProperties: false,
                description:
                  'What the reader has on it, and the version that said so. Left out when they never reacted.',
              },
            ),
          ),
        },
        { additionalProperties: false, description: 'Left out when nobody ever reacted.' },
      ),
    ),
    removed: Type.Optional(
      Type.With(Removed, {
        description:
          'Who removed the content: an operator, the sender, or an owner or admin of the group. The body says so, for clients that do not know this field.',
      }),
    ),
    expiresAt: Type.Optional(
      Type.With(At, {
        description: 'When the message disappears: hide it from then on. Absent when it does not.',
      }),
    ),
    quote: Type.Optional(
      Type.With(Quote, {
        description:
          'The message in `replyTo` as you may see it now. In pages and replays only: live, its readers may see different things.',
      }),
    ),
    forwarded: Type.Optional(
      Type.Object(
        {
          by: Type.Optional(
            Type.With(Uuid, {
              description:
                'The author. Left out if you and the author have a block between you, and live if any member has.',
            }),
          ),
          at: Type.With(At, { description: 'When the author posted it.' }),
        },
        {
          additionalProperties: false,
          description:
            'Set on a forwarded message: the content is the author’s. The conversation it came from is not told.',
        },
      ),
    ),
  },
  {
    op: 'message.send',
    description:
      'Sends a message. Acknowledged after the commit. Idempotent: repeating it with the same clientId returns the first result.',
    fields: { body: PostedBody, replyTo: Type.Optional(Seq) },
  },
)

export const messageForward = alsoMakes(messageNew, {
  op: 'message.forward',
  description:
    'Posts a copy of a message that you can read, from this conversation or another. The server copies the body, without its mentions, so that the content is authentic. Idempotent: repeating it with the same clientId returns the first result.',
  fields: {
    source: Type.Object(
      { conversation: Uuid, seq: Seq },
      { additionalProperties: false, description: 'The message to forward.' },
    ),
  },
})
