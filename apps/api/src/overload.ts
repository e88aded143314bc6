/**
 * When the process has more work than it can do, it says so at once rather than answering everybody late. Two signs: too
 * many requests under way, or an event loop that comes round too slowly.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Refusal } from '@flotilla/protocol'
import type { FastifyReply } from 'fastify'

export interface Shedder {
  /** Counts the request until its connection or its answer is done. @throws Refusal `overloaded` */
  admit(reply: FastifyReply): void
  underWay(): number
  stop(): void
}

const resolutionMs = 10
const sampleMs = 500
/** When to come back. The others who are refused get another moment, so that they do not return together. */
const retryMsMin = 500
const retryMsSpread = 1_500

export interface ShedderOptions {
  readonly requestsUnderWayMax: number
  readonly eventLoopDelayMsMax: number
  readonly random: () => number
}

export function createShedder(options: ShedderOptions): Shedder {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  let delayMs = 0
  const sampler = setInterval(() => {
    // An empty histogram has the mean NaN: not one turn in the whole sample.
    delayMs = histogram.count === 0 ? sampleMs : Math.max(0, histogram.mean / 1e6 - resolutionMs)
    histogram.reset()
  }, sampleMs)
  sampler.unref()
  let underWay = 0
  const refuse = (why: string) =>
    new Refusal('overloaded', why, { retryMs: Math.round(retryMsMin + options.random() * retryMsSpread) })

  return {
    admit(reply) {
      if (underWay >= options.requestsUnderWayMax) throw refuse('too many requests are under way')
      if (delayMs > options.eventLoopDelayMsMax) throw refuse('the server is too busy')
      underWay++
      // `close` comes once for every answer, also when the caller went away.
      reply.raw.once('close', () => void underWay--)
    },
    underWay: () => underWay,
    stop() {
      clearInterval(sampler)
      histogram.disable()
    },
  }
}
