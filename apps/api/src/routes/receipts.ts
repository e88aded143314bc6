/** How far a conversation was received and read. */
import { receipts } from '@flotilla/chat'
import { Cursor } from '@flotilla/protocol/schemas'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { ById } from '../shapes.ts'

export function receiptRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  app.put(
    '/conversations/:id/receipts',
    {
      preParsing: deps.authenticate,
      config: { outOfTurn: true },
      schema: {
        operationId: 'putReceipts',
        summary: 'Tell how far I have received and read',
        description:
          'Cursors only rise: one that is lower than before changes nothing. What is read has been delivered too.',
        tags: ['messages'],
        security: [{ accessToken: [] }],
        params: ById,
        body: Type.Object(
          { delivered: Type.Optional(Cursor), read: Type.Optional(Cursor) },
          { additionalProperties: false, minProperties: 1 },
        ),
        response: {
          204: Type.Null({ description: 'Noted.' }),
          ...refusals(...bodyCodes, 'unauthenticated', 'conversation_unknown', 'not_a_member'),
        },
      },
    },
    async (request, reply) => {
      const { id: conversation } = request.params
      const { delivered, read } = request.body
      const by = request.caller.user
      // Both at once: the domain gathers what comes together into one write.
      await Promise.all([
        ...(delivered === undefined ? [] : [receipts.delivered(chat, by, { conversation, seq: delivered })]),
        ...(read === undefined ? [] : [receipts.read(chat, by, { conversation, seq: read })]),
      ])
      return reply.code(204).send(null)
    },
  )
}
