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
      description: 'Here is everything after the cursor up to head.',
    },
  ),
  Type.Object(
    { ...base, verdict: Type.Literal('behind'), head: Cursor, from: Cursor, after: Type.Optional(Cursor) },
    {
      ...open,
      description:
        'More is missing than fits in: page it with history.page, after the cursor; `from` is the first seq the caller may see. Of a conversation that was not named, when `start` was: page it after `after`.',
    },
  ),
  Type.Object(
    { ...base, verdict: Type.Literal('resync'), head: Cursor, from: Cursor },
    {
      ...open,
      description:
        'The cursor is of another epoch, beyond the head, or too far back: forget what is held and start from the latest page.',
    },
  ),
  Type.Object(
    { ...base, verdict: Type.Literal('left') },
    {
      ...open,
      description: 'The caller is not a member any longer, or never was.',
    },
  ),
])
export type Verdict = Type.Static<typeof Verdict>

export const syncResume = command(
  'sync.resume',
  'Says where a device stands and gets everything that it missed, or a verdict that says so. Conversations that were named and are up to date are not in the answer.',
  {
    epoch: Type.Optional(Epoch),
    cursors: Type.Array(ConversationCursor, { maxItems: limits.resumeCursorsMax }),
    only: Type.Optional(
      Type.Boolean({
        description: 'Answer only about the conversations named, not about those the device does not know yet.',
      }),
    ),
    after: Type.Optional(
      Type.With(Uuid, {
        description:
          'Of the conversations not named, answer about those with a higher id: `next` of the answer before, or the last id of the command before.',
      }),
    ),
    upto: Type.Optional(
      Type.With(Uuid, { description: 'Of the conversations not named, answer about those up to this id.' }),
    ),
    bytesMax: Type.Optional(ReplyBytes),
    start: Type.Optional(
      Type.Union([Type.Literal('latest'), Type.Literal('unread')], {
        description: `Where conversations begin that the command does not name: with the last ${limits.resumeLatestMax} entries, or after what the person has read. Left out, with the first entry that the caller may see.`,
      }),
    ),
  },
  Type.Object(
    {
      epoch: Epoch,
      verdicts: Type.Array(Verdict),
      next: Type.Optional(
        Type.With(Uuid, {
          description: `There are more conversations that were not named than the ${limits.resumeConversationsMax.toLocaleString('en')} of one answer: ask again with \`after\` set to this.`,
        }),
      ),
    },
    { additionalProperties: false },
  ),
)
