/** Who is in a group: paging, adding, removing, leaving, roles. Each change answers with its place in the log. */
import { conversations } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function memberRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.members, {
    listMembers: async request =>
      conversations.members(chat, request.caller.user, { conversation: request.params.id, ...request.query }),

    addMembers: async request => {
      const { users } = request.body
      return conversations.addMembers(chat, request.caller.user, { conversation: request.params.id, users })
    },

    removeMember: async request => {
      const { id: conversation, user } = request.params
      return conversations.removeMember(chat, request.caller.user, { conversation, user })
    },

    changeMemberRole: async request => {
      const { id: conversation, user } = request.params
      return conversations.changeRole(chat, request.caller.user, { conversation, user, role: request.body.role })
    },
  })
}
