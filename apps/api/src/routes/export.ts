/** All of one's data, as an archive. */
import type { Readable } from 'node:stream'
import { lifecycle, security, sessions } from '@flotilla/chat'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { archiveOf } from '../archive.ts'
import { clientOf } from '../client.ts'
import { take } from '../limits.ts'
import { refusals } from '../refusals.ts'

export function exportRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps

  app.get(
    '/me/export',
    {
      // It would count as one of the few.
      exposeHeadRoute: false,
      preParsing: deps.authenticate,
      config: { outOfTurn: true },
      schema: {
        operationId: 'exportMe',
        summary: 'Export all my data',
        description:
          'A ZIP archive of JSON: the account, its settings, sessions, devices, contacts, notifications, conversations, and the entries of each conversation that the caller may see, one on each line. It is written while it is sent, so its length is not known in advance.',
        tags: ['account'],
        security: [{ accessToken: [] }],
        response: {
          200: {
            description: 'The archive.',
            content: { 'application/zip': { schema: Type.Unsafe<Readable>({ type: 'string', format: 'binary' }) } },
          },
          ...refusals('unauthenticated', 'proof_needed', 'user_unknown'),
        },
      },
    },
    async (request, reply) => {
      const { user, session } = request.caller
      await sessions.demandFresh(chat, session)
      await take(deps.counter, `export:${user}`, deps.settings.exports)
      await security.note(chat, { user, kind: 'exported', session, client: clientOf(deps, request) })
      const archive = archiveOf(lifecycle.exportOf(chat, user), key => deps.storage.get(key))
      return reply
        .type('application/zip')
        .header('content-disposition', 'attachment; filename="flotilla-export.zip"')
        .send(archive)
    },
  )
}
