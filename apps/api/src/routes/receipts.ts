/** How far a conversation was received and read. */
import { receipts } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function receiptRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.receipts, {
    updateReceipts: {
      config: { outOfTurn: true },
      handle: async request => {
        const { id: conversation } = request.params
        const { delivered, read } = request.body
        const by = request.caller.user
        // Both at once: the domain gathers what comes together into one write.
        await Promise.all([
          ...(delivered === undefined ? [] : [receipts.delivered(chat, by, { conversation, seq: delivered })]),
          ...(read === undefined ? [] : [receipts.read(chat, by, { conversation, seq: read })]),
        ])
      },
    },
  })
}
