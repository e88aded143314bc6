/** Invitations: codes by which others may register. Everybody's own, where people may invite, and those of operators. */
import { invitations } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function invitationRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.invitations, {
    createInvitation: async ({ caller, body }) => invitations.make(chat, caller.user, { ...body, operator: false }),
    listInvitations: async ({ caller, query }) => invitations.list(chat, caller.user, query),
    revokeInvitation: async ({ caller, params }) => invitations.revoke(chat, caller.user, params.id),
  })
  serve(app, deps, rest.operatorInvitations, {
    createInvitationAsOperator: async ({ caller, body }) =>
      invitations.make(chat, caller.user, { ...body, operator: true }),
    listInvitationsAsOperator: async ({ query }) => invitations.list(chat, undefined, query),
    revokeInvitationAsOperator: async ({ params }) => invitations.revoke(chat, undefined, params.id),
  })
}
