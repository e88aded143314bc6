import { Type } from 'typebox'
import { At, Body, Emoji, PostedBody, Quote, ReactionCounts, ReactionVersion, Removed, Seq, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { alsoMakes, entryByCommand } from '../message.ts'
import { standing } from './poll-counted.ts'

const Count = Type.Integer({ minimum: 0 })

/** Of messages in a thread. */
const inThread = {
  thread: Type.Optional(
    Type.With(Seq, {
      description:
        'The seq of the root of the thread. A message in a thread is shown in the thread only, does not count as unread in the conversation, and is pushed only to followers of the thread.',
    }),
  ),
  alsoInConversation: Type.Optional(
    Type.Boolean({ description: 'Whether a message in a thread is shown in the conversation too.' }),
  ),
}

const Replies = Type.Object(
  {
    seq: Type.With(Seq, { description: 'The last entry included here.' }),
    count: Type.With(Count, { description: 'Number of replies, without removed ones.' }),
    lastAt: Type.With(At, { description: 'When the last reply was posted.' }),
    people: Type.Array(Uuid, {
      maxItems: limits.threadPeopleMax,
      description: 'The last users who replied, latest first.',
    }),
    following: Type.Boolean({ description: 'Whether you follow the thread.' }),
    readSeq: Type.Optional(Type.With(Seq, { description: 'If you follow it: how far you have read.' })),
    unread: Type.Optional(
      Type.With(Count, { description: 'If you follow it: unread replies by others, counted up to 1,000.' }),
    ),
  },
  { additionalProperties: false, description: 'The thread on this message. Omitted if there are no replies.' },
)

const PollState = Type.Object(
  {
    seq: Type.With(Seq, { description: 'The last entry included here.' }),
    counts: standing.counts,
    voters: standing.voters,
    closed: Type.Optional(
      Type.Literal(true, { description: 'Whether an entry closed it. A poll past its closing time is closed too.' }),
    ),
    mine: Type.Optional(
      Type.Array(Count, {
        maxItems: limits.pollOptionsMax,
        description:
          'Your vote. Omitted if you have not voted. Empty if it is no longer stored: in an anonymous poll that is closed or whose votes are final.',
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'The state of the poll. Omitted before the first vote.',
  },
)

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
    ...inThread,
    replies: Type.Optional(Replies),
    poll: Type.Optional(PollState),
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
    fields: { body: PostedBody, replyTo: Type.Optional(Seq), ...inThread },
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
