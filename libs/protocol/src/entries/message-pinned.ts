import { Type } from 'typebox'
import { Seq } from '../fields.ts'
import { entryByCommand } from '../message.ts'

const target = Type.With(Seq, { description: 'The seq of the message.' })

export const messagePinned = entryByCommand(
  'message.pinned',
  10,
  'A message was pinned for everyone in the conversation.',
  { target },
  {
    op: 'message.pin',
    description:
      'Pins a message. In groups, for owners and admins; in direct conversations, for both users. If the message is already pinned, returns the entry that pinned it.',
    fields: { target },
  },
)

export const messageUnpinned = entryByCommand(
  'message.unpinned',
  11,
  'A message was unpinned.',
  { target },
  {
    op: 'message.unpin',
    description: 'Unpins a message, whoever pinned it.',
    fields: { target },
  },
)
