/** Conversations: opening, listing, reading, renaming, muting. */
import { Type } from 'typebox'
import { entries } from '../entries.ts'
import { At, Cursor, groupFields, Role, Seq, TimerMs, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { answered, ById, closed, done, listOf, named, nameOf, PageCursor, pageLimit, User } from './fields.ts'
import { routes } from './route.ts'
import { mutedForEver } from './words.ts'

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
      head: Cursor,
      headAt: At,
      role: Role,
      joinedSeq: Seq,
      clearedSeq: Type.Optional(Type.With(Seq, { description: 'You cleared the conversation up to this seq.' })),
      deliveredSeq: Cursor,
      readSeq: Cursor,
      unread: Type.Integer({ minimum: 0 }),
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

export const conversations = routes('conversations', 'session', {
  openConversation: {
    at: 'POST /v1/conversations',
    summary: 'Open a conversation',
    description:
      'Two users share one direct conversation: opening it again returns the existing one, and accepts it if the caller has an open request. Users who want to be asked first receive a request instead of becoming members (`GET /v1/conversation-requests`); a direct conversation is `pending` until they accept.',
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
    description: 'Most recently active first.',
    query: Type.Object({ limit: pageLimit(50, 100), after: Type.Optional(PageCursor) }, closed),
    answers: { 200: answered('A page of conversations.', ConversationPage) },
  },
  getConversation: {
    at: 'GET /v1/conversations/{id}',
    summary: 'Get a conversation',
    description: 'Includes the caller’s role, cursors and unread count.',
    params: ById,
    answers: { 200: answered('The conversation.', Conversation) },
    refusals: ['conversation_unknown', 'not_a_member'],
  },
  renameConversation: {
    at: 'PATCH /v1/conversations/{id}',
    summary: 'Rename a group',
    description: 'Requires the `edit` permission. Appends an entry to the log.',
    params: ById,
    body: Type.Object({ name: GroupName }, closed),
    answers: { 200: answered('The renamed group.', Conversation) },
    refusals: ['conversation_unknown', 'not_a_member', 'role_insufficient', 'not_a_group'],
  },
  setTimer: {
    at: 'PUT /v1/conversations/{id}/timer',
    summary: 'Set the message timer',
    description:
      'Messages posted from now on disappear this long after they were sent. Earlier messages keep the timer that they were posted with. In a direct conversation both users can set it, in a group owners and admins. Appends an entry to the log.',
    params: ById,
    body: Type.Object({ timerMs: TimerMs }, closed),
    answers: { 200: answered('The conversation with its new timer.', Conversation) },
    refusals: ['conversation_unknown', 'not_a_member', 'role_insufficient', 'blocked'],
  },
  muteConversation: {
    at: 'PUT /v1/conversations/{id}/mute',
    summary: 'Mute or unmute a conversation',
    description:
      'A muted conversation sends no push notifications and does not count toward the badge. Other members are not told.',
    params: ById,
    body: Muting,
    answers: done(),
    refusals: ['conversation_unknown', 'not_a_member'],
  },
})
