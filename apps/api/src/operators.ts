/** The operators of the deployment: by id, because a name can be given up and taken by somebody else. */
import { Refusal } from '@flotilla/protocol'
import type { FastifyRequest } from 'fastify'
import type { RouteDeps } from './app.ts'

/** The hook of routes that demand an operator. Whoever is signed in and none hears that the route is not for them. */
export function createOperatorAuthentication(authenticate: RouteDeps['authenticate'], operators: readonly string[]) {
  return async (request: FastifyRequest): Promise<void> => {
    await authenticate(request)
    if (!operators.includes(request.caller.user)) throw new Refusal('operators_only')
  }
}
