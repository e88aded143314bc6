/** The accounts elsewhere that belong to one's account here. */
import { identities, sessions } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../http/client.ts'
import { take } from '../http/limits.ts'
import { serve } from '../http/serve.ts'
import { createVisits } from './providers.ts'

export function identityRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  const visits = createVisits(deps)

  serve(app, deps, rest.identities, {
    listIdentities: async request => ({ identities: await identities.list(chat, request.caller.user) }),

    beginIdentityVisit: async request => {
      const { body, caller: by } = request
      const { provider, returnTo, prove = false } = body
      await take(deps.counter, `visit:${by.user}`, deps.settings.visits)
      if (!prove) await sessions.demandFresh(chat, by.session)
      return visits.begin({ provider, returnTo, purpose: prove ? 'prove' : 'link', by })
    },

    linkIdentity: {
      admit: deps.admitChange,
      handle: async request => {
        const client = clientOf(deps, request)
        await identities.link(chat, request.caller, { ...request.body, client })
      },
    },

    unlinkIdentity: {
      admit: deps.admitChange,
      handle: async request => {
        const { caller, params } = request
        await sessions.demandFresh(chat, caller.session)
        await identities.unlink(chat, caller, { provider: params.provider, client: clientOf(deps, request) })
      },
    },
  })
}
