import { Type } from 'typebox'
import { At, Body, Seq, TextBody } from '../fields.ts'
import { entryByCommand } from '../message.ts'

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
    removed: Type.Optional(
      Type.Literal('operator', {
        description: 'An operator removed the content. The body says so, for clients that do not know this field.',
      }),
    ),
  },
  {
    op: 'message.send',
    description:
      'Sends a message. Acknowledged after the commit. Idempotent: repeating it with the same clientId returns the first result.',
    fields: { body: TextBody, replyTo: Type.Optional(Seq) },
  },
)
