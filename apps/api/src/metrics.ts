/** The figures of the API, beside those of every process. docs/metrics.md is made from the declarations. */
import type { FastifyInstance } from 'fastify'
import { counter, gauge, histogram, latencyBucketsSeconds, openMetrics, type Registry } from '@flotilla/service'

/** The routes that sign in, by what is shown there. */
const signInMethods: Readonly<Record<string, string>> = {
  signIn: 'password',
  signInWithCode: 'code',
  signInWithPasskey: 'passkey',
  signInWithProvider: 'provider',
  finishSignIn: 'second_factor',
}
const registrations = new Set(['register', 'registerWithPasskey'])
const outcomes = ['done', 'second_factor', 'refused', 'limited', 'failed'] as const
const outcomeHelp =
  '`second_factor` asks for one, `refused` is the caller’s fault, `limited` came too often, `failed` is ours'

export const apiMetrics = {
  flotilla_api_request_duration_seconds: histogram('seconds', latencyBucketsSeconds, 'Request duration', {
    method: 'the methods of HTTP',
    route: 'the routes of docs/openapi.json and of /docs, or `unknown`',
    status: 'status codes of HTTP',
  }),
  flotilla_api_requests_in_flight: gauge('requests', 'Requests in progress'),
  flotilla_sign_ins_total: counter(
    'attempts',
    `Sign-in attempts: ${outcomeHelp}. A provider sign-in may create the account. A sign-in with a second factor counts in both steps`,
    { method: Object.values(signInMethods), outcome: outcomes },
  ),
  flotilla_registrations_total: counter('attempts', `Registration attempts, passkeys included: ${outcomeHelp}`, {
    outcome: outcomes,
  }),
  flotilla_connect_answers_total: counter(
    'answers',
    'Answers of `GET /v1/connect`, by the region named first; here the label is not the region of the process',
    { region: 'the regions of the deployment' },
  ),
} as const

export interface ApiMetrics {
  /** A caller was sent to this region. */
  connected(region: string): void
  /** Has the requests under way read when Prometheus asks. */
  readUnderWay(read: () => number): void
}

/** Measures every request by what its route is called, so that no route has to count for itself. */
export function installMetrics(app: FastifyInstance, registry: Registry): ApiMetrics {
  const metrics = openMetrics(registry, apiMetrics)
  const durations = metrics.histogram('flotilla_api_request_duration_seconds')
  const signIns = metrics.counter('flotilla_sign_ins_total')
  const registered = metrics.counter('flotilla_registrations_total')
  const connects = metrics.counter('flotilla_connect_answers_total')
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request
    const labels = { method, route: routeOptions.url ?? 'unknown', status: reply.statusCode }
    durations.observe(labels, reply.elapsedTime / 1000)
    const operation = routeOptions.schema?.operationId ?? ''
    const signIn = signInMethods[operation]
    if (signIn !== undefined) signIns.inc({ method: signIn, outcome: outcomeOf(reply.statusCode) })
    if (registrations.has(operation)) registered.inc({ outcome: outcomeOf(reply.statusCode) })
  })
  return {
    connected: region => connects.inc({ region }),
    readUnderWay: read => metrics.read('flotilla_api_requests_in_flight', read),
  }
}

function outcomeOf(status: number): (typeof outcomes)[number] {
  if (status >= 500) return 'failed'
  if (status === 429) return 'limited'
  if (status >= 400) return 'refused'
  return status === 200 ? 'second_factor' : 'done'
}
