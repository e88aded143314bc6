/**
 * When the process has more work than it can do, it says so at once rather than answering everybody late. Three signs: too
 * many requests are worked on, one address has too many open, or the event loop comes round too slowly.
 *
 * A seat is taken when there is something to work on: by a request with a body once that has arrived. Whoever announces
 * bodies and withholds them fills the share of their own address, and nobody else's.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Refusal } from '@flotilla/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { addressOf } from './limits.ts'

export interface Shedder {
  /** Counts the request with those of its address until its answer is done. @throws Refusal overloaded, rate_limited */
  arrive(request: FastifyRequest, reply: FastifyReply): void
  /** Gives it a seat, unless it has one. @throws Refusal overloaded */
  seat(request: FastifyRequest, reply: FastifyReply): void
  /** Those with a seat. */
  underWay(): number
  /** Forgets how slowly the event loop came round: a start blocks it, and is no load. */
  begin(): void
  stop(): void
}

const resolutionMs = 10
const sampleMs = 500
/** When to come back. The others who are refused get another moment, so that they do not return together. */
const retryMsMin = 500
const retryMsSpread = 1_500

export interface ShedderOptions {
  readonly requestsInFlightMax: number
  readonly requestsPerAddressMax: number
  readonly eventLoopDelayMsMax: number
  readonly random: () => number
}

export function createShedder(options: ShedderOptions): Shedder {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  let delayMs = 0
  let sampler: NodeJS.Timeout | undefined
  function begin() {
    clearInterval(sampler)
    histogram.reset()
    delayMs = 0
    sampler = setInterval(() => {
      // An empty histogram has the mean NaN: not one turn in the whole sample.
      delayMs = histogram.count === 0 ? sampleMs : Math.max(0, histogram.mean / 1e6 - resolutionMs)
      histogram.reset()
    }, sampleMs).unref()
  }
  begin()
  const open = new Map<string, number>()
  const seated = new WeakSet<FastifyRequest>()
  let underWay = 0
  const retryMs = () => Math.round(retryMsMin + options.random() * retryMsSpread)
  const refuse = (why: string) => new Refusal('overloaded', why, { retryMs: retryMs() })

  function leave(address: string) {
    const left = (open.get(address) ?? 1) - 1
    if (left === 0) open.delete(address)
    else open.set(address, left)
  }

  return {
    arrive(request, reply) {
      const isLate = delayMs > options.eventLoopDelayMsMax
      if (isLate && request.routeOptions.config.isFile !== true) throw refuse('the server is too busy')
      const address = addressOf(request)
      const others = open.get(address) ?? 0
      if (others >= options.requestsPerAddressMax)
        throw new Refusal('rate_limited', 'too many concurrent requests from this address', { retryMs: retryMs() })
      open.set(address, others + 1)
      // `close` comes once for every answer, also when the caller went away.
      reply.raw.once('close', () => leave(address))
    },
    seat(request, reply) {
      if (seated.has(request)) return
      if (underWay >= options.requestsInFlightMax) throw refuse('too many requests are under way')
      seated.add(request)
      underWay++
      reply.raw.once('close', () => void underWay--)
    },
    underWay: () => underWay,
    begin,
    stop() {
      clearInterval(sampler)
      histogram.disable()
    },
  }
}

/** Whether a body was announced that has not arrived. */
export function awaitsBody({ raw, headers }: FastifyRequest): boolean {
  const isAnnounced = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  return isAnnounced && !raw.complete
}
