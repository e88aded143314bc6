/** What happened to one's own account. */
import { security } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function securityRoutes(app: Api, deps: RouteDeps): void {
  serve(app, deps, rest.security, {
    listSecurityEvents: async request => security.list(deps.chat, request.caller.user, request.query),
  })
}
