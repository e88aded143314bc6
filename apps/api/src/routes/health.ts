/** For the load balancer, which sees only this port: does the process turn over, and does it want work? */
import { rest } from '@flotilla/protocol/schemas'
import type { Api, ApiDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function healthRoutes(app: Api, deps: Pick<ApiDeps, 'ready'>): void {
  serve(app, {}, rest.health, {
    health: async (_request, reply) => reply.type('text/plain').send('ok\n'),
    ready: async (_request, reply) => {
      const reason = deps.ready()
      return reply
        .code(reason === undefined ? 200 : 503)
        .type('text/plain')
        .send(`${reason ?? 'ready'}\n`)
    },
  })
}
