/** What verbs need to reach the store: connections, the time, keys, and a fair share for everybody. */
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { Pool } from 'pg'
import type { ChatLogger } from '../ports.ts'
import { createStoreClock, type StoreClock } from './clock.ts'
import * as schema from './schema.ts'
import { createSealer, type MasterKey, type Sealer } from './seal.ts'
import { createTurns, type Turns } from './turns.ts'

export interface StoreSettings {
  /** How much of the pool the reads of one person may hold at a time, in percent; one connection at the least. */
  readonly personPoolPercent: number
}

export const storeDefaults: StoreSettings = { personPoolPercent: 25 }

export interface StoreContext {
  readonly settings: StoreSettings
  readonly logger: ChatLogger
  readonly pool: Pool
  readonly db: NodePgDatabase<typeof schema>
  /** What time it is, by the clock of the store. For durations there is performance.now(). */
  readonly clock: () => number
  /** How far the clock of this machine is ahead of the store's. */
  readonly clockSkewMs: () => number
  /** Takes what the store's clock said. */
  readonly heardClock: StoreClock['heard']
  readonly seal: Sealer
  readonly turns: Turns
}

export interface StoreOptions {
  readonly pool: Pool
  readonly logger: ChatLogger
  /** Missing where time is that of the store, as it is in every process. */
  readonly clock?: StoreClock
  readonly masterKeys: readonly MasterKey[]
}

export async function openStore<S extends StoreSettings>(
  { pool, logger, masterKeys, clock = createStoreClock({ logger }) }: StoreOptions,
  settings: S,
): Promise<StoreContext & { readonly settings: S }> {
  return {
    settings,
    logger,
    pool,
    db: drizzle(pool, { schema }),
    clock: () => clock.now(),
    clockSkewMs: () => clock.skewMs(),
    heardClock: (at, askedAt) => clock.heard(at, askedAt),
    seal: await createSealer(pool, masterKeys),
    turns: createTurns(pool, settings.personPoolPercent),
  }
}
