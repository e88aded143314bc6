/** What becomes of a message: edited, deleted for everybody, forwarded. */
import { randomUUID } from 'node:crypto'
import { messages } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function messageChangeRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.messageChanges, {
    editMessage: async ({ params: { id: conversation, seq: target }, body, caller }) =>
      messages.edit(chat, caller.user, { conversation, target, ...body }),
    deleteMessage: async ({ params: { id: conversation, seq: target }, caller }) => {
      await messages.remove(chat, caller.user, { conversation, target, clientId: randomUUID() })
    },
    listVersions: async ({ params: { id: conversation, seq }, query, caller }) =>
      messages.versions(chat, caller.user, { conversation, seq, ...query }),
    forwardMessage: {
      config: { outOfTurn: true },
      handle: async ({ params: { id: conversation }, body, caller }) =>
        messages.forward(chat, caller.user, { conversation, ...body }),
    },
  })
}
