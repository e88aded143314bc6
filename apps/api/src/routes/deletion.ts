/** The end of an account: asked for, taken back. */
import { accounts } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../http/client.ts'
import { serve } from '../http/serve.ts'

export function deletionRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.deletion, {
    requestDeletion: {
      admit: deps.admitChange,
      handle: async request => {
        const { user, session } = request.caller
        return accounts.requestDeletion(chat, user, { session, client: clientOf(deps, request) })
      },
    },

    cancelDeletion: {
      admit: deps.admitChange,
      handle: async request => {
        const { user, session } = request.caller
        await accounts.cancelDeletion(chat, user, { session, client: clientOf(deps, request) })
      },
    },
  })
}
