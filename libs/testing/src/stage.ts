/**
 * The stage of a fault test: durable servers of its own, three gateways, and a crowd. `FAULTS=long` makes it as large
 * and as long as the promises are stated for; without it, small enough for every run of the tests.
 */
import { parseSecretKeys } from '@flotilla/service'
import type { Pool } from 'pg'
import { type Crowd, type CrowdOptions, startCrowd } from './crowd.ts'
import { freshDatabase } from './databases.ts'
import { type Fleet, startFleet } from './fleet.ts'
import { type PostgresServer, startPostgres } from './postgres.ts'
import { type RedisServer, startRedis } from './redis.ts'
import { openTestChat, type TestChat } from './test-chat.ts'

export const isLong = process.env['FAULTS'] === 'long'

/** How large and how long: 200 people at 150 messages/s with 5 % of the connections cut each second, or a tenth of it. */
export const scale = isLong
  ? { people: 200, groupSize: 10, messagesPerSecond: 150, cutsPerSecond: 0.05, seconds: 60, malformedFrames: 100_000 }
  : { people: 40, groupSize: 10, messagesPerSecond: 50, cutsPerSecond: 0.05, seconds: 6, malformedFrames: 100_000 }

export interface Stage {
  readonly postgres: PostgresServer
  readonly redis: RedisServer
  readonly fleet: Fleet
  readonly chat: TestChat
  readonly pool: Pool
  crowd(options?: Partial<CrowdOptions>): Promise<Crowd>
  tearDown(): Promise<void>
}

/**
 * @param settings further settings of the gateways
 * @param root the checkout whose gateways run; the present one when missing
 */
export async function setStage(
  settings: Readonly<Record<string, string>> = {},
  gateways = 3,
  root?: string,
): Promise<Stage> {
  const [postgres, redis] = await Promise.all([startPostgres({ durable: true }), startRedis()])
  const database = await freshDatabase(postgres.url)
  const fleet = await startFleet({
    gateways,
    databaseUrl: database.url,
    redisUrl: redis.url,
    ...(root === undefined ? {} : { root }),
    settings: { PING_INTERVAL_MS: '4000', DRAIN_MS: '2000', ...settings },
  })
  const chat = await openTestChat(database.url, { masterKeys: parseSecretKeys(fleet.masterKeys) })
  const crowds: Crowd[] = []
  return {
    postgres,
    redis,
    fleet,
    chat,
    pool: chat.ctx.pool,
    async crowd(options = {}) {
      const crowd = await startCrowd({ fleet, chat: chat.ctx, ...scale, ...options })
      crowds.push(crowd)
      return crowd
    },
    async tearDown() {
      await Promise.all(crowds.map(crowd => crowd.stop()))
      await fleet.stop()
      await chat.close()
      await Promise.all([postgres.drop(), redis.stop()])
    },
  }
}
