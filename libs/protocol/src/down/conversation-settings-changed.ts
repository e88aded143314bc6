import { Type } from 'typebox'
import { At, Cursor, Uuid } from '../fields.ts'
import { signal } from '../message.ts'
import { notifies } from '../rest/words.ts'

/** What tells a person of a conversation. */
export const Notify = Type.Unsafe<(typeof notifies)[number]>(
  Type.Union(
    notifies.map(one => Type.Literal(one)),
    {
      description:
        'Which messages are pushed and count toward the badge: all, those that mention the user, or none. In a direct conversation every message counts as a mention.',
    },
  ),
)

/** What a conversation is to one of its members, and to nobody else. */
export const ConversationSettings = Type.Object(
  {
    version: Type.Integer({
      minimum: 0,
      description: 'Rises with each change. Ignore an event whose version is not higher than the one you have.',
    }),
    notify: Type.Union([Notify, Type.Null()], {
      description: 'Null uses `notify` of the user’s settings.',
    }),
    mutedUntil: Type.Union([At, Type.Null()], {
      description: 'Until then nothing is pushed or counts toward the badge, whatever `notify` says.',
    }),
    archived: Type.Boolean({
      description:
        'A new message that notifies brings the conversation back: in a muted one none does, with `mentions` only a mention or a reply in a followed thread.',
    }),
    pinned: Type.Union([Type.Number(), Type.Null()], {
      description: 'The rank among the pinned conversations, lowest first. Null if not pinned.',
    }),
    unreadFrom: Type.Union([Cursor, Type.Null()], {
      description:
        'Marked as unread from this message on, or as a whole if 0. Reading on removes the mark; receipts are unaffected.',
    }),
  },
  { additionalProperties: false },
)
export type ConversationSettings = Type.Static<typeof ConversationSettings>

export const conversationSettingsChanged = signal(
  'conversation.settings_changed',
  'The user changed their settings for a conversation: muted, archived, pinned or marked it, or chose which messages notify. Only their own devices receive it.',
  { conversation: Uuid, settings: ConversationSettings },
)
