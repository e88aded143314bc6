/** For the load balancer, which sees only this port: does the process turn over, and does it want work? */
import { Type } from 'typebox'
import type { Api, ApiDeps } from '../app.ts'

const text = (description: string) => ({ description, content: { 'text/plain': { schema: Type.String() } } })

export function healthRoutes(app: Api, deps: Pick<ApiDeps, 'ready'>): void {
  app.get(
    '/healthz',
    {
      config: { isProbe: true },
      schema: {
        operationId: 'health',
        summary: 'Check that the process is alive',
        description:
          'Answers as long as the event loop turns over, whatever the state of the stores. For liveness probes.',
        tags: ['service'],
        response: { 200: text('It does.') },
      },
    },
    async (_request, reply) => reply.type('text/plain').send('ok\n'),
  )
  app.get(
    '/readyz',
    {
      config: { isProbe: true },
      schema: {
        operationId: 'ready',
        summary: 'Check that the process wants work',
        description:
          'Answers 503 while the process starts, drains, or has lost a store that it cannot work without. For load balancers.',
        tags: ['service'],
        response: { 200: text('It does.'), 503: text('It does not; the body says why.') },
      },
    },
    async (_request, reply) => {
      const reason = deps.ready()
      return reply
        .code(reason === undefined ? 200 : 503)
        .type('text/plain')
        .send(`${reason ?? 'ready'}\n`)
    },
  )
}
