import { Type } from 'typebox'
import { Body, Seq, TextBody } from '../fields.ts'
import { entryByCommand } from '../message.ts'

const target = Type.With(Seq, { description: 'The message.' })

export const messageEdited = entryByCommand(
  'message.edited',
  8,
  'The sender of a message has put another body in its place. It is no new message: it is not unread, and no push tells of it.',
  {
    target,
    body: Type.Optional(
      Type.With(Body, {
        description: 'What the message says from here on. Left out when a later entry has changed the message again.',
      }),
    ),
  },
  {
    op: 'message.edit',
    description:
      'Replaces the body of a message that the person has sent, unless it was removed. The reply leaves after the commit. Repeated with the same clientId, it is answered with the first result.',
    fields: { target, body: TextBody },
  },
)
