/** The way to the socket: where to connect, and the ticket that lets in. */
import { protocolVersion, Refusal } from '@flotilla/protocol'
import { rest } from '@flotilla/protocol/schemas'
import { signTicket, ticketLifeMs } from '@flotilla/service'
import type { FastifyRequest } from 'fastify'
import type { Api, RouteDeps } from '../app.ts'
import { countryOf } from '../http/client.ts'
import { type GatewayUrl, rankGateways } from '../regions/connect.ts'
import { nearestRegions } from '../regions/regions.ts'
import { serve } from '../http/serve.ts'

/** A node that has just started is seen after a beat. */
const noGatewayRetryMs = 3_000

export function connectRoutes(app: Api, deps: RouteDeps): void {
  serve(app, deps, rest.connect, {
    connect: async request => {
      const urls = urlsFor(request).map(one =>
        one.url === deps.settings.urlByHost ? { ...one, url: urlAtHost(one.url, request) } : one,
      )
      deps.metrics.connected(urls[0]!.region)
      const { reactionEmojis } = deps.chat.settings
      return {
        urls,
        ticket: signTicket(deps.keys.ticket, request.caller, deps.chat.clock()),
        ticketExpiresInMs: ticketLifeMs,
        protocol: protocolVersion,
        epoch: deps.chat.epoch(),
        ...(reactionEmojis.length === 0 ? {} : { reactionEmojis }),
      }
    },
  })

  function urlsFor(request: FastifyRequest): GatewayUrl[] {
    const { region, regions, gatewayUrls } = deps.settings
    const near = nearestRegions(regions, region, countryOf(deps, request))
    const seen = rankGateways(deps.node.nodes(), near, deps.random)
    if (seen.length > 0) return [...seen]
    if (gatewayUrls.length === 0)
      throw new Refusal('unavailable', 'no gateway is available', { retryMs: noGatewayRetryMs })
    const rank = (url: GatewayUrl) => (near.includes(url.region) ? near.indexOf(url.region) : near.length)
    return [...gatewayUrls].sort((a, b) => rank(a) - rank(b))
  }
}

/**
 * By the name or the address that the caller has come by, which leads back to here. It goes to nobody else, so that one who
 * makes it up sends only themselves astray.
 */
function urlAtHost(url: string, request: FastifyRequest): string {
  const { localAddress = '', localPort } = request.socket
  const host = request.headers.host ?? ''
  const address = localAddress.replace(/^::ffff:/, '')
  const at = wellFormedHost.test(host) ? host : `${address.includes(':') ? `[${address}]` : address}:${localPort}`
  return url.replace(/^(\w+:\/\/)[^/]*/, (_all, scheme: string) => scheme + at)
}

const wellFormedHost = /^(\[[\da-f:.]{2,45}\]|[a-z\d]([a-z\d._-]{0,251}[a-z\d])?)(:\d{1,5})?$/i
