/** Messages that are sent later, by the server, though no device is there. */
import { scheduled } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function scheduledRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.scheduled, {
    scheduleMessage: async ({ body, caller }) => scheduled.schedule(chat, caller.user, body),

    listScheduled: async ({ query, caller }) => scheduled.list(chat, caller.user, query),

    editScheduled: async ({ params, body, caller }) => scheduled.edit(chat, caller.user, { id: params.id, ...body }),

    cancelScheduled: async ({ params, caller }) => scheduled.cancel(chat, caller.user, params.id),
  })
}
