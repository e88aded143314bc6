/**
 * One small query a second: which sessions were revoked, who hid something, which conversations were changed, what epoch
 * the store has and what time it is there. So a sign-out, a block and a removal take effect within two pulses even while Redis is away or the
 * process that made them is dead, and a restored backup is noticed without a restart.
 */
import type { Pool } from 'pg'
import type { ChatLogger } from './context.ts'
import type { StoreClock } from './store/clock.ts'

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
  /** Whether the session was revoked lately, as of the last pulse: for whoever registers something after asking for it. */
  isRevoked(session: string): boolean
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

/**
 * The running store by name: its cluster and its timeline. A restore or a promotion changes the timeline, a dump that
 * was loaded elsewhere the cluster.
 */
const identity = `(SELECT s.system_identifier || '/' || c.timeline_id FROM pg_control_system() s, pg_control_checkpoint() c)`

/** Writes down who the store is; a store that is not who it was gets a new epoch. */
async function checkIdentity(pool: Pool): Promise<void> {
  await pool.query(
    `UPDATE store SET epoch = epoch + CASE WHEN store.identity = '' THEN 0 ELSE 1 END, identity = now_is.identity
       FROM (SELECT ${identity} AS identity) now_is WHERE store.identity <> now_is.identity`,
  )
}

const storeMs = '(extract(epoch FROM clock_timestamp()) * 1000)::float8'

/**
 * $1 the overlap, $2 the time of the last pulse that was answered. Both times are the store's; and if its clock was set
 * forward since, or a store took over whose clock is ahead, what happened before that is not passed over.
 */
const since = `least(now(), to_timestamp($2::float8 / 1000)) - $1 * interval '1 second'`
const news = `
SELECT epoch, ${storeMs} AS at,
       ARRAY(SELECT id FROM sessions WHERE revoked_at > ${since}) AS revoked,
       ARRAY(SELECT id || ' ' || extract(epoch FROM hidden_at) FROM users WHERE hidden_at > ${since}) AS hidden
  FROM store`

/** $1 the oldest transaction that was open at the last pulse: later ones, and it, may have been committed since. */
const changesSince = `
SELECT s.xmin::text AS xmin, c.conversation_id AS conversation, c.seq, c.version, c.users
  FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin) s
  LEFT JOIN (SELECT * FROM changes WHERE xid >= $1::xid8 ORDER BY xid LIMIT $2) c ON true`

export async function createPulse(options: PulseOptions): Promise<Pulse> {
  const { pool, logger } = options
  const revokedListeners: ((sessions: readonly string[]) => void)[] = []
  const hiddenListeners: ((users: readonly string[]) => void)[] = []
  const changeListeners: ((changes: readonly ConversationChange[]) => void)[] = []
  const overrunListeners: ((ageMs: number) => void)[] = []
  const epochListeners = [options.onNewEpoch]
  let recent = new Set<string>()
  /** A person and when they hid: who does it again is named again. */
  let recentlyHidden = new Set<string>()
  let alive = true
  let stopped = false
  let checked = true

  try {
    await checkIdentity(pool)
  } catch (error) {
    // Some hosted stores keep these functions to themselves; then `epoch` is raised by hand after a restore.
    checked = false
    logger.warn({ err: error }, 'unable to learn who the store is: raise its epoch by hand after a restore')
  }
  let changesReadAt = performance.now()
  const first = await pool.query<{ epoch: number; xmin: string; at: number }>(
    `SELECT epoch, pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, ${storeMs} AS at FROM store`,
  )
  let { epoch, xmin, at } = first.rows[0]!
  options.clock.heard(at, changesReadAt)
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
    if (!alive && checked) await checkIdentity(pool)
    const askedAt = performance.now()
    const found = await pool.query<{ epoch: number; at: number; revoked: string[]; hidden: string[] }>({
      name: 'pulse',
      text: news,
      values: [overlapSeconds, at],
    })
    const row = found.rows[0]!
    at = row.at
    options.clock.heard(at, askedAt)
    const fresh = row.revoked.filter(session => !recent.has(session))
    recent = new Set(row.revoked)
    if (fresh.length > 0) for (const listener of revokedListeners) listener(fresh)
    const hidden = row.hidden.filter(one => !recentlyHidden.has(one)).map(one => one.split(' ')[0]!)
    recentlyHidden = new Set(row.hidden)
    if (hidden.length > 0) for (const listener of hiddenListeners) listener(hidden)
    if (row.epoch !== epoch) {
      epoch = row.epoch
      // The store may be another one, whose transactions have other numbers. Every device resyncs anyway.
      xmin = '3'
      for (const listener of epochListeners) listener(epoch)
    }
    await readChanges()
  }

  const turn = async () => {
    try {
      await beat()
      alive = true
    } catch (error) {
      if (alive) logger.warn({ err: error }, 'the store does not answer the pulse')
      alive = false
    }
    if (!stopped) timer = setTimeout(() => void turn(), options.pulseMs)
  }
  let timer = setTimeout(() => void turn(), options.pulseMs)

  return {
    epoch: () => epoch,
    alive: () => alive,
    isRevoked: session => recent.has(session),
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
