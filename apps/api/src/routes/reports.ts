/** Telling the operators about a person, or about a message of theirs. */
import { reports } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { take } from '../http/limits.ts'
import { answer, serve } from '../http/serve.ts'

export function reportRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.reports, {
    report: async request => {
      const { body, caller } = request
      await take(deps.counter, `report:${caller.user}`, deps.settings.reports)
      const { id, created } = await reports.file(chat, caller.user, body)
      return answer(created ? 201 : 200, { id })
    },
  })
}
