/** Searching people. */
import { people } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { take } from '../http/limits.ts'
import { serve } from '../http/serve.ts'

export function searchRoutes(app: Api, deps: RouteDeps): void {
  serve(app, deps, rest.search, {
    searchPeople: async request => {
      const { user } = request.caller
      await take(deps.counter, `search:${user}`, deps.settings.searches)
      return { users: await people.search(deps.chat, user, request.query.q) }
    },
  })
}
