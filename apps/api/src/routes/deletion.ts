/** The end of an account: asked for, taken back. */
import { accounts } from '@flotilla/chat'
import { At } from '@flotilla/protocol/schemas'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../client.ts'
import { refusals } from '../refusals.ts'
import { answered } from '../shapes.ts'

export function deletionRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  const shared = { tags: ['account'], security: [{ accessToken: [] }] }

  app.put(
    '/me/deletion',
    {
      preParsing: deps.authenticateChange,
      schema: {
        ...shared,
        operationId: 'askDeletion',
        summary: 'Delete my account',
        description:
          'The account is erased at `deleteAfter`; until then, signing in and `DELETE /v1/me/deletion` take it back. All other sessions end now. What the person wrote stays in the conversations of others, without a name. Asking again changes nothing.',
        response: {
          200: answered(
            'When the account is erased.',
            Type.Object({ deleteAfter: At }, { additionalProperties: false }),
          ),
          ...refusals('unauthenticated', 'proof_needed', 'user_unknown'),
        },
      },
    },
    async request => {
      const { user, session } = request.caller
      return accounts.askDeletion(chat, user, { session, client: clientOf(deps, request) })
    },
  )

  app.delete(
    '/me/deletion',
    {
      preParsing: deps.authenticateChange,
      schema: {
        ...shared,
        operationId: 'cancelDeletion',
        summary: 'Keep my account after all',
        description: 'Takes the deletion back. Succeeds too if none was asked for.',
        response: { 204: Type.Null({ description: 'It stays.' }), ...refusals('unauthenticated') },
      },
    },
    async (request, reply) => {
      const { user, session } = request.caller
      await accounts.cancelDeletion(chat, user, { session, client: clientOf(deps, request) })
      return reply.code(204).send(null)
    },
  )
}
