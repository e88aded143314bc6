/** Conversations: opening, listing, reading, renaming. */
import { conversations } from '@flotilla/chat'
import { limits } from '@flotilla/protocol'
import { Uuid } from '@flotilla/protocol/schemas'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, ById, Conversation, ConversationPage, GroupName, PageCursor, pageLimit } from '../shapes.ts'

const closed = { additionalProperties: false }
const pageDefault = 50
const pageMax = 100

const Opening = Type.Union([
  Type.Object({ kind: Type.Literal('direct'), user: Uuid }, closed),
  Type.Object(
    {
      kind: Type.Literal('group'),
      name: GroupName,
      members: Type.Array(Uuid, { maxItems: limits.membersAtOnceMax, description: 'Without oneself.' }),
    },
    closed,
  ),
])

export function conversationRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate: preParsing } = deps
  const shared = { tags: ['conversations'], security: [{ accessToken: [] }] }

  app.post(
    '/conversations',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'openConversation',
        summary: 'Open a conversation',
        description:
          'Two people have one direct conversation: opening it again answers 200 with the one that exists, and accepts it where the caller was asked. Whoever wants to be asked first gets a request instead of becoming a member (`GET /v1/conversation-requests`); a direct conversation is `pending` until then.',
        body: Opening,
        response: {
          200: answered('The direct conversation existed.', Conversation),
          201: answered('It is new.', Conversation),
          ...refusals(
            ...bodyCodes,
            'unauthenticated',
            'user_unknown',
            'direct_closed',
            'direct_refused',
            'conversation_full',
            'too_many',
          ),
        },
      },
    },
    async (request, reply) => {
      const { body, caller } = request
      if (body.kind === 'direct') {
        const { conversation, created } = await conversations.createDirect(chat, caller.user, body.user)
        return reply.code(created ? 201 : 200).send(conversation)
      }
      const { name, members } = body
      return reply.code(201).send(await conversations.createGroup(chat, caller.user, { name, members }))
    },
  )

  app.get(
    '/conversations',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listConversations',
        summary: 'List my conversations',
        description: 'The one with the latest entry first.',
        querystring: Type.Object({ limit: pageLimit(pageDefault, pageMax), after: Type.Optional(PageCursor) }, closed),
        response: { 200: answered('A page of conversations.', ConversationPage), ...refusals('unauthenticated') },
      },
    },
    async request => {
      const { limit = pageDefault, after } = request.query
      return conversations.list(chat, request.caller.user, { limit, ...(after === undefined ? {} : { after }) })
    },
  )

  app.get(
    '/conversations/:id',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'getConversation',
        summary: 'Read a conversation',
        description: 'As the caller sees it: their role, their cursors, and how much is unread.',
        params: ById,
        response: {
          200: answered('The conversation.', Conversation),
          ...refusals('unauthenticated', 'conversation_unknown', 'not_a_member'),
        },
      },
    },
    async request => conversations.get(chat, request.caller.user, request.params.id),
  )

  app.patch(
    '/conversations/:id',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'renameConversation',
        summary: 'Rename a group',
        description: 'For owners and admins. The new name is an entry of the conversation.',
        params: ById,
        body: Type.Object({ name: GroupName }, closed),
        response: {
          200: answered('The group with its new name.', Conversation),
          ...refusals(
            ...bodyCodes,
            'unauthenticated',
            'conversation_unknown',
            'not_a_member',
            'role_insufficient',
            'direct_fixed',
          ),
        },
      },
    },
    async request => {
      const { id } = request.params
      await conversations.rename(chat, request.caller.user, { conversation: id, name: request.body.name })
      return conversations.get(chat, request.caller.user, id)
    },
  )

  app.put(
    '/conversations/:id/mute',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'muteConversation',
        summary: 'Mute a conversation, or unmute it',
        description:
          'A muted conversation sends no pushes and does not count towards the badge. The others do not hear of it.',
        params: ById,
        body: Type.Object(
          {
            untilMs: Type.Union([Type.Integer({ minimum: 0, maximum: conversations.mutedUntilMax }), Type.Null()], {
              description: `Milliseconds since 1970; ${conversations.mutedUntilMax} is for ever. Null ends it.`,
            }),
          },
          closed,
        ),
        response: {
          204: Type.Null({ description: 'Done.' }),
          ...refusals(...bodyCodes, 'unauthenticated', 'conversation_unknown', 'not_a_member'),
        },
      },
    },
    async (request, reply) => {
      const muting = { conversation: request.params.id, until: request.body.untilMs }
      await conversations.mute(chat, request.caller.user, muting)
      return reply.code(204).send(null)
    },
  )
}
