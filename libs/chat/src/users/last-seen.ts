/**
 * When people were last here, written behind: those who leave within a window become one statement. Nobody waits for it.
 */
import type { Pool } from 'pg'
import type { StoreContext } from '../store/context.ts'
import type { ChatLogger } from '../ports.ts'
import { int8Array, uuidArray } from '../store/binary-arrays.ts'
import { isPassing } from '../store/failures.ts'

export interface LastSeen {
  note(users: readonly string[], atMs: number): void
  readonly queued: number
  /** Writes what waits. */
  close(): Promise<void>
}

/** Rows are locked in one order, so that two processes cannot wait for each other. It only rises. */
const raise = `
WITH given AS MATERIALIZED (
  SELECT ($1::uuid[])[r] AS id, to_timestamp(($2::int8[])[r] / 1000.0) AS at
    FROM generate_series(1, cardinality($1::uuid[])) r
), held AS MATERIALIZED (
  SELECT u.id, g.at FROM given g JOIN users u ON u.id = g.id
   WHERE (u.last_seen_at IS NULL OR u.last_seen_at < g.at) AND u.erased_at IS NULL
   ORDER BY u.id FOR NO KEY UPDATE OF u
)
UPDATE users u SET last_seen_at = h.at FROM held h WHERE u.id = h.id`

const batchMax = 1_000
/** When a whole node loses its people while the store is away, those past this many keep their older time. */
const queueMax = 100_000

export function createLastSeen(options: { pool: Pool; logger: ChatLogger; windowMs: number }): LastSeen {
  const { pool, logger, windowMs } = options
  const noted = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let closed = false

  function add(user: string, atMs: number): void {
    const known = noted.get(user)
    if (known !== undefined || noted.size < queueMax) noted.set(user, Math.max(known ?? 0, atMs))
  }

  function takeBatch(): [string, number][] {
    const batch: [string, number][] = []
    for (const one of noted) {
      if (batch.length === batchMax) break
      batch.push(one)
      noted.delete(one[0])
    }
    return batch
  }

  async function write(): Promise<void> {
    while (noted.size > 0) {
      const batch = takeBatch()
      try {
        await pool.query({
          name: 'last-seen',
          text: raise,
          values: [uuidArray(batch.map(([user]) => user)), int8Array(batch.map(([, at]) => at))],
        })
      } catch (error) {
        logger.warn({ err: error, people: batch.length }, 'unable to write last-seen times')
        // With the next window, when the store is only away for a moment; what is wrong with the notes stays wrong.
        if (isPassing(error)) for (const [user, at] of batch) add(user, at)
        return
      }
    }
  }

  function schedule(): void {
    if (noted.size > 0 && timer === undefined && writing === undefined && !closed)
      timer = setTimeout(() => void flush(), windowMs)
  }

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    writing ??= write().finally(() => {
      writing = undefined
      schedule()
    })
    return writing
  }

  return {
    note(users, atMs) {
      if (closed) return
      for (const user of users) add(user, atMs)
      schedule()
    },
    get queued() {
      return noted.size
    },
    async close() {
      closed = true
      await writing
      await flush()
    },
  }
}

/** These people have just left this process. Costs the caller nothing but a note. */
export function seen(
  ctx: Pick<StoreContext, 'clock'> & { readonly lastSeen: LastSeen },
  users: readonly string[],
): void {
  ctx.lastSeen.note(users, ctx.clock())
}
