/** Conversations: opening, listing, reading, renaming, and what they are to the caller. */
import { Type } from 'typebox'
import { ConversationSettings, Notify } from '../down/conversation-settings-changed.ts'
import { entries } from '../entries.ts'
import { At, Cursor, Epoch, groupFields, Role, Seq, TimerMs, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import {
  answered,
  asMember,
  ById,
  closed,
  done,
  flag,
  inGroup,
  listOf,
  named,
  nameOf,
  PageCursor,
  pageLimit,
  User,
} from './fields.ts'
import { routes } from './route.ts'
import { mutedForEver } from './words.ts'

const Settings = named('ConversationSettings', ConversationSettings)
const Unread = Type.Integer({
  minimum: 0,
  maximum: 1_000,
  description: 'Unread messages of others, counted up to 1,000.',
})
const Mentions = Type.Integer({
  minimum: 0,
  maximum: 1_000,
  description: 'Unread messages that mention the caller or everybody, counted up to 1,000.',
})

export const Conversation = named(
  'Conversation',
  Type.Object(
    {
      id: Uuid,
      kind: Type.Union([Type.Literal('direct'), Type.Literal('group')]),
      name: Type.Optional(Type.String()),
      group: Type.Optional(
        named(
          'GroupSettings',
          Type.Object(groupFields, { ...closed, description: 'What a group is set to, beside its name.' }),
        ),
      ),
      silencedUntil: Type.Optional(
        Type.With(At, { description: 'Until then the caller may read the group and not post in it.' }),
      ),
      epoch: Epoch,
      head: Cursor,
      headAt: At,
      role: Role,
      joinedSeq: Seq,
      clearedSeq: Type.Optional(Type.With(Seq, { description: 'You cleared the conversation up to this seq.' })),
      deliveredSeq: Cursor,
      readSeq: Cursor,
      unread: Unread,
      mentions: Mentions,
      settings: Settings,
      mutedUntil: Type.Optional(At),
      timerMs: Type.Optional(
        Type.Integer({
          description: 'How long messages posted now last, in milliseconds. Absent when they do not disappear.',
        }),
      ),
      memberCount: Type.Integer({ minimum: 0 }),
      pending: Type.Optional(
        Type.Boolean({
          description:
            'The other user has not accepted the direct conversation yet. They appear in `members` but receive only the request, and few messages can be sent until they accept.',
        }),
      ),
      self: Type.Optional(
        Type.Literal(true, {
          description:
            'The caller’s direct conversation with themselves, for saved messages. Its only member is the caller; nothing in it is ever unread or pushed.',
        }),
      ),
      members: Type.Optional(
        listOf(Type.Object({ user: User, role: Role }, closed), {
          description: 'Omitted for large groups; list the members instead.',
        }),
      ),
      lastMessage: Type.Optional(named('MessageNew', entries['message.new'].schema)),
    },
    closed,
  ),
)
export type Conversation = Type.Static<typeof Conversation>
const ConversationPage = Type.Object({ conversations: listOf(Conversation), next: Type.Optional(PageCursor) }, closed)

/** What waits in the conversations. */
const UnreadCounts = Type.Object(
  {
    conversations: listOf(
      Type.Object(
        {
          conversation: Uuid,
          unread: Unread,
          mentions: Mentions,
          replies: Type.Integer({
            minimum: 0,
            description:
              'Unread replies of others in threads that the caller follows, counted up to 1,000 in each. Replies that are also shown in the conversation count in `unread` instead.',
          }),
          unreadFrom: Type.Optional(Type.With(Cursor, { description: 'Marked as unread.' })),
        },
        closed,
      ),
      { description: 'Those with unread messages or replies or marked as unread, ordered by id.' },
    ),
    unread: Type.Integer({ minimum: 0, description: 'The sum over all conversations, also when the list is a page.' }),
    mentions: Type.Integer({ minimum: 0, description: 'The sum of the mentions.' }),
    replies: Type.Integer({ minimum: 0, description: 'The sum of the replies.' }),
    badge: Type.Integer({
      minimum: 0,
      description: 'For the app icon: the messages and replies that notify, without muted and archived conversations.',
    }),
    next: Type.Optional(PageCursor),
  },
  closed,
)
export type UnreadCounts = Type.Static<typeof UnreadCounts>

const GroupName = nameOf(limits.nameLengthMax)
const Opening = Type.Union([
  Type.Object({ kind: Type.Literal('direct'), user: Uuid }, closed),
  Type.Object(
    {
      kind: Type.Literal('group'),
      name: GroupName,
      members: listOf(Uuid, { maxItems: limits.membersAtOnceMax, description: 'Excluding the caller.' }),
    },
    closed,
  ),
])
const Muting = Type.Object(
  {
    untilMs: Type.Union([Type.Integer({ minimum: 0, maximum: mutedForEver }), Type.Null()], {
      description: `Milliseconds since 1970. ${mutedForEver} mutes forever; null unmutes.`,
    }),
  },
  closed,
)
const SettingsChange = Type.Partial(
  Type.Object(
    {
      notify: Type.Union([Notify, Type.Null()], {
        description: 'Which messages notify. Null uses the caller’s default.',
      }),
      mutedUntilMs: Muting.properties.untilMs,
      archived: Type.Boolean(),
      pinned: Type.Union([Type.Boolean(), Type.Object({ after: Type.Union([Uuid, Type.Null()]) }, closed)], {
        description:
          '`true` pins it at the top, or leaves it where it is pinned already. `after` pins or moves it behind that conversation, or to the top if null. `false` unpins it.',
      }),
      unreadFrom: Type.Union([Cursor, Type.Null()], {
        description: 'Marks it as unread from this message on, or as a whole if 0. Null removes the mark.',
      }),
      readSeq: Type.With(Cursor, {
        description:
          'With `unreadFrom`: how far this device has read. A later receipt removes the mark; one still on its way does not. Defaults to what the server knows.',
      }),
    },
    closed,
  ),
  { ...closed, minProperties: 1 },
)

export const conversations = routes('conversations', 'session', {
  openConversation: {
    at: 'POST /v1/conversations',
    summary: 'Open a conversation',
    description:
      'Two users share one direct conversation: opening it again returns the existing one, and accepts it if the caller has an open request. Users who want to be asked first receive a request instead of becoming members (`GET /v1/conversation-requests`); a direct conversation is `pending` until they accept. With the caller’s own id, it is their conversation with themselves (`self`).',
    body: Opening,
    answers: {
      200: answered('The existing direct conversation.', Conversation),
      201: answered('The new conversation.', Conversation),
    },
    refusals: ['user_unknown', 'blocked', 'contacts_only', 'conversation_full', 'limit_reached'],
  },
  listConversations: {
    at: 'GET /v1/conversations',
    summary: 'List my conversations',
    description:
      'Most recently active first. Show pinned conversations above the others, lowest rank first: `?pinned=true` returns them, at most 20.',
    query: Type.Object(
      {
        limit: pageLimit(50, 100),
        after: Type.Optional(PageCursor),
        archived: Type.Optional(flag('Only archived conversations, or only those that are not.')),
        pinned: Type.Optional(flag('Only pinned conversations, or only those that are not.')),
      },
      closed,
    ),
    answers: { 200: answered('A page of conversations.', ConversationPage) },
  },
  getConversation: {
    at: 'GET /v1/conversations/{id}',
    summary: 'Get a conversation',
    description: 'Includes the caller’s role, cursors and unread count.',
    params: ById,
    answers: { 200: answered('The conversation.', Conversation) },
    refusals: asMember,
  },
  renameConversation: {
    at: 'PATCH /v1/conversations/{id}',
    summary: 'Rename a group',
    description: 'Requires the `edit` permission. Appends an entry to the log.',
    params: ById,
    body: Type.Object({ name: GroupName }, closed),
    answers: { 200: answered('The renamed group.', Conversation) },
    refusals: inGroup,
  },
  setTimer: {
    at: 'PUT /v1/conversations/{id}/timer',
    summary: 'Set the message timer',
    description:
      'Messages posted from now on disappear this long after they were sent. Earlier messages keep the timer that they were posted with. In a direct conversation both users can set it, in a group owners and admins. Appends an entry to the log.',
    params: ById,
    body: Type.Object({ timerMs: TimerMs }, closed),
    answers: { 200: answered('The conversation with its new timer.', Conversation) },
    refusals: [...asMember, 'role_insufficient', 'blocked'],
  },
  countUnread: {
    at: 'GET /v1/unread',
    summary: 'Count unread messages',
    description:
      'For all conversations, and the followed threads in them, in one call. Edits, reactions, deleted messages and the caller’s own messages do not count. The totals cover all conversations, also when the list is a page.',
    query: Type.Object({ after: Type.Optional(PageCursor) }, closed),
    answers: {
      200: answered('Conversations with unread messages, unread replies or a mark, and the totals.', UnreadCounts),
    },
  },
  changeConversationSettings: {
    at: 'PATCH /v1/conversations/{id}/preferences',
    summary: 'Change my settings for a conversation',
    description:
      'Mutes, archives, pins or marks it as unread, or chooses which messages notify. Omitted fields stay unchanged. The caller’s devices receive `conversation.settings_changed`; other members are not told.',
    params: ById,
    body: SettingsChange,
    answers: { 200: answered('The settings after the change.', Settings) },
    refusals: [...asMember, 'limit_reached'],
  },
  muteConversation: {
    at: 'PUT /v1/conversations/{id}/mute',
    summary: 'Mute or unmute a conversation',
    description:
      'A muted conversation sends no push notifications and does not count toward the badge. Other members are not told.',
    params: ById,
    body: Muting,
    answers: done(),
    refusals: asMember,
  },
})
