/** The queue of reports, for operators. */
import { reports } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function operatorReportRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.operatorReports, {
    listReports: async request => reports.list(chat, request.query),

    resolveReport: async request => {
      await reports.decide(chat, request.caller.user, { report: request.params.id, ...request.body })
    },
  })
}
