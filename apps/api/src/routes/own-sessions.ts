/** The caller's own sign-ins: which there are, and ending those that should not be. */
import { sessions } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../http/client.ts'
import { clearRefreshCookie } from '../sign-in/cookies.ts'
import { serve } from '../http/serve.ts'

export function ownSessionRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.ownSessions, {
    listSessions: async request => ({
      sessions: await sessions.list(chat, request.caller.user, request.caller.session),
    }),

    revokeSession: async (request, reply) => {
      const { caller, params } = request
      await sessions.revoke(chat, caller.user, { session: params.id, client: clientOf(deps, request) })
      if (params.id === caller.session) clearRefreshCookie(deps, reply)
    },

    revokeSessions: async (request, reply) => {
      const { caller, query } = request
      const all = query.current === 'true'
      const except = all ? undefined : caller.session
      await sessions.revokeAll(chat, caller.user, { except, client: clientOf(deps, request) })
      if (all) clearRefreshCookie(deps, reply)
    },
  })
}
