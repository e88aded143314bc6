/** The domain on a test database, without a process: what it emits is gathered. */
import { randomBytes } from 'node:crypto'
import type { ChatContext, ChatOptions, Emission } from '@flotilla/chat'

export interface TestChat {
  readonly ctx: ChatContext
  /** What was emitted so far, in order. Empty it with `length = 0`. */
  readonly emitted: Emission[]
  close(): Promise<void>
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * Opens the domain. Unless told otherwise, everybody counts as here, so that no offline rows are written, and takes
 * conversations from anyone.
 * @param url of a migrated database
 * @param overrides instead of what this makes; with a pool given, closing it is the caller's
 */
export async function openTestChat(
  url: string,
  { clock, ...overrides }: Partial<Omit<ChatOptions, 'clock'>> & { readonly clock?: () => number } = {},
): Promise<TestChat> {
  // Imported here, so that tests that need no database load none of the domain.
  const { createChat, createPool } = await import('@flotilla/chat')
  const emitted: Emission[] = []
  const pool = overrides.pool ?? createPool({ url, connectionsMax: 8, logger: silent, applicationName: 'test' })
  const ctx = await createChat({
    logger: silent,
    emit: emission => void emitted.push(emission),
    presumedAbsent: () => [],
    masterKeys: [{ id: 'test', key: randomBytes(32) }],
    ...(clock === undefined ? {} : { clock: { now: clock, skewMs: () => 0, heard() {} } }),
    ...overrides,
    // Who may write to whom is the subject of few tests, and so is a slow store, which any is on a busy machine.
    settings: { directFrom: 'anyone', commitWaitMs: 60_000, ...overrides.settings },
    pool,
  })
  return {
    ctx,
    emitted,
    async close() {
      await ctx.close()
      if (overrides.pool === undefined) await pool.end()
    },
  }
}
