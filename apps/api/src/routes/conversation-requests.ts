/** Being asked into conversations: by strangers into direct ones, and into groups. Live: `conversation.requested`. */
import { requests } from '@flotilla/chat'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { refusals } from '../refusals.ts'
import {
  answered,
  ById,
  Conversation,
  ConversationRequestPage,
  ConversationRequestRead,
  PageCursor,
  pageLimit,
} from '../shapes.ts'

const closed = { additionalProperties: false }
const pageDefault = 50
const pageMax = 100

export function conversationRequestRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate: preParsing } = deps
  const shared = { tags: ['conversations'], security: [{ accessToken: [] }] }

  app.get(
    '/conversation-requests',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listConversationRequests',
        summary: 'List requests to join conversations',
        description:
          'Those that the caller got and has not answered, or those that they sent; the latest first. They are no conversations of the caller yet: no push tells of them, and no count of what is unread.',
        querystring: Type.Object(
          {
            direction: Type.Union([Type.Literal('sent'), Type.Literal('received')]),
            limit: pageLimit(pageDefault, pageMax),
            after: Type.Optional(PageCursor),
          },
          closed,
        ),
        response: { 200: answered('A page of requests.', ConversationRequestPage), ...refusals('unauthenticated') },
      },
    },
    async request => {
      const { direction, limit = pageDefault, after } = request.query
      return requests.list(chat, request.caller.user, { direction, limit, after })
    },
  )

  app.get(
    '/conversation-requests/:id',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'getConversationRequest',
        summary: 'Read a request to join a conversation',
        description: 'For whom it is for, with what was said. Whoever asks is not told that it was read.',
        params: ById,
        response: {
          200: answered('The request.', ConversationRequestRead),
          ...refusals('unauthenticated', 'request_unknown'),
        },
      },
    },
    async request => requests.get(chat, request.caller.user, request.params.id),
  )

  answerRoutes(app, deps)
}

function answerRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate: preParsing } = deps
  const shared = { tags: ['conversations'], security: [{ accessToken: [] }], params: ById }

  app.post(
    '/conversation-requests/:id/accept',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'acceptConversationRequest',
        summary: 'Accept a request to join a conversation',
        description:
          'The caller is a member from then on. Of a direct conversation they see what was said before, of a group what comes after.',
        response: {
          200: answered('The conversation.', Conversation),
          ...refusals('unauthenticated', 'request_unknown', 'direct_closed', 'conversation_full', 'too_many'),
        },
      },
    },
    async request => requests.accept(chat, request.caller.user, request.params.id),
  )

  app.post(
    '/conversation-requests/:id/decline',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'declineConversationRequest',
        summary: 'Decline a request to join a conversation',
        description:
          'Whoever asked for a direct conversation is not told. Into a group nobody may ask the caller again for a time.',
        response: {
          204: Type.Null({ description: 'It is gone.' }),
          ...refusals('unauthenticated', 'request_unknown'),
        },
      },
    },
    async (request, reply) => {
      await requests.decline(chat, request.caller.user, request.params.id)
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/conversation-requests/:id',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'cancelConversationRequest',
        summary: 'Take back a request to join a group',
        description: 'For whoever sent it, and for the owners and admins of the group.',
        response: {
          204: Type.Null({ description: 'It is gone, and both sides know.' }),
          ...refusals('unauthenticated', 'request_unknown', 'direct_fixed'),
        },
      },
    },
    async (request, reply) => {
      await requests.cancel(chat, request.caller.user, request.params.id)
      return reply.code(204).send(null)
    },
  )
}
