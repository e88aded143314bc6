/** The log of a conversation: reading a page of it, and posting without a socket. */
import { messages } from '@flotilla/chat'
import { up } from '@flotilla/protocol/schemas'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, ById, HistoryPage, Posted } from '../shapes.ts'

const closed = { additionalProperties: false }
/** The same fields as on the socket, without those that only a frame needs. */
const { after, before, limit, bytesMax } = up['history.page'].schema.properties
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
        summary: 'Read a page of the log',
        description:
          'The entries of a conversation in rising order: those after a seq, or the last ones before a seq; without either, the latest. A page ends at its limit or its size in bytes: `more` says whether there is another.',
        querystring: Type.Object({ after, before, limit, bytesMax }, closed),
        response: {
          200: answered(
            'Entries in rising order. `from` is the seq of the first entry that the caller may see.',
            HistoryPage,
          ),
          ...refusals(...inside),
        },
      },
    },
    async request => messages.history(chat, request.caller.user, { conversation: request.params.id, ...request.query }),
  )

  app.post(
    '/conversations/:id/messages',
    {
      preParsing,
      config: { outOfTurn: true },
      schema: {
        ...shared,
        operationId: 'postMessage',
        summary: 'Post a message',
        description:
          'The answer leaves after the commit. Repeated with the same `clientId`, it is answered with the first result.',
        body: Type.Object({ clientId, body, replyTo }, closed),
        response: {
          201: answered('The place of the message in the conversation.', Posted),
          ...refusals(
            ...bodyCodes,
            ...inside,
            'direct_closed',
            'request_waiting',
            'message_unknown',
            'data_too_deep',
            'quota_exceeded',
          ),
        },
      },
    },
    async (request, reply) => {
      const input = { conversation: request.params.id, ...request.body }
      return reply.code(201).send(await messages.post(chat, request.caller.user, input))
    },
  )
}
