import { Type } from 'typebox'
import { Entry } from '../entries.ts'
import { Cursor, Epoch, ReplyBytes, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { command } from '../message.ts'

export const historyPage = command(
  'history.page',
  'Gets entries of a conversation in ascending order: those after a seq, or the last ones before a seq; the latest by default.',
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
          description: `There is more in this direction: ask again, after the last entry or before the first. A page ends at its limit or at ${limits.replyBytesMax.toLocaleString('en')} bytes.`,
        }),
      ),
    },
    {
      additionalProperties: false,
      description: '`from` is the first seq the caller may see in this conversation.',
    },
  ),
)
