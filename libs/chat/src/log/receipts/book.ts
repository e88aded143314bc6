/**
 * Receipts are written behind: of what a member says within a window the highest counts, and many members' receipts
 * become one statement.
 * Cursors only rise, delivered is at least read, and neither passes the head (P7): the statement sees to it, so it holds
 * whatever clients say and however many processes write. What was delivered leaves the offline index with it.
 */
import { Refusal } from '@flotilla/protocol'
import type { Pool } from 'pg'
import type { ChatLogger } from '../../ports.ts'
import { int8Array, uuidArray } from '../../store/binary-arrays.ts'
import { isPassing } from '../../store/failures.ts'
import { plannedOnce } from '../../store/store-client.ts'

/** A member whose cursors rose, and to where. */
export interface Risen {
  readonly conversation: string
  readonly user: string
  readonly delivered: number
  readonly read: number
  readonly deliveredRose: boolean
  readonly readRose: boolean
  /** It was marked as unread, and is no more. */
  readonly unmarked: boolean
  /** Of the membership, as the statement saw it together with the head: who may hear of it (P8). */
  readonly version: number
}

export interface Receipts {
  /**
   * Notes that a member has had (and read) so much; lower than before changes nothing.
   * @param onRisen called once after the commit if a cursor rose
   * @returns after the commit
   * @throws Refusal overloaded, unavailable
   */
  note(
    conversation: string,
    user: string,
    cursor: { delivered: number; read: number },
    onRisen: (risen: Risen) => void,
  ): Promise<void>
  readonly queued: number
  close(): Promise<void>
}

export interface ReceiptsOptions {
  readonly pool: Pool
  readonly logger: ChatLogger
  readonly windowMs: number
  /** Told after the commit, together, whose read cursors rose. It never fails; the next write waits for it. */
  readonly onRead?: (risen: readonly Risen[]) => Promise<void>
}

/** Rows are locked in one order, so that two processes cannot wait for each other. */
const raiseCursors = `
WITH given AS MATERIALIZED (
  SELECT ($1::uuid[])[r] AS conversation_id, ($2::uuid[])[r] AS user_id, ($3::int8[])[r] AS delivered, ($4::int8[])[r] AS read
    FROM generate_series(1, cardinality($1::uuid[])) r
), held AS MATERIALIZED (
  SELECT m.conversation_id, m.user_id, m.delivered_seq AS delivered_before, m.read_seq AS read_before, m.marked_seq, c.version,
         greatest(m.delivered_seq, least(greatest(g.delivered, g.read), c.head_seq)) AS delivered,
         greatest(m.read_seq, least(g.read, c.head_seq)) AS read
    FROM given g
    JOIN members m ON m.conversation_id = g.conversation_id AND m.user_id = g.user_id
    JOIN conversations c ON c.id = g.conversation_id
   WHERE m.delivered_seq < greatest(g.delivered, g.read) OR m.read_seq < g.read
   ORDER BY m.conversation_id, m.user_id
     FOR NO KEY UPDATE OF m
), settled AS (
  DELETE FROM offline_messages o USING held h
   WHERE o.user_id = h.user_id AND o.conversation_id = h.conversation_id AND o.seq <= h.delivered
)
UPDATE members m SET delivered_seq = h.delivered, read_seq = h.read,
       marked_seq = CASE WHEN h.read > m.marked_above THEN NULL ELSE m.marked_seq END,
       settings_version = m.settings_version + CASE WHEN h.read > m.marked_above AND m.marked_seq IS NOT NULL THEN 1 ELSE 0 END
  FROM held h
 WHERE m.conversation_id = h.conversation_id AND m.user_id = h.user_id
   AND (m.delivered_seq < h.delivered OR m.read_seq < h.read)
RETURNING m.conversation_id AS conversation, m.user_id AS user, m.delivered_seq AS delivered, m.read_seq AS read,
          m.delivered_seq > h.delivered_before AS "deliveredRose", m.read_seq > h.read_before AS "readRose",
          h.marked_seq IS NOT NULL AND m.marked_seq IS NULL AS unmarked, h.version`

