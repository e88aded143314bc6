/** The log of a conversation: reading a page of it, and posting without a socket. */
import { messages } from '@flotilla/chat'
import { up } from '@flotilla/protocol'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { ById, HistoryPage, Posted } from '../shapes.ts'

const closed = { additionalProperties: false }
/** The same fields as on the socket, without those that only a frame needs. */
const { after, before, limit } = up['history.page'].schema.properties
const { clientId, body, replyTo } = up['message.send'].schema.properties

export function messageRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate: preParsing } = deps
  const shared = { tags: ['messages'], security: [{ accessToken: [] }], params: ById }
  const inside = ['unauthenticated', 'conversation_unknown', 'not_a_member'] as const

  app.get(
    '/conversations/:id/messages',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'history',
        summary: 'A page of the log',
        description: up['history.page'].description,
        querystring: Type.Object({ after, before, limit }, closed),
        response: { 200: HistoryPage, ...refusals(...inside) },
      },
    },
    async request => messages.history(chat, request.caller.user, { conversation: request.params.id, ...request.query }),
  )

  app.post(
    '/conversations/:id/messages',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'postMessage',
        summary: 'Post a message',
        description: up['message.send'].description,
        body: Type.Object({ clientId, body, replyTo }, closed),
        response: {
          201: Posted,
          ...refusals(...bodyCodes, ...inside, 'direct_closed', 'message_unknown', 'data_too_deep'),
        },
      },
    },
    async (request, reply) => {
      const input = { conversation: request.params.id, ...request.body }
      return reply.code(201).send(await messages.post(chat, request.caller.user, input))
    },
  )
}
