/** Being asked into conversations: by strangers into direct ones, and into groups. Live: `conversation.requested`. */
import { requests } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function conversationRequestRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.conversationRequests, {
    listConversationRequests: async request => requests.list(chat, request.caller.user, request.query),

    getConversationRequest: async request => requests.get(chat, request.caller.user, request.params.id),

    acceptConversationRequest: async request => requests.accept(chat, request.caller.user, request.params.id),

    declineConversationRequest: async request => {
      await requests.decline(chat, request.caller.user, request.params.id)
    },

    cancelConversationRequest: async request => {
      await requests.cancel(chat, request.caller.user, request.params.id)
    },
  })
}
