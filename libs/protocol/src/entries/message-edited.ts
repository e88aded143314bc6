import { Type } from 'typebox'
import { Body, Seq, TextBody } from '../fields.ts'
import { entryByCommand } from '../message.ts'

const target = Type.With(Seq, { description: 'The seq of the message.' })

export const messageEdited = entryByCommand(
  'message.edited',
  8,
  'The sender edited a message. It does not count as unread and sends no push notification.',
  {
    target,
    body: Type.Optional(
      Type.With(Body, {
        description: 'The new body. Missing if a later entry changed the message again.',
      }),
    ),
  },
  {
    op: 'message.edit',
    description:
      'Edits a text message of the caller, unless it was removed. Acknowledged after the commit. Idempotent: repeating it with the same clientId returns the first result.',
    fields: { target, body: TextBody },
  },
)
