/**
 * One small query a second: which sessions were revoked, who hid something, which conversations were changed, what epoch
 * the store has and what time it is there. So a sign-out, a block and a removal take effect within two pulses even while Redis is away or the
 * process that made them is dead, and a restored backup is noticed without a restart.
 */
import type { Pool } from 'pg'
import type { ChatLogger } from '../ports.ts'
import type { StoreClock } from '../store/clock.ts'
import { isSuspended } from '../accounts/sessions/suspension.ts'
import { StandbyError, watchOf } from '../store/watch.ts'

/** A change of a conversation other than a message. */
export interface ConversationChange {
  readonly conversation: string
  readonly seq: number
  /** Of the membership, after it. */
  readonly version: number
  /** Those who came or went. */
  readonly users: readonly string[]
}

export interface Pulse {
  /** The store's epoch, as of the last pulse. */
  epoch(): number
  /** Whether the last pulse was answered. */
  alive(): boolean
  /** Whether the store takes writes, as of the last pulse: it is no standby, not read-only, and has room. */
  writable(): boolean
  /** Why nothing should be sent to this process at present; undefined when it may. */
  unready(): string | undefined
  /** Whether the session was revoked lately, as of the last pulse: for whoever registers something after asking for it. */
  isRevoked(session: string): boolean
  /** Whether that was because its person was suspended. */
  isSuspended(session: string): boolean
  /** Calls back with sessions that were revoked since the last pulse. A session may be named twice. */
  onRevoked(listener: (sessions: readonly string[]) => void): void
  /** Calls back with people who hid something from somebody since the last pulse. Somebody may be named twice. */
  onHidden(listener: (users: readonly string[]) => void): void
  /** Calls back with the changes that were committed since the last pulse. One may be named twice. */
  onChanged(listener: (changes: readonly ConversationChange[]) => void): void
  /** More was changed than a pulse reads, or than the store keeps: anything may have been, since so many ms. */
  onOverrun(listener: (ageMs: number) => void): void
  onNewEpoch(listener: (epoch: number) => void): void
  stop(): void
}

export interface PulseOptions {
  readonly pool: Pool
  readonly logger: ChatLogger
  /** Told the time of the store with each pulse. */
  readonly clock: Pick<StoreClock, 'heard'>
  readonly pulseMs: number
  readonly onNewEpoch: (epoch: number) => void
}

/**
 * Changes are asked for with this overlap over the last pulse that was answered, because a transaction that commits now may carry a time of a moment ago.
 * Longer than statement_timeout, so that none can slip under it.
 */
const overlapSeconds = 20
/** Changes that one pulse reads. */
const changesMax = 2_000
/** The store keeps changes for an hour; whoever has not asked for so long must not count on having seen them all. */
const changesKeptMs = 50 * 60_000

const storeMs = '(extract(epoch FROM clock_timestamp()) * 1000)::float8'

/**
 * $1 the overlap, $2 the time of the last pulse that was answered. Both times are the store's; and if its clock was set
 * forward since, or a store took over whose clock is ahead, what happened before that is not passed over.
 */
const since = `least(now(), to_timestamp($2::float8 / 1000)) - $1 * interval '1 second'`
const news = `
SELECT epoch, ${storeMs} AS at,
       ARRAY(SELECT id FROM sessions WHERE revoked_at > ${since}) AS revoked,
       ARRAY(SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id
              WHERE s.revoked_at > ${since} AND ${isSuspended('u')}) AS suspended,
       ARRAY(SELECT id || ' ' || extract(epoch FROM hidden_at) FROM users WHERE hidden_at > ${since}) AS hidden
  FROM store`

/** $1 the oldest transaction that was open at the last pulse: later ones, and it, may have been committed since. */
const changesSince = `
SELECT s.xmin::text AS xmin, c.conversation_id AS conversation, c.seq, c.version, c.users
  FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin) s
  LEFT JOIN (SELECT * FROM changes WHERE xid >= $1::xid8 ORDER BY xid LIMIT $2) c ON true`

