/**
 * Group commit: entries that arrive within a few milliseconds become one statement in one round trip.
 *
 * What is guaranteed (P1, P2, P3, P8):
 * - `add` answers after the commit. Of one (conversation, sender, clientId) there is one row for ever; a second `add`
 *   is answered with that row, whatever body it carries. If the first still waits, the second is answered 'stale' once that
 *   is stored: it may have been decided by another membership, which says neither whom the row is for nor when it ends.
 * - `seq` is given under the lock of the conversation's row, so it is gap-free and rises in commit order.
 * - Nothing is written to a conversation whose membership is not at the version that the caller decided by: such an
 *   `add` is answered 'stale', and the caller decides again. That makes removal exact though caches are late.
 * - One batch is in flight at a time, on one connection: two would split the batches, which costs 9 to 19 %.
 * - An entry that changes the row of an earlier one does so in its own commit, and only if that row is as the caller saw
 *   it; otherwise it is answered 'stale'.
 * - A batch that the store did not answer is sent again until it does: whether it had been committed, the unique index
 *   tells. A batch that the store refuses is halved until the entry at fault stands alone, so that no entry can keep
 *   its neighbours from being stored.
 */
import { Refusal } from '@flotilla/protocol'
import type { Pool, PoolClient } from 'pg'
import type { ChatLogger } from '../ports.ts'
import type { EntryRow } from './entries.ts'
import { findEntries, type Inserted, type NewEntry, toStatement } from './insert-statements.ts'
import { uuidArray } from '../store/binary-arrays.ts'
import { isPassing, keepsConnection, uniqueViolation } from '../store/failures.ts'
import { plannedOnce } from '../store/store-client.ts'

/** Where an entry came to stand. `earlier` is the row that was there before, when this was a repetition. */
export interface Placed {
  readonly seq: number
  /** Milliseconds since 1970, by the clock of the store. */
  readonly at: number
  readonly earlier: EntryRow | undefined
}

export type AddResult = Placed | 'stale' | 'unknown'

export interface Inserts {
  /** @throws Refusal `overloaded` when the queue is full, `unavailable` when the store stays away */
  add(entry: NewEntry): Promise<AddResult>
  /** Entries that wait or are in flight. */
  readonly queued: number
  readonly stats: { flushes: number; stored: number; repeated: number; stale: number; retries: number }
  /** Commits what waits, then answers. */
  close(): Promise<void>
}

export interface InsertsOptions {
  readonly pool: Pool
  readonly logger: ChatLogger
  /** The store's epoch: what was decided in another is decided anew. */
  readonly epoch: () => number
  readonly commitWindowMs: number
  readonly commitEntriesMax: number
  readonly commitQueueMax: number
  readonly commitWaitMs: number
  /** A batch came to its end, so long after it was sent. */
  readonly onCommit?: ((entries: number, ms: number) => void) | undefined
}

interface Pending {
  readonly entry: NewEntry
  readonly key: string
  readonly deadline: number
  readonly epoch: number
  readonly promise: Promise<AddResult>
  resolve(result: AddResult): void
  reject(error: unknown): void
}

/** So long a commit is waited after at the most. */
const gatherMsMax = 12
const retryPauseMs = { first: 20, max: 500 }

const keyOf = (entry: NewEntry) => entry.conversation + entry.sender + entry.clientId
const byConversation = (a: Pending, b: Pending) =>
  a.entry.conversation < b.entry.conversation ? -1 : a.entry.conversation > b.entry.conversation ? 1 : 0

