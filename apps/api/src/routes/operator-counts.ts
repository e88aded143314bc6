/** How much is written, for operators: entries by day and kind. */
import { operators } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

const daysDefault = 30

export function operatorCountRoutes(app: Api, deps: RouteDeps): void {
  serve(app, deps, rest.operatorCounts, {
    listEntryCounts: async request => ({
      counts: await operators.entryCounts(deps.chat, request.query.days ?? daysDefault),
    }),
  })
}
