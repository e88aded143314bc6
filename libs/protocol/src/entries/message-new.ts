import { Type } from 'typebox'
import { At, Body, Seq, TextBody } from '../fields.ts'
import { entryByCommand } from '../message.ts'

export const messageNew = entryByCommand(
  'message.new',
  1,
  'Somebody posted a message. Live it is as it was posted; in a page or a replay it is as it stands.',
  {
    body: Body,
    replyTo: Type.Optional(Seq),
    changedSeq: Type.Optional(
      Type.With(Seq, {
        description:
          'The last entry that changed the message, and is in here already. Left out when nothing has changed it.',
      }),
    ),
    editedAt: Type.Optional(Type.With(At, { description: 'When the sender last edited it.' })),
    pin: Type.Optional(
      Type.Object(
        { seq: Seq, pinned: Type.Boolean() },
        {
          additionalProperties: false,
          description: 'Whether it is pinned, and the entry that said so last. Left out when it never was.',
        },
      ),
    ),
    removed: Type.Optional(
      Type.Literal('operator', {
        description:
          'An operator took away what was said. The body says so in words, for clients that do not know this.',
      }),
    ),
  },
  {
    op: 'message.send',
    description:
      'Posts a message. The reply leaves after the commit. Repeated with the same clientId, it is answered with the first result.',
    fields: { body: TextBody, replyTo: Type.Optional(Seq) },
  },
)