// oxlint-disable-next-line max-lines-per-function -- its queue, its batch and its timers are one state, and a send passes all of them
export function createInserts(options: InsertsOptions): Inserts {
  const { pool, logger } = options
  const stats = { flushes: 0, stored: 0, repeated: 0, stale: 0, retries: 0 }
  /** By key, in the order of arrival. */
  const pending = new Map<string, Pending>()
  let waiting: Pending[] = []
  /** The same with those that change rows: they go apart, in turn with the others. */
  let changing: Pending[] = []
  let hasChanged = false
  let inFlight = false
  let timer: NodeJS.Timeout | undefined
  /** At the end of this turn of the loop. */
  let imminent = false
  let lastFlushAt = Number.NEGATIVE_INFINITY
  let returnedAt = Number.NEGATIVE_INFINITY
  let lastCommitMs = 0
  let expiry: NodeJS.Timeout | undefined
  let client: PoolClient | undefined
  let idle: (() => void) | undefined

  function add(entry: NewEntry): Promise<AddResult> {
    const key = keyOf(entry)
    const same = pending.get(key)
    if (same !== undefined) return same.promise.then(result => (typeof result === 'object' ? 'stale' : result))
    if (pending.size >= options.commitQueueMax)
      throw new Refusal('overloaded', 'unable to store the entry: too many pending writes', { retryMs: 1_000 })
    const { promise, resolve, reject } = Promise.withResolvers<AddResult>()
    const one = {
      entry,
      key,
      deadline: performance.now() + options.commitWaitMs,
      epoch: options.epoch(),
      promise,
      resolve,
      reject,
    }
    pending.set(key, one)
    ;(entry.change === undefined ? waiting : changing).push(one)
    schedule()
    watchDeadlines()
    return promise
  }

  /**
   * The window counts from the flush before, so an idle process sends at once: at the end of this turn of the loop. It bounds
   * how many commits each process asks of PostgreSQL a second. 16 ms instead of 8 take 0.84 of the CPU seconds at 1,600
   * messages a second on two gateways and 0.96 at 3,400 (ten pairs each, in which a commit held 14 instead of 8 and 33
   * instead of 21), for 5 ms more to the median acknowledgement; nothing at saturation, where the next rule decides. After a
   * commit it also waits as long as that took, up to a bound: those who were just acknowledged send again, and would
   * otherwise always miss the next batch, so that two half batches took turns for ever. With this, RESP2 and cursors planned
   * once, a CPU second is worth 1.18 times as many messages with one in flight (five pairs, 1.04 to 1.36), and as many with
   * eight.
   */
  function schedule() {
    const isFull = waiting.length >= options.commitEntriesMax
    if (inFlight || imminent || (timer !== undefined && !isFull)) return
    const dueAt = Math.max(lastFlushAt + options.commitWindowMs, returnedAt + Math.min(lastCommitMs, gatherMsMax))
    const leftMs = isFull ? 0 : dueAt - performance.now()
    if (leftMs > 0) {
      timer = setTimeout(flush, leftMs)
      return
    }
    imminent = true
    setImmediate(flush)
  }

  function flush() {
    clearTimeout(timer)
    timer = undefined
    imminent = false
    if (inFlight || waiting.length + changing.length === 0) return
    inFlight = true
    const sentAt = performance.now()
    lastFlushAt = sentAt
    const batch = take()
    stats.flushes++
    const entries = batch.length
    void commit(batch).finally(() => {
      returnedAt = performance.now()
      lastCommitMs = returnedAt - sentAt
      options.onCommit?.(entries, lastCommitMs)
      inFlight = false
      if (waiting.length + changing.length > 0) schedule()
      else if (pending.size === 0) idle?.()
    })
  }

  function take(): Pending[] {
    hasChanged = changing.length > 0 && (waiting.length === 0 || !hasChanged)
    if (!hasChanged) return waiting.splice(0, options.commitEntriesMax)
    // Of a conversation one at a time: what is decided about the next one's target must see this one.
    const first = new Map<string, Pending>()
    for (const one of changing) {
      if (first.size >= options.commitEntriesMax) break
      if (!first.has(one.entry.conversation)) first.set(one.entry.conversation, one)
    }
    const batch = new Set(first.values())
    changing = changing.filter(one => !batch.has(one))
    return [...batch]
  }

  /** A repetition may have taken the place of one that was told that the store is away. */
  const forget = (one: Pending) => pending.get(one.key) === one && pending.delete(one.key)
  const settle = (one: Pending, result: AddResult) => {
    forget(one)
    one.resolve(result)
  }
  const settleStale = (one: Pending) => {
    stats.stale++
    settle(one, 'stale')
  }
  const fail = (one: Pending, error: unknown) => {
    forget(one)
    one.reject(error)
  }

  /** Brings a batch to its end, whatever it takes. Never throws. */
  async function commit(batch: Pending[]): Promise<void> {
    let rest = batch
    for (let pauseMs = retryPauseMs.first; rest.length > 0; ) {
      try {
        rest = await attempt(rest)
      } catch (error) {
        if (!isPassing(error)) return refuse(rest, error)
        stats.retries++
        logger.warn({ err: error, entries: rest.length }, 'batch not stored; retrying')
        const now = performance.now()
        rest = rest.filter(one => one.deadline > now)
        await new Promise(resolve => setTimeout(resolve, pauseMs))
        pauseMs = Math.min(pauseMs * 2, retryPauseMs.max)
      }
    }
  }

  /** One round trip if all goes well. Returns what must be tried again. */
  async function attempt(all: readonly Pending[]): Promise<Pending[]> {
    const batch = settleOutdated(all).sort(byConversation)
    if (batch.length === 0) return []
    try {
      return settleWritten(batch, await write(batch))
    } catch (error) {
      if (uniqueViolation(error) === undefined) throw error
      const rest = await settleRepeated(batch)
      // A violation without a repetition is a fault of the store: a seq that was given twice.
      if (rest.length === batch.length) throw new Error('unable to store a batch: a seq is taken', { cause: error })
      return rest
    }
  }

  async function query<R extends object>(statement: { name: string; text: string; values: unknown[] }): Promise<R[]> {
    client ??= await connect()
    const mine = client
    // A store that hangs is taken for gone: the connection is dropped, which fails the query, and the batch is repeated.
    const timer = setTimeout(() => dropClient(mine, new Error('no answer')), options.commitWaitMs)
    try {
      // The settings are no part of what `pg` knows of a query.
      const settled = { ...statement, settings: plannedOnce } as typeof statement
      return (await mine.query<R>(settled)).rows
    } catch (error) {
      if (!keepsConnection(error)) dropClient(mine, error)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  async function connect(): Promise<PoolClient> {
    const made = await pool.connect()
    made.on('error', error => dropClient(made, error))
    return made
  }

  function dropClient(lost: PoolClient, error: unknown) {
    if (client !== lost) return
    client = undefined
    lost.release(error instanceof Error ? error : true)
  }

  async function write(batch: readonly Pending[]) {
    const rows = await query<Inserted>(toStatement(batch.map(one => one.entry)))
    return rows[0]!
  }

  /**
   * The statement takes one version for each conversation. Versions only rise, so all but the highest are stale; and in
   * another epoch they may have risen another way.
   */
  function settleOutdated(batch: readonly Pending[]): Pending[] {
    const highest = new Map<string, number>()
    for (const { entry } of batch)
      highest.set(entry.conversation, Math.max(entry.version, highest.get(entry.conversation) ?? 0))
    return batch.filter(one => {
      if (one.entry.version === highest.get(one.entry.conversation) && one.epoch === options.epoch()) return true
      settleStale(one)
      return false
    })
  }

  /** Conversations in the order of the batch are those of the arrays. Counts each conversation's entries as SQL did. */
  function settleWritten(batch: Pending[], answer: Inserted): Pending[] {
    if (!answer.whole) {
      const known = new Set(answer.ids ?? [])
      for (const one of batch) if (!known.has(one.entry.conversation)) settle(one, 'unknown')
      return batch.filter(one => known.has(one.entry.conversation))
    }
    const changed = answer.changed === undefined ? undefined : new Set(answer.changed)
    let place = -1
    let nth = 0
    let before = ''
    for (const one of batch) {
      const { conversation, version } = one.entry
      if (conversation !== before) {
        place++
        nth = 0
        before = conversation
      }
      nth++
      // Of a target that was changed meanwhile only the caller knows what it means.
      if (answer.versions[place] === version && changed?.has(place + 1) !== false) {
        stats.stored++
        settle(one, { seq: answer.heads[place]! + nth, at: answer.at, earlier: undefined })
      } else settleStale(one)
    }
    return []
  }

  async function settleRepeated(batch: Pending[]): Promise<Pending[]> {
    const found = await query<EntryRow & { place: number }>({
      name: 'find-entries',
      text: findEntries,
      values: [
        uuidArray(batch.map(one => one.entry.conversation)),
        uuidArray(batch.map(one => one.entry.sender)),
        uuidArray(batch.map(one => one.entry.clientId)),
      ],
    })
    const settled = new Set<Pending>()
    for (const { place, ...row } of found) {
      const one = batch[place - 1]!
      settled.add(one)
      stats.repeated++
      settle(one, { seq: row.seq, at: Math.round(row.at), earlier: row })
    }
    return batch.filter(one => !settled.has(one))
  }

  /**
   * Entries that have waited too long are told so, at their time, whatever the batch in flight is waiting for. They may be
   * in the store all the same, which a repetition finds out.
   */
  function expire(): void {
    const now = performance.now()
    for (const one of pending.values()) {
      if (one.deadline > now) break
      fail(one, new Refusal('unavailable', undefined, { retryMs: 2_000 }))
    }
    waiting = waiting.filter(one => one.deadline > now)
    changing = changing.filter(one => one.deadline > now)
  }

  /** All wait equally long, so the first that came is the first whose time is up. */
  function watchDeadlines(): void {
    if (expiry !== undefined) return
    // Not for each entry: V8 finds the first behind all that were deleted, which took 4 % of a gateway's time.
    const first = pending.values().next().value
    if (first === undefined) return
    expiry = setTimeout(
      () => {
        expiry = undefined
        expire()
        watchDeadlines()
      },
      Math.max(1, first.deadline - performance.now()),
    )
    expiry.unref()
  }

  /** The store refused the batch: halve it until the entry at fault stands alone. */
  async function refuse(batch: Pending[], error: unknown): Promise<void> {
    if (batch.length === 1) {
      logger.error({ err: error, conversation: batch[0]!.entry.conversation }, 'entry refused by the store')
      return fail(batch[0]!, new Refusal('internal'))
    }
    const half = batch.length >> 1
    await commit(batch.slice(0, half))
    await commit(batch.slice(half))
  }

  return {
    add,
    get queued() {
      return pending.size
    },
    stats,
    async close() {
      if (pending.size > 0) await new Promise<void>(resolve => (idle = resolve))
      clearTimeout(expiry)
      client?.removeAllListeners('error')
      client?.release()
      client = undefined
    },
  }
}
