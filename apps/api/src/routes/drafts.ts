/** What the caller has begun to write. */
import { drafts } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function draftRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.drafts, {
    listDrafts: async request => drafts.list(chat, request.caller.user, request.query),

    putDraft: async request =>
      drafts.put(chat, request.caller.user, { conversation: request.params.id, ...request.body }),
  })
}
