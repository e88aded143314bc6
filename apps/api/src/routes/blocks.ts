/** Whom one has blocked. A block closes the direct conversation of the two, both ways, and hides each from the other. */
import { blocks } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function blockRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.blocks, {
    listBlocks: async request => blocks.list(chat, request.caller.user, request.query),

    block: async request => {
      await blocks.block(chat, request.caller.user, request.params.user)
    },

    unblock: async request => {
      await blocks.unblock(chat, request.caller.user, request.params.user)
    },
  })
}
