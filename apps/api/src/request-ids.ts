/**
 * What a request is called in the logs of every part. A proxy in front has usually named it; whoever else calls gets a
 * name of ours, so that nobody writes into the log what they like. The answer says it, for whoever reports a fault.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import proxyAddr from '@fastify/proxy-addr'
import { requestIdOf, withLogFields } from '@flotilla/service'
import type { Api } from './app.ts'

/** @param trustedProxies addresses and networks, whose `x-request-id` is taken over */
export function makeRequestIds(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  if (trustedProxies.length === 0) return () => randomUUID()
  const isTrusted = proxyAddr.compile([...trustedProxies])
  return ({ headers, socket }) => {
    const given = requestIdOf(headers['x-request-id'])
    return given !== undefined && isTrusted(socket.remoteAddress ?? '', 0) ? given : randomUUID()
  }
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
