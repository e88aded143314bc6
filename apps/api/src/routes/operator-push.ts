/** What became of pushes and jobs, for operators: the trace of each, and the lists of those that were given up. */
import { jobs, push } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function operatorPushRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.operatorPush, {
    listPushes: async request => {
      const { limit, after, ...filter } = request.query
      return push.list(chat, filter, { limit, after })
    },

    listDeadPushes: async request => push.listDead(chat, request.query),

    retryPush: async request => {
      await push.retry(chat, request.params.id)
    },

    listDeadJobs: async request => jobs.listDead(chat, request.query),

    retryJob: async request => {
      await jobs.retry(chat, request.params.id)
    },
  })
}
