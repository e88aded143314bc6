/** Whom one has blocked. A block closes the direct conversation of the two, both ways, and hides each from the other. */
import { blocks } from '@flotilla/chat'
import { Uuid } from '@flotilla/protocol/schemas'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { refusals } from '../refusals.ts'
import { answered, BlockPage, pageLimit } from '../shapes.ts'

const closed = { additionalProperties: false }
const pageDefault = 100
const pageMax = 200

export function blockRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate: preParsing } = deps
  const shared = { tags: ['contacts'], security: [{ accessToken: [] }] }
  const params = Type.Object({ user: Uuid }, closed)

  app.get(
    '/blocks',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listBlocks',
        summary: 'List whom I have blocked',
        description: 'In the order of their ids.',
        querystring: Type.Object({ limit: pageLimit(pageDefault, pageMax), after: Type.Optional(Uuid) }, closed),
        response: { 200: answered('A page of blocks.', BlockPage), ...refusals('unauthenticated') },
      },
    },
    async request => {
      const { limit = pageDefault, after } = request.query
      return blocks.list(chat, request.caller.user, { limit, after })
    },
  )

  app.put(
    '/blocks/:user',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'block',
        summary: 'Block somebody',
        description:
          'From the answer on, nothing passes between the two: their direct conversation takes no message, contacts and open requests between them are gone, and neither sees when the other is here. What was said before stays readable. The person is not told. In groups, both stay.',
        params,
        response: {
          204: Type.Null({ description: 'The person is blocked.' }),
          ...refusals('unauthenticated', 'user_unknown', 'too_many'),
        },
      },
    },
    async (request, reply) => {
      await blocks.block(chat, request.caller.user, request.params.user)
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/blocks/:user',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'unblock',
        summary: 'Unblock somebody',
        description:
          'A contact that the block has ended does not come back. Unblocking somebody who is not blocked succeeds too.',
        params,
        response: { 204: Type.Null({ description: 'The person is not blocked.' }), ...refusals('unauthenticated') },
      },
    },
    async (request, reply) => {
      await blocks.unblock(chat, request.caller.user, request.params.user)
      return reply.code(204).send(null)
    },
  )
}
