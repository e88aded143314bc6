import { Type } from 'typebox'
import { Seq } from '../fields.ts'
import { entryByCommand } from '../message.ts'

const target = Type.With(Seq, { description: 'The message.' })

export const messagePinned = entryByCommand(
  'message.pinned',
  10,
  'Somebody pinned a message for everybody in the conversation.',
  { target },
  {
    op: 'message.pin',
    description:
      'Pins a message: in a group for owners and admins, in a direct conversation for both. A message that is pinned already is answered with the entry that says so.',
    fields: { target },
  },
)

export const messageUnpinned = entryByCommand(
  'message.unpinned',
  11,
  'A message is not pinned any longer.',
  { target },
  {
    op: 'message.unpin',
    description: 'Unpins a message, whoever has pinned it.',
    fields: { target },
  },
)
