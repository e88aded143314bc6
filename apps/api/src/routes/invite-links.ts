/** Links by which people come into a group, and asking to be let in where a link says so. */
import { joinRequests, links } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { take } from '../http/limits.ts'
import { answer, serve } from '../http/serve.ts'

export function inviteLinkRoutes(app: Api, deps: RouteDeps): void {
  const { chat, counter, settings } = deps
  /** Looking and joining are one count: both tell whether a token is one. */
  const admit = (user: string) => take(counter, `link:${user}`, settings.linkTries)
  serve(app, deps, rest.inviteLinks, {
    makeInviteLink: async ({ params, body, caller }) =>
      links.make(chat, caller.user, { ...body, conversation: params.id }),

    listInviteLinks: async ({ params, query, caller }) =>
      links.list(chat, caller.user, { conversation: params.id, ...query }),

    revokeInviteLink: async ({ params, caller }) => {
      await links.revoke(chat, caller.user, { conversation: params.id, link: params.link })
    },

    previewInviteLink: async ({ body, caller }) => {
      await admit(caller.user)
      return links.preview(chat, caller.user, body.token)
    },

    joinByInviteLink: async ({ body, caller }) => {
      await admit(caller.user)
      const joined = await links.join(chat, caller.user, body.token)
      return 'request' in joined ? answer(202, joined.request) : answer(200, joined.conversation)
    },
  })
}

export function joinRequestRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.joinRequests, {
    listJoinRequests: async ({ params, query, caller }) =>
      joinRequests.list(chat, caller.user, { conversation: params.id, ...query }),

    approveJoinRequest: async ({ params, caller }) =>
      joinRequests.approve(chat, caller.user, { conversation: params.id, user: params.user }),

    declineJoinRequest: async ({ params, caller }) => {
      await joinRequests.decline(chat, caller.user, { conversation: params.id, user: params.user })
    },

    listOwnJoinRequests: async ({ query, caller }) => joinRequests.own(chat, caller.user, query),

    withdrawJoinRequest: async ({ params, caller }) => {
      await joinRequests.withdraw(chat, caller.user, params.id)
    },
  })
}
