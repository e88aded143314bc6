import { Type } from 'typebox'
import { Body, Removed, Seq } from '../fields.ts'
import { entryByCommand } from '../message.ts'

const target = Type.With(Seq, { description: 'The message.' })

export const messageDeleted = entryByCommand(
  'message.deleted',
  12,
  'Someone deleted a message for everyone: its sender, or an owner or admin of the group. The entry keeps its seq, sender and time.',
  {
    target,
    removed: Removed,
    body: Type.With(Body, { description: 'Says so.' }),
  },
  {
    op: 'message.delete',
    description:
      'Deletes a message for everyone: your own, within the time limit of the deployment, or any message as owner or admin of a group. The content is erased. For a message that is already deleted, the reply holds the entry that deleted it.',
    fields: { target },
  },
)
