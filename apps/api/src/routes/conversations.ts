/** Conversations: opening, listing, reading, renaming. */
import { conversations } from '@flotilla/chat'
import { limits, Uuid } from '@flotilla/protocol'
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
        description: 'Two people have one direct conversation: to open it again answers 200 with the one that exists.',
        body: Opening,
        response: {
          200: answered('The direct conversation existed.', Conversation),
          201: answered('It is new.', Conversation),
          ...refusals(...bodyCodes, 'unauthenticated', 'user_unknown', 'conversation_full'),
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
        summary: 'My conversations, the latest first',
        querystring: Type.Object({ limit: pageLimit(pageDefault, pageMax), after: Type.Optional(PageCursor) }, closed),
        response: { 200: ConversationPage, ...refusals('unauthenticated') },
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
        summary: 'One conversation',
        params: ById,
        response: { 200: Conversation, ...refusals('unauthenticated', 'conversation_unknown', 'not_a_member') },
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
        params: ById,
        body: Type.Object({ name: GroupName }, closed),
        response: {
          200: Conversation,
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
}
