import { Type } from 'typebox'
import { Entry } from '../entries.ts'
import { Cursor, Epoch, ReplyBytes, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { command } from '../message.ts'

export const historyPage = command(
  'history.page',
  'Reads entries of a conversation in rising order: those after a seq, or the last ones before a seq; without either, the latest.',
  {
    conversation: Uuid,
    after: Type.Optional(Cursor),
    before: Type.Optional(Cursor),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.historyPageMax })),
    bytesMax: Type.Optional(ReplyBytes),
  },
  Type.Object(
    {
      entries: Type.Array(Entry),
      head: Cursor,
      from: Cursor,
      epoch: Epoch,
      more: Type.Optional(
        Type.Boolean({
          description: `There is more in this direction: ask again, after the last entry or before the first. A page ends at its limit, or where it would be larger than ${limits.replyBytesMax.toLocaleString('en')} bytes.`,
        }),
      ),
    },
    {
      additionalProperties: false,
      description: '`from` is the seq of the first entry that the caller may see in this conversation.',
    },
  ),
)
