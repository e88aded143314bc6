/** For the load balancer, which sees only this port: does the process turn over, and does it want work? */
import { Type } from 'typebox'
import { routes } from './route.ts'

const text = (description: string) => ({ description, content: { 'text/plain': { schema: Type.String() } } })

export const health = routes('service', 'nothing', {
  health: {
    at: 'GET /healthz',
    isProbe: true,
    summary: 'Check that the process is alive',
    description: 'Answers as long as the event loop turns over, whatever the state of the stores. For liveness probes.',
    answers: { 200: text('It does.') },
  },
  ready: {
    at: 'GET /readyz',
    isProbe: true,
    summary: 'Check that the process wants work',
    description:
      'Answers 503 while the process starts, drains, or has lost a store that it cannot work without. For load balancers.',
    answers: { 200: text('It does.'), 503: text('It does not; the body says why.') },
  },
})
