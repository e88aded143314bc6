/** What operators do to accounts and messages, and the trail of it. The command line does the same (operate.ts). */
import { operators } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { demandNoOperator } from '../operator/operators.ts'
import { type RequestOf, serve } from '../http/serve.ts'

type Act = typeof operators.ban
type Acting = RequestOf<(typeof rest.operatorActions)['banUser']>

export function operatorActionRoutes(app: Api, deps: RouteDeps): void {
  const { chat, settings } = deps
  const perform = async (act: Act, { caller, params, body }: Acting) => {
    demandNoOperator(settings.operators, params.id)
    await act(chat, { operator: caller.user }, { user: params.id, ...body })
  }
  serve(app, deps, rest.operatorActions, {
    getAccountStatus: async ({ params }) => operators.standing(chat, params.id),
    suspendUser: async ({ caller, params, body }) => {
      demandNoOperator(settings.operators, params.id)
      await operators.suspend(chat, { operator: caller.user }, { user: params.id, ...body })
    },
    banUser: async request => perform(operators.ban, request),
    liftSuspension: async request => perform(operators.lift, request),
    signOutUser: async request => perform(operators.signOut, request),
    removeMessage: async ({ caller, params, body }) =>
      operators.removeMessage(chat, { operator: caller.user }, { conversation: params.id, ...body }),
    listOperatorActions: async ({ query: { limit, after, ...filter } }) =>
      operators.list(chat, filter, { limit, after }),
  })
}
