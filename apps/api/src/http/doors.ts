/**
 * What a peer may hold of this port before it has said a whole request: so many sockets, and a request for so long. What
 * is beyond is closed, since there is nobody to answer.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { Refusal } from '@flotilla/protocol'
import { type Caller, callerNetworkOf, type Logger } from '@flotilla/service'
import type { FastifyRequest } from 'fastify'
import { awaitsBody } from './overload.ts'

/** That somebody was closed out is told once in so long. */
const tellAgainMs = 60_000

/**
 * Bounds the sockets of each peer. Those of our proxies are everybody's, and what became a socket of the gateway is counted
 * there.
 */
export function boundSockets(
  server: Server,
  options: {
    readonly httpConnectionsPerAddressMax: number
    readonly callerOf: (request: Pick<IncomingMessage, 'headers' | 'socket'>) => Caller
    readonly logger: Logger
  },
): void {
  const held = new Map<string, number>()
  let toldAt = Number.NEGATIVE_INFINITY
  server.on('connection', (socket: Socket) => {
    const { address, isProxied } = options.callerOf({ headers: {}, socket })
    if (isProxied) return
    const network = callerNetworkOf(address)
    const others = held.get(network) ?? 0
    if (others >= options.httpConnectionsPerAddressMax) {
      socket.destroy()
      if (performance.now() - toldAt < tellAgainMs) return
      toldAt = performance.now()
      options.logger.warn({ address: network }, 'address at its socket limit')
      return
    }
    held.set(network, others + 1)
    socket.once('close', () => {
      const left = (held.get(network) ?? 1) - 1
      if (left === 0) held.delete(network)
      else held.set(network, left)
    })
  })
}

/** A request whose body is not there in time is refused, and its connection closed. */
export function boundBody(request: FastifyRequest, bodyMsMax: number): void {
  if (!awaitsBody(request)) return
  const { raw } = request
  const late = setTimeout(() => {
    if (raw.complete) return
    // Whoever reads the body makes an answer of it. Otherwise it has been answered already, or nobody has asked for it yet.
    if (raw.listenerCount('error') > 0) raw.emit('error', new Refusal('request_timeout'))
    else raw.destroy()
  }, bodyMsMax)
  raw.once('close', () => clearTimeout(late))
}
