/** Conversations: opening, listing, reading, renaming, muting. */
import { Type } from 'typebox'
import { entries } from '../entries.ts'
import { At, Cursor, Role, Seq, Uuid } from '../fields.ts'
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
      head: Cursor,
      headAt: At,
      role: Role,
      joinedSeq: Seq,
      deliveredSeq: Cursor,
      readSeq: Cursor,
      unread: Type.Integer({ minimum: 0 }),
      mutedUntil: Type.Optional(At),
      memberCount: Type.Integer({ minimum: 0 }),
      pending: Type.Optional(
        Type.Boolean({
          description:
            'The other has not accepted the direct conversation yet: named among `members`, but not in it, and told nothing but that somebody asks. Few messages may be sent before.',
        }),
      ),
      members: Type.Optional(
        listOf(Type.Object({ user: User, role: Role }, closed), {
          description: 'Left out of large groups; page them then.',
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
      members: listOf(Uuid, { maxItems: limits.membersAtOnceMax, description: 'Without oneself.' }),
    },
    closed,
  ),
])
const Muting = Type.Object(
  {
    untilMs: Type.Union([Type.Integer({ minimum: 0, maximum: mutedForEver }), Type.Null()], {
      description: `Milliseconds since 1970; ${mutedForEver} is for ever. Null ends it.`,
    }),
  },
  closed,
)

export const conversations = routes('conversations', 'session', {
  openConversation: {
    at: 'POST /v1/conversations',
    summary: 'Open a conversation',
    description:
      'Two people have one direct conversation: opening it again answers 200 with the one that exists, and accepts it where the caller was asked. Whoever wants to be asked first gets a request instead of becoming a member (`GET /v1/conversation-requests`); a direct conversation is `pending` until then.',
    body: Opening,
    answers: {
      200: answered('The direct conversation existed.', Conversation),
      201: answered('It is new.', Conversation),
    },
    refusals: ['user_unknown', 'direct_closed', 'direct_refused', 'conversation_full', 'too_many'],
  },
  listConversations: {
    at: 'GET /v1/conversations',
    summary: 'List my conversations',
    description: 'The one with the latest entry first.',
    query: Type.Object({ limit: pageLimit(50, 100), after: Type.Optional(PageCursor) }, closed),
    answers: { 200: answered('A page of conversations.', ConversationPage) },
  },
  getConversation: {
    at: 'GET /v1/conversations/{id}',
    summary: 'Read a conversation',
    description: 'As the caller sees it: their role, their cursors, and how much is unread.',
    params: ById,
    answers: { 200: answered('The conversation.', Conversation) },
    refusals: ['conversation_unknown', 'not_a_member'],
  },
  renameConversation: {
    at: 'PATCH /v1/conversations/{id}',
    summary: 'Rename a group',
    description: 'For owners and admins. The new name is an entry of the conversation.',
    params: ById,
    body: Type.Object({ name: GroupName }, closed),
    answers: { 200: answered('The group with its new name.', Conversation) },
    refusals: ['conversation_unknown', 'not_a_member', 'role_insufficient', 'direct_fixed'],
  },
  muteConversation: {
    at: 'PUT /v1/conversations/{id}/mute',
    summary: 'Mute a conversation, or unmute it',
    description:
      'A muted conversation sends no pushes and does not count towards the badge. The others do not hear of it.',
    params: ById,
    body: Muting,
    answers: done(),
    refusals: ['conversation_unknown', 'not_a_member'],
  },
})
