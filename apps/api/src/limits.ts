/**
 * How often is too often. Counts are kept by routing, so that all processes of the API count together; while Redis is
 * away each process counts for itself, which lets through a little more and never nothing.
 */
import { createHash } from 'node:crypto'
import { Refusal } from '@flotilla/protocol'
import type { RoutingNode } from '@flotilla/routing'
import { callerNetworkOf } from '@flotilla/service'
import type { FastifyRequest } from 'fastify'
import type { FastifyRateLimitStoreCtor } from '@fastify/rate-limit'

/** So many within so long. */
export interface Limit {
  readonly max: number
  readonly windowMs: number
}

export interface Count {
  /** With this one. */
  readonly count: number
  readonly resetMs: number
}

/** Counts one, or takes one back. */
export type Counter = (key: string, windowMs: number, by?: 1 | -1) => Promise<Count>

/** Keys that one process counts by itself; beyond it the oldest is forgotten. */
const localKeysMax = 50_000

function createLocalCounter(steady: () => number) {
  /** In the order of their last use: a Map keeps it. */
  const windows = new Map<string, { count: number; until: number }>()
  return (key: string, windowMs: number, by: 1 | -1 = 1): Count => {
    const now = steady()
    const known = windows.get(key)
    const current = known !== undefined && known.until > now ? known : { count: 0, until: now + windowMs }
    current.count += by
    windows.delete(key)
    windows.set(key, current)
    const oldest = windows.keys().next().value
    if (windows.size > localKeysMax && oldest !== undefined) windows.delete(oldest)
    return { count: current.count, resetMs: current.until - now }
  }
}

/** Counts together with the others when that can be done, alone otherwise. Never fails. */
export function createCounter(node: Pick<RoutingNode, 'hit'>, steady = () => performance.now()): Counter {
  const local = createLocalCounter(steady)
  return async (key, windowMs, by) => {
    try {
      return (await node.hit(`api:${key}`, windowMs, by)) ?? local(key, windowMs, by)
    } catch {
      return local(key, windowMs, by)
    }
  }
}

/** Whether the key was taken at most `max` times within its window, with this one. */
export async function isWithin(counter: Counter, key: string, limit: Limit): Promise<boolean> {
  return (await counter(key, limit.windowMs)).count <= limit.max
}

/**
 * What a caller wrote, as part of a key: of one length, whatever was written, and no address of mail for whoever looks
 * after Redis.
 */
export const hashed = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** @throws Refusal `rate_limited` when the key was taken more than `max` times within its window */
export async function take(counter: Counter, key: string, limit: Limit): Promise<void> {
  const { count, resetMs } = await counter(key, limit.windowMs)
  if (count > limit.max) throw tooOften(resetMs)
}

export function tooOften(resetMs: number): Refusal {
  return new Refusal('rate_limited', undefined, { retryMs: Math.max(1, Math.ceil(resetMs)) })
}

/** Who asks, as far as an address tells: all of an IPv6 network of 64 bits is one. */
export const addressOf = (request: FastifyRequest) => callerNetworkOf(request.from.address)

/** The counter as @fastify/rate-limit wants it. */
export function createLimitStore(counter: Counter): FastifyRateLimitStoreCtor {
  return class LimitStore {
    incr(
      key: string,
      done: (error: Error | null, result?: { current: number; ttl: number }) => void,
      windowMs: number,
    ): void {
      const answer = ({ count, resetMs }: Count) => done(null, { current: count, ttl: Math.max(1, resetMs) })
      void counter(`address:${key}`, windowMs).then(answer)
    }

    /** All routes count on one account. */
    child() {
      return this
    }
  }
}
