/** Oneself: the profile and what one decides about it. And others, by name and by id. */
import { people, users } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function profileRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.profile, {
    getProfile: async request => users.me(chat, request.caller.user),

    changeProfile: async request => users.changeProfile(chat, request.caller.user, request.body),

    getSettings: async request => users.settings(chat, request.caller.user),

    changeSettings: async request => users.changeSettings(chat, request.caller.user, request.body),

    findUser: async request => users.find(chat, request.query.username, request.caller.user),

    getUser: async request => people.profile(chat, request.caller.user, request.params.id),
  })
}
