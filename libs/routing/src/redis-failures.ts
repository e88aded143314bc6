/**
 * What can be done when a Redis answers, but not as it should. One table for every connection; what is not here is the
 * fault of the command. Whatever it is, a command that failed has failed: Redis is only a hint, and what it missed is
 * entered again and healed.
 */
import type { RoutingLogger } from './logger.ts'

/**
 * `renew`: the connection is of no use, or leads to the wrong server; a new one may lead to the right one.
 * `wait`: it passes by itself.
 * `full`: writes are refused for want of room, until somebody makes some.
 * `mend`: nothing helps but an operator.
 */
export type RedisRemedy = 'renew' | 'wait' | 'full' | 'mend'

interface Row {
  readonly begins: string
  readonly remedy: RedisRemedy
  /** What it means, for the log. */
  readonly meaning: string
}

export const redisFailures = {
  readonly: { begins: 'READONLY ', remedy: 'renew', meaning: 'it is a replica: a master was demoted' },
  masterdown: { begins: 'MASTERDOWN ', remedy: 'renew', meaning: 'it is a replica that has lost its master' },
  noreplicas: { begins: 'NOREPLICAS ', remedy: 'renew', meaning: 'it has fewer replicas than min-replicas-to-write' },
  noauth: { begins: 'NOAUTH ', remedy: 'renew', meaning: 'it asks for a password: REDIS_URL has none' },
  loading: { begins: 'LOADING ', remedy: 'wait', meaning: 'it is loading its data' },
  busy: { begins: 'BUSY ', remedy: 'wait', meaning: 'a script runs for too long; SCRIPT KILL ends it' },
  tryagain: { begins: 'TRYAGAIN ', remedy: 'wait', meaning: 'a part of the cluster is moving' },
  clusterdown: { begins: 'CLUSTERDOWN ', remedy: 'wait', meaning: 'a part of the cluster has no master' },
  oom: { begins: 'OOM ', remedy: 'full', meaning: 'maxmemory is reached' },
  misconf: { begins: 'MISCONF ', remedy: 'full', meaning: 'it cannot save to its disk, and refuses writes for that' },
  wrongpass: { begins: 'WRONGPASS ', remedy: 'mend', meaning: 'the user or the password of REDIS_URL is wrong' },
  noperm: { begins: 'NOPERM ', remedy: 'mend', meaning: 'the user of REDIS_URL lacks a right' },
  denied: { begins: 'DENIED ', remedy: 'mend', meaning: 'protected mode lets nobody in from elsewhere' },
} as const satisfies Readonly<Record<string, Row>>

export type RedisFailure = keyof typeof redisFailures

const rows = Object.entries(redisFailures) as [RedisFailure, Row][]

/** @returns undefined when the command itself is at fault, or Redis did not answer at all */
export function redisFailureOf(error: unknown): RedisFailure | undefined {
  if (!(error instanceof Error)) return undefined
  return rows.find(([, row]) => error.message.startsWith(row.begins))?.[0]
}

/** Between two connections that are given up because they lead to the wrong server. */
const renewPauseMs = 1_000
/** What lasts is told once in so long. */
const tellAgainMs = 60_000

export interface RedisRefusals {
  readonly counts: Readonly<Record<RedisFailure, number>>
  /** Counts it and tells it, if it is in the table. */
  heard(error: unknown): void
  /** Whether to give the connection up. As ioredis asks of each error that a server answered. */
  shouldRenew(error: Error): boolean
}

export function createRedisRefusals(logger: RoutingLogger): RedisRefusals {
  const counts = Object.fromEntries(rows.map(([failure]) => [failure, 0])) as Record<RedisFailure, number>
  const toldAt: Partial<Record<RedisFailure, number>> = {}
  let renewedAt = Number.NEGATIVE_INFINITY
  return {
    counts,
    heard(error) {
      const failure = redisFailureOf(error)
      if (failure === undefined) return
      counts[failure]++
      const now = performance.now()
      if (now - (toldAt[failure] ?? Number.NEGATIVE_INFINITY) < tellAgainMs) return
      toldAt[failure] = now
      const { command } = error as { command?: { name?: string } }
      logger.warn({ err: error, command: command?.name }, `Redis refuses: ${redisFailures[failure].meaning}`)
    },
    shouldRenew(error) {
      const failure = redisFailureOf(error)
      if (failure === undefined || redisFailures[failure].remedy !== 'renew') return false
      const now = performance.now()
      if (now - renewedAt < renewPauseMs) return false
      renewedAt = now
      return true
    },
  }
}
