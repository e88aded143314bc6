/**
 * Which connections a node takes. Above its rate or its count it says when to come back, each client another time, so
 * that a storm is spread instead of repeated.
 */
import { TokenBucket } from '@flotilla/routing'

export interface Admission {
  /** @returns 0 to let it in, otherwise the milliseconds after which the client may come again */
  admit(connections: number, nowMs: number): number
  /** Whether some of those who came too fast may still be on their way back. A full node expects nobody. */
  expectsReturns(nowMs: number): boolean
}

/** A full node is asked again after this time at the earliest: room comes only when somebody leaves. */
const fullRetryMs = 5_000
/** The turned away are spread over at most this time. */
const retryMsMax = 30_000

export function createAdmission(options: {
  connectionsMax: number
  connectsPerSecond: number
  random: () => number
  nowMs: number
}): Admission {
  const { connectionsMax, connectsPerSecond, random } = options
  const bucket = new TokenBucket({ perSecond: connectsPerSecond, burst: connectsPerSecond })
  let waiting = 0
  let countedAt = options.nowMs
  let expectedUntil = options.nowMs

  return {
    admit(connections, nowMs) {
      if (connections >= connectionsMax) return fullRetryMs + Math.floor(random() * fullRetryMs)
      if (bucket.take(1, nowMs) === 0) return 0
      // Those who wait come back at the rate at which they can be taken: spread over the time that this needs.
      waiting = Math.max(0, waiting - ((nowMs - countedAt) / 1_000) * connectsPerSecond) + 1
      countedAt = nowMs
      const spreadMs = Math.min(retryMsMax, 1_000 + (waiting / connectsPerSecond) * 2_000)
      expectedUntil = Math.max(expectedUntil, nowMs + spreadMs)
      return Math.ceil(random() * spreadMs)
    },
    expectsReturns: nowMs => nowMs < expectedUntil,
  }
}
