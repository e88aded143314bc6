/** The log of a conversation: reading a page of it, and posting without a socket. */
import { messages } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function messageRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.messages, {
    history: async request =>
      messages.history(chat, request.caller.user, { conversation: request.params.id, ...request.query }),

    postMessage: {
      config: { outOfTurn: true },
      handle: async request => {
        const input = { conversation: request.params.id, ...request.body }
        return messages.post(chat, request.caller.user, input)
      },
    },
  })
}