const batchMax = 500
/** What is due within this part of a window is written together with what is due now. */
const togetherShare = 0.1
const queueMax = 50_000
const attemptsMax = 20
const retryPauseMs = 250

interface Noted {
  readonly conversation: string
  readonly user: string
  delivered: number
  read: number
  readonly onRisen: (risen: Risen) => void
  readonly written: PromiseWithResolvers<void>
  readonly dueAt: number
}

export function createReceipts(options: ReceiptsOptions): Receipts {
  const { pool, logger, windowMs, onRead } = options
  /** In the order in which they are due. */
  const noted = new Map<string, Noted>()
  let timer: NodeJS.Timeout | undefined
  let writing = false
  let idle: (() => void) | undefined

  /**
   * Each note waits for its own window, and what is due soon after goes with it. One window for all would let the notes of
   * a whole node burst at once: 200 receipts held the messages up by 40 ms at p99.
   */
  function schedule() {
    if (timer !== undefined || writing) return
    const first = noted.values().next().value
    if (first === undefined) return idle?.()
    const waitMs = idle === undefined ? first.dueAt - performance.now() : 0
    timer = setTimeout(() => void flush(), Math.max(0, waitMs))
  }

  async function flush() {
    timer = undefined
    writing = true
    const until = idle === undefined ? performance.now() + windowMs * togetherShare : Number.POSITIVE_INFINITY
    await write(takeDue(noted, until))
    writing = false
    schedule()
  }

  async function write(batch: readonly Noted[]) {
    for (let attempt = 1; ; attempt++) {
      try {
        const risen = await raise(pool, batch)
        const byKey = new Map(batch.map(one => [one.conversation + one.user, one]))
        for (const one of risen) byKey.get(one.conversation + one.user)?.onRisen(one)
        for (const one of batch) one.written.resolve()
        await onRead?.(risen.filter(one => one.readRose))
        return
      } catch (error) {
        if (isPassing(error) && attempt < attemptsMax) {
          await new Promise(resolve => setTimeout(resolve, retryPauseMs))
          continue
        }
        logger.warn({ err: error, receipts: batch.length }, 'unable to write receipts')
        for (const one of batch) one.written.reject(new Refusal('unavailable', undefined, { retryMs: 2_000 }))
        return
      }
    }
  }

  return {
    note(conversation, user, cursor, onRisen) {
      const key = conversation + user
      const waiting = noted.get(key)
      if (waiting !== undefined) {
        waiting.delivered = Math.max(waiting.delivered, cursor.delivered)
        waiting.read = Math.max(waiting.read, cursor.read)
        return waiting.written.promise
      }
      if (noted.size >= queueMax)
        throw new Refusal('overloaded', 'unable to store the receipt: too many pending writes', { retryMs: 1_000 })
      const written = Promise.withResolvers<void>()
      // Whoever does not wait for the commit must not see its failure as an unhandled rejection.
      written.promise.catch(() => {})
      noted.set(key, { ...cursor, conversation, user, onRisen, written, dueAt: performance.now() + windowMs })
      schedule()
      return written.promise
    },
    get queued() {
      return noted.size
    },
    async close() {
      if (noted.size === 0 && !writing) return
      const done = new Promise<void>(resolve => (idle = resolve))
      clearTimeout(timer)
      timer = undefined
      schedule()
      await done
    },
  }
}

function takeDue(noted: Map<string, Noted>, until: number): Noted[] {
  const batch: Noted[] = []
  for (const [key, one] of noted) {
    if (one.dueAt > until || batch.length === batchMax) break
    noted.delete(key)
    batch.push(one)
  }
  return batch
}

async function raise(pool: Pool, batch: readonly Noted[]): Promise<Risen[]> {
  const statement = {
    name: 'raise-cursors',
    text: raiseCursors,
    settings: plannedOnce,
    values: [
      uuidArray(batch.map(one => one.conversation)),
      uuidArray(batch.map(one => one.user)),
      int8Array(batch.map(one => one.delivered)),
      int8Array(batch.map(one => one.read)),
    ],
  }
  return (await pool.query<Risen>(statement)).rows
}
