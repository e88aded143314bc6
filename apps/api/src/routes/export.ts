/** All of one's data, as an archive. */
import { lifecycle, security, sessions } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { archiveOf } from '../archive.ts'
import { clientOf } from '../http/client.ts'
import { take } from '../http/limits.ts'
import { serve } from '../http/serve.ts'

export function exportRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.dataExport, {
    exportData: {
      exposeHeadRoute: false,
      config: { outOfTurn: true },
      handle: async (request, reply) => {
        const { user, session } = request.caller
        await sessions.demandReauthentication(chat, session)
        await take(deps.counter, `export:${user}`, deps.settings.exports)
        await security.note(chat, { user, kind: 'data_exported', session, client: clientOf(deps, request) })
        const archive = archiveOf(lifecycle.exportOf(chat, user), key => deps.storage.get(key))
        return reply
          .type('application/zip')
          .header('content-disposition', 'attachment; filename="flotilla-export.zip"')
          .send(archive)
      },
    },
  })
}
