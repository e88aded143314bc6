/** Where a request comes from: for the limits by address, the list of sign-ins and the audit trail. */
import type { IncomingMessage } from 'node:http'
import { type sessions, users } from '@flotilla/chat'
import { cutText, mended } from '@flotilla/protocol'
import type { Caller } from '@flotilla/service'
import type { FastifyRequest } from 'fastify'
import type { Api, RouteDeps } from '../app.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks. Never `ip`, which is the peer: behind a proxy that is the same for everybody. */
    from: Caller
  }
}

export function installCallers(app: Api, callerOf: (request: IncomingMessage) => Caller): void {
  app.decorateRequest('from')
  app.addHook('onRequest', (request, _reply, done) => {
    request.from = callerOf(request.raw)
    done()
  })
}

const deviceNameDefault = 'unnamed device'
const agentLengthMax = 200

/** Two letters, as ISO 3166 has them; what proxies say of an unknown place is none. */
const countryShape = /^(?!XX)[A-Z]{2}$/

/**
 * The country of whoever asks: a trusted proxy knows it, or the address tells it. Both `GET /v1/connect` and the edge go
 * by it, so that they agree.
 */
export function countryOf(deps: RouteDeps, request: FastifyRequest): string | undefined {
  const { countryHeader } = deps.settings
  const said = request.from.isProxied && countryHeader !== undefined ? request.headers[countryHeader] : undefined
  const country = typeof said === 'string' ? said.toUpperCase() : ''
  return countryShape.test(country) ? country : deps.countryOf?.(request.from.address)
}

/** @param deviceName what the person calls the device, if they said */
export function clientOf(
  deps: RouteDeps,
  request: FastifyRequest,
  deviceName = deviceNameDefault,
): sessions.ClientDevice {
  return {
    // Before anything is written: nobody is registered and then cannot be signed in.
    deviceName: users.checkName(deviceName, 'deviceName'),
    address: request.from.address,
    country: countryOf(deps, request) ?? '',
    agent: agentOf(request.headers['user-agent'] ?? ''),
  }
}

/** Node reads headers byte by byte; who names their program in another script writes UTF-8. */
const agentOf = (header: string) =>
  cutText(mended(Buffer.from(header, 'latin1').toString('utf8')), { graphemesMax: agentLengthMax })
