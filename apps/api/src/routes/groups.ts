/** What a group is set to, its owner, and who in it is silenced or banned from it. Its picture: avatars.ts. */
import { conversations } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function groupRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.groups, {
    changeGroup: async ({ params, body, caller }) => {
      await conversations.changeGroup(chat, caller.user, { ...body, conversation: params.id })
      return conversations.get(chat, caller.user, params.id)
    },

    handOnGroup: async ({ params, body, caller }) =>
      conversations.handOn(chat, caller.user, { conversation: params.id, user: body.user }),

    silenceMember: async ({ params, body, caller }) => {
      const { id: conversation, user } = params
      return conversations.silenceMember(chat, caller.user, { conversation, user, until: body.untilMs })
    },

    banMember: async ({ params, caller }) => {
      await conversations.ban(chat, caller.user, { conversation: params.id, user: params.user })
    },

    unbanMember: async ({ params, caller }) => {
      await conversations.unban(chat, caller.user, { conversation: params.id, user: params.user })
    },

    listBans: async ({ params, query, caller }) =>
      conversations.bans(chat, caller.user, { conversation: params.id, ...query }),
  })
}
