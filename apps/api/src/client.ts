/** Where a request comes from, for the list of sign-ins and the audit trail. */
import type { sessions } from '@flotilla/chat'
import type { FastifyRequest } from 'fastify'
import type { RouteDeps } from './app.ts'

export const deviceNameDefault = 'unnamed device'
const agentLengthMax = 200

/** @param deviceName what the person calls the device, if they said */
export function clientOf(deps: RouteDeps, request: FastifyRequest, deviceName = deviceNameDefault): sessions.Client {
  return {
    deviceName,
    address: request.ip,
    country: deps.countryOf?.(request.ip) ?? '',
    agent: (request.headers['user-agent'] ?? '').slice(0, agentLengthMax),
  }
}
