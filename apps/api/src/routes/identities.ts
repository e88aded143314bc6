/** The accounts elsewhere that belong to one's account here. */
import { identities, sessions } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../http/client.ts'
import { take } from '../http/limits.ts'
import { serve } from '../http/serve.ts'
import { createAuthorizations } from './providers.ts'

export function identityRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  const authorizations = createAuthorizations(deps)

  serve(app, deps, rest.identities, {
    listIdentities: async request => ({ identities: await identities.list(chat, request.caller.user) }),

    beginIdentityAuthorization: async request => {
      const { body, caller: by } = request
      const { provider, returnTo, reauthenticate = false } = body
      await take(deps.counter, `authorization:${by.user}`, deps.settings.providerSignIns)
      if (!reauthenticate) await sessions.demandReauthentication(chat, by.session)
      return authorizations.begin({ provider, returnTo, purpose: reauthenticate ? 'reauthenticate' : 'link', by })
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
        await sessions.demandReauthentication(chat, caller.session)
        await identities.unlink(chat, caller, { provider: params.provider, client: clientOf(deps, request) })
      },
    },
  })
}
