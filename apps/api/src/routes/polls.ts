/** Polls, for who has no socket; and who voted. */
import { randomUUID } from 'node:crypto'
import { messages } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function pollRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.polls, {
    vote: async ({ params: { id: conversation, seq: target }, body, caller }) =>
      messages.vote(chat, caller.user, { conversation, target, ...body }),
    closePoll: async ({ params: { id: conversation, seq: target }, caller }) =>
      messages.closePoll(chat, caller.user, { conversation, target, clientId: randomUUID() }),
    listVoters: async ({ params: { id: conversation, seq: target }, query, caller }) =>
      messages.listVoters(chat, caller.user, { conversation, target, ...query }),
  })
}
