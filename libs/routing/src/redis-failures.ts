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
  readonly: { begins: 'READONLY ', remedy: 'renew', meaning: 'replica: the master was demoted' },
  masterdown: { begins: 'MASTERDOWN ', remedy: 'renew', meaning: 'replica without a master' },
  noreplicas: { begins: 'NOREPLICAS ', remedy: 'renew', meaning: 'fewer replicas than min-replicas-to-write' },
  noauth: { begins: 'NOAUTH ', remedy: 'renew', meaning: 'password required: REDIS_URL has none' },
  loading: { begins: 'LOADING ', remedy: 'wait', meaning: 'still loading its data' },
  busy: { begins: 'BUSY ', remedy: 'wait', meaning: 'a script is running too long; SCRIPT KILL ends it' },
  tryagain: { begins: 'TRYAGAIN ', remedy: 'wait', meaning: 'cluster slots are moving' },
  clusterdown: { begins: 'CLUSTERDOWN ', remedy: 'wait', meaning: 'cluster slots have no master' },
  oom: { begins: 'OOM ', remedy: 'full', meaning: 'maxmemory reached' },
  misconf: { begins: 'MISCONF ', remedy: 'full', meaning: 'unable to save to disk, so writes are refused' },
  wrongpass: { begins: 'WRONGPASS ', remedy: 'mend', meaning: 'wrong user or password in REDIS_URL' },
  noperm: { begins: 'NOPERM ', remedy: 'mend', meaning: 'the user in REDIS_URL lacks a permission' },
  denied: { begins: 'DENIED ', remedy: 'mend', meaning: 'protected mode refuses remote connections' },
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
      logger.warn(
        { err: error, command: command?.name, reason: redisFailures[failure].meaning },
        'redis refused a command',
      )
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
