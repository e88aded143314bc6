/** The log of a conversation: reading a page of it, and posting without a socket. */
import { randomUUID } from 'node:crypto'
import { messages } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function messageRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.messages, {
    getHistory: async request =>
      messages.history(chat, request.caller.user, { conversation: request.params.id, ...request.query }),

    listPins: async request => ({ messages: await messages.listPins(chat, request.caller.user, request.params.id) }),
    pinMessage: async ({ params: { id: conversation, seq: target }, caller }) => {
      await messages.pin(chat, caller.user, { conversation, target, clientId: randomUUID() })
    },
    unpinMessage: async ({ params: { id: conversation, seq: target }, caller }) => {
      await messages.unpin(chat, caller.user, { conversation, target, clientId: randomUUID() })
    },

    listReactions: async ({ params: { id: conversation, seq }, query, caller }) =>
      messages.listReactions(chat, caller.user, { conversation, seq, ...query }),
    addReaction: async ({ params: { id: conversation, seq: target, emoji }, caller }) => {
      await messages.react(chat, caller.user, { conversation, target, emoji, on: true, clientId: randomUUID() })
    },
    removeReaction: async ({ params: { id: conversation, seq: target, emoji }, caller }) => {
      await messages.react(chat, caller.user, { conversation, target, emoji, on: false, clientId: randomUUID() })
    },

    listStars: async ({ query, caller }) => messages.listStars(chat, caller.user, query),
    starMessage: async ({ params: { id: conversation, seq }, caller }) =>
      messages.star(chat, caller.user, { conversation, seq }),
    unstarMessage: async ({ params: { id: conversation, seq }, caller }) =>
      messages.unstar(chat, caller.user, { conversation, seq }),

    postMessage: {
      config: { outOfTurn: true },
      handle: async request => {
        const input = { conversation: request.params.id, ...request.body }
        return messages.post(chat, request.caller.user, input)
      },
    },
  })
}
