/** Health checks for orchestrators and load balancers. */
import { Type } from 'typebox'
import { routes } from './route.ts'

const text = (description: string) => ({ description, content: { 'text/plain': { schema: Type.String() } } })

export const health = routes('service', 'nothing', {
  health: {
    at: 'GET /healthz',
    isProbe: true,
    summary: 'Liveness check',
    description: 'Succeeds as long as the event loop runs, whatever the state of the stores.',
    answers: { 200: text('Alive.') },
  },
  ready: {
    at: 'GET /readyz',
    isProbe: true,
    summary: 'Readiness check',
    description: 'Returns 503 while the process starts, drains, or has lost a store it needs.',
    answers: { 200: text('Ready.'), 503: text('Not ready. The body says why.') },
  },
})