// oxlint-disable-next-line max-lines-per-function -- what one look found and who is told of it are one state
export async function createPulse(options: PulseOptions): Promise<Pulse> {
  const { pool, logger } = options
  const revokedListeners: ((sessions: readonly string[]) => void)[] = []
  const hiddenListeners: ((users: readonly string[]) => void)[] = []
  const changeListeners: ((changes: readonly ConversationChange[]) => void)[] = []
  const overrunListeners: ((ageMs: number) => void)[] = []
  const epochListeners = [options.onNewEpoch]
  let recent = new Set<string>()
  let suspended = new Set<string>()
  /** A person and when they hid: who does it again is named again. */
  let recentlyHidden = new Set<string>()
  /** Of the store, by the last pulse. */
  let state: 'well' | 'read-only' | 'standby' | 'away' = 'well'
  let stopped = false
  const watch = watchOf(pool)

  if (await lookAtStore()) state = 'read-only'
  let changesReadAt = performance.now()
  const first = await pool.query<{ epoch: number; xmin: string; at: number }>(
    `SELECT epoch, pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, ${storeMs} AS at FROM store`,
  )
  let { epoch, xmin, at } = first.rows[0]!
  options.clock.heard(at, changesReadAt)
  if (!watch.identifies) logger.warn({}, 'store identity unknown; raise the epoch by hand after a restore or failover')
  const become = (next: number) => {
    if (next === epoch) return
    epoch = next
    // The store may be another one, whose transactions have other numbers. Every device resyncs anyway.
    xmin = '3'
    for (const listener of epochListeners) listener(epoch)
  }
  watch.onEpoch(become)
  let recentChanges = new Set<string>()

  /** Each transaction is read again until none that was open before it is left, so what is named twice is left out. */
  async function readChanges() {
    const askedAt = performance.now()
    const found = await pool.query<
      { xmin: string; conversation: string | null } & Omit<ConversationChange, 'conversation'>
    >({
      name: 'pulse-changes',
      text: changesSince,
      values: [xmin, changesMax],
    })
    const sinceMs = askedAt - changesReadAt
    changesReadAt = askedAt
    xmin = found.rows[0]!.xmin
    if (found.rows.length === changesMax || sinceMs > changesKeptMs) {
      recentChanges = new Set()
      for (const listener of overrunListeners) listener(sinceMs)
      return
    }
    const before = recentChanges
    recentChanges = new Set()
    const fresh: ConversationChange[] = []
    for (const { conversation, seq, version, users } of found.rows) {
      if (conversation === null) continue
      const key = `${conversation} ${seq}`
      recentChanges.add(key)
      if (!before.has(key)) fresh.push({ conversation, seq, version, users })
    }
    if (fresh.length > 0) for (const listener of changeListeners) listener(fresh)
  }

  async function beat() {
    const readOnly = await lookAtStore()
    const askedAt = performance.now()
    const found = await pool.query<{
      epoch: number
      at: number
      revoked: string[]
      suspended: string[]
      hidden: string[]
    }>({
      name: 'pulse',
      text: news,
      values: [overlapSeconds, at],
    })
    const row = found.rows[0]!
    at = row.at
    options.clock.heard(at, askedAt)
    const fresh = row.revoked.filter(session => !recent.has(session))
    recent = new Set(row.revoked)
    suspended = new Set(row.suspended)
    if (fresh.length > 0) for (const listener of revokedListeners) listener(fresh)
    const hidden = row.hidden.filter(one => !recentlyHidden.has(one)).map(one => one.split(' ')[0]!)
    recentlyHidden = new Set(row.hidden)
    if (hidden.length > 0) for (const listener of hiddenListeners) listener(hidden)
    become(row.epoch)
    await readChanges()
    return readOnly ? 'read-only' : 'well'
  }

  /** While it takes no writes each pulse looks where a new connection leads. */
  async function lookAtStore(): Promise<boolean> {
    const client = await pool.connect()
    try {
      const { readOnly } = await watch.look(client)
      client.release(readOnly && state === 'read-only')
      return readOnly
    } catch (error) {
      client.release(error as Error)
      throw error
    }
  }

  const turn = async () => {
    const before = state
    try {
      state = await beat()
      if (state !== before)
        logger.warn({ state, before }, state === 'well' ? 'postgres recovered' : 'postgres is read-only')
    } catch (error) {
      state = error instanceof StandbyError ? 'standby' : 'away'
      // What is kept leads there as well, and would be read from for ever.
      if (state === 'standby') watch.renew()
      if (state !== before) logger.warn({ err: error, state, before }, 'postgres does not answer')
    }
    if (!stopped) timer = setTimeout(() => void turn(), options.pulseMs)
  }
  let timer = setTimeout(() => void turn(), options.pulseMs)

  return {
    epoch: () => epoch,
    alive: () => state !== 'away',
    writable: () => state === 'well' && !watch.isFull(),
    unready() {
      if (state === 'away') return 'the store does not answer'
      if (state !== 'well') return `the store takes no writes: it is ${state === 'standby' ? 'a standby' : state}`
      return watch.isFull() ? 'the store takes no writes: it has no room' : undefined
    },
    isRevoked: session => recent.has(session),
    isSuspended: session => suspended.has(session),
    onRevoked: listener => void revokedListeners.push(listener),
    onHidden: listener => void hiddenListeners.push(listener),
    onChanged: listener => void changeListeners.push(listener),
    onOverrun: listener => void overrunListeners.push(listener),
    onNewEpoch: listener => void epochListeners.push(listener),
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
