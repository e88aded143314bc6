import { Type } from 'typebox'
import { Entry } from '../entries.ts'
import { ConversationCursor, Cursor, Epoch, ReplyBytes, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { command } from '../message.ts'

const base = { conversation: Uuid }
const open = { additionalProperties: false }

export const Verdict = Type.Union([
  Type.Object(
    { ...base, verdict: Type.Literal('replayed'), head: Cursor, entries: Type.Array(Entry) },
    {
      ...open,
      description: 'Everything after the cursor up to the head.',
    },
  ),
  Type.Object(
    { ...base, verdict: Type.Literal('behind'), head: Cursor, from: Cursor, after: Type.Optional(Cursor) },
    {
      ...open,
      description:
        'More is missing than fits: page it with history.page, after the cursor; `from` is the first seq the caller may see. For a conversation that was not named, with `start`: page it after `after`.',
    },
  ),
  Type.Object(
    { ...base, verdict: Type.Literal('resync'), head: Cursor, from: Cursor },
    {
      ...open,
      description:
        'The cursor is from another epoch, beyond the head, or too far back: discard local state and start from the latest page.',
    },
  ),
  Type.Object(
    { ...base, verdict: Type.Literal('left') },
    {
      ...open,
      description: 'The caller is not a member.',
    },
  ),
])
export type Verdict = Type.Static<typeof Verdict>

export const syncResume = command(
  'sync.resume',
  'Reports the cursors of a device and gets what it missed, or a verdict on how to catch up. Named conversations that are up to date are omitted.',
  {
    epoch: Type.Optional(Epoch),
    cursors: Type.Array(ConversationCursor, { maxItems: limits.resumeCursorsMax }),
    only: Type.Optional(
      Type.Boolean({
        description: 'Only the conversations named, not those the device does not know yet.',
      }),
    ),
    after: Type.Optional(
      Type.With(Uuid, {
        description:
          'Of the conversations not named, only those with a higher id: `next` of the previous reply, or the last id of the previous command.',
      }),
    ),
    upto: Type.Optional(Type.With(Uuid, { description: 'Of the conversations not named, only those up to this id.' })),
    bytesMax: Type.Optional(ReplyBytes),
    start: Type.Optional(
      Type.Union([Type.Literal('latest'), Type.Literal('unread')], {
        description: `Where conversations start that the command does not name: with the last ${limits.resumeLatestMax} entries, or after the last read entry. By default, with the first entry the caller may see.`,
      }),
    ),
  },
  Type.Object(
    {
      epoch: Epoch,
      verdicts: Type.Array(Verdict),
      next: Type.Optional(
        Type.With(Uuid, {
          description: `There are more conversations than the ${limits.resumeConversationsMax.toLocaleString('en')} of one reply: ask again with this as \`after\`.`,
        }),
      ),
    },
    { additionalProperties: false },
  ),
)
