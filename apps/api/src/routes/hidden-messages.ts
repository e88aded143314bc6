/** What somebody hides for themselves. */
import { messages } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function hiddenMessageRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.hiddenMessages, {
    hideMessages: async ({ params: { id: conversation }, body, caller }) =>
      messages.hide(chat, caller.user, { conversation, ...body }),
    clearConversation: async ({ params: { id: conversation }, body, caller }) =>
      messages.clear(chat, caller.user, { conversation, ...body }),
    listHidden: async ({ query, caller }) => messages.listHidden(chat, caller.user, query),
  })
}
