/**
 * What stands beside the API where one port is all there is: a page at `/`, and a word for whoever opens the socket's URL
 * as if it were one. In a fleet the edge has both.
 */
import type { FastifyInstance } from 'fastify'
import { Refusal } from '@flotilla/protocol'

export interface OwnPort {
  readonly page: { readonly html: string; readonly policy: string }
  readonly socketPath: string
}

const hidden = { hide: true }

export function ownPortRoutes(app: FastifyInstance, { page, socketPath }: OwnPort): void {
  app.get('/', { schema: hidden }, async (_request, reply) =>
    reply
      .header('content-security-policy', page.policy)
      .header('cache-control', 'no-cache')
      .type('text/html; charset=utf-8')
      .send(page.html),
  )
  app.get(socketPath, { schema: hidden, exposeHeadRoute: false }, async (_request, reply) => {
    reply.header('connection', 'upgrade').header('upgrade', 'websocket')
    throw new Refusal('upgrade_required')
  })
}
