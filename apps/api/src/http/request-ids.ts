/**
 * What a request is called in the logs of every part. A proxy in front has usually named it; whoever else calls gets a
 * name of ours, so that nobody writes into the log what they like. The answer says it, for whoever reports a fault.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type Caller, requestIdOf, withLogFields } from '@flotilla/service'
import type { Api } from '../app.ts'

/** @param callerOf tells whether a trusted proxy asks: its `x-request-id` is taken over */
export const makeRequestIds =
  (callerOf: (request: IncomingMessage) => Caller) =>
  (request: IncomingMessage): string => {
    const given = requestIdOf(request.headers['x-request-id'])
    return given !== undefined && callerOf(request).isProxied ? given : randomUUID()
  }

export function installRequestIds(app: Api): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    withLogFields({ requestId: request.id }, done)
  })
  // Reading the body goes by events of the connection, which knows nothing of its requests.
  app.addHook('preValidation', (request, _reply, done) => withLogFields({ requestId: request.id }, done))
  app.addHook('onResponse', async (request, reply) => {
    const { id: requestId, method, routeOptions, log } = request
    const { statusCode: status, elapsedTime: ms } = reply
    log.debug({ requestId, method, route: routeOptions.url ?? 'unknown', status, ms }, 'answered')
  })
}
