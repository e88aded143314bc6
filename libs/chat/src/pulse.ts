/**
 * One small query a second: which sessions were revoked, who hid something, and what epoch the store has. So a sign-out
 * and a block take effect within two pulses even while Redis is away, and a restored backup is noticed without a restart.
 */
import type { Pool } from 'pg'
import type { ChatLogger } from './context.ts'

export interface Pulse {
  /** The store's epoch, as of the last pulse. */
  epoch(): number
  /** Whether the last pulse was answered. */
  alive(): boolean
  /** Calls back with sessions that were revoked since the last pulse. A session may be named twice. */
  onRevoked(listener: (sessions: readonly string[]) => void): void
  /** Calls back with people who hid something from somebody since the last pulse. Somebody may be named twice. */
  onHidden(listener: (users: readonly string[]) => void): void
  onNewEpoch(listener: (epoch: number) => void): void
  stop(): void
}

export interface PulseOptions {
  readonly pool: Pool
  readonly logger: ChatLogger
  readonly pulseMs: number
  readonly onNewEpoch: (epoch: number) => void
}

/**
 * Changes are asked for with this overlap over the last pulse that was answered, because a transaction that commits now may carry a time of a moment ago.
 * Longer than statement_timeout, so that none can slip under it.
 */
const overlapSeconds = 20

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

export async function createPulse(options: PulseOptions): Promise<Pulse> {
  const { pool, logger } = options
  const revokedListeners: ((sessions: readonly string[]) => void)[] = []
  const hiddenListeners: ((users: readonly string[]) => void)[] = []
  const epochListeners = [options.onNewEpoch]
  let recent = new Set<string>()
  /** A person and when they hid: who does it again is named again. */
  let recentlyHidden = new Set<string>()
  let answeredAt = performance.now()
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
  let epoch = (await pool.query<{ epoch: number }>('SELECT epoch FROM store')).rows[0]!.epoch

  async function beat() {
    if (!alive && checked) await checkIdentity(pool)
    const askedAt = performance.now()
    const found = await pool.query<{ epoch: number; revoked: string[]; hidden: string[] }>({
      name: 'pulse',
      text: `SELECT epoch,
                    ARRAY(SELECT id FROM sessions WHERE revoked_at > now() - $1 * interval '1 second') AS revoked,
                    ARRAY(SELECT id || ' ' || extract(epoch FROM hidden_at) FROM users
                           WHERE hidden_at > now() - $1 * interval '1 second') AS hidden
               FROM store`,
      values: [Math.ceil(overlapSeconds + (askedAt - answeredAt) / 1_000)],
    })
    answeredAt = askedAt
    const row = found.rows[0]!
    const fresh = row.revoked.filter(session => !recent.has(session))
    recent = new Set(row.revoked)
    if (fresh.length > 0) for (const listener of revokedListeners) listener(fresh)
    const hidden = row.hidden.filter(one => !recentlyHidden.has(one)).map(one => one.split(' ')[0]!)
    recentlyHidden = new Set(row.hidden)
    if (hidden.length > 0) for (const listener of hiddenListeners) listener(hidden)
    if (row.epoch !== epoch) {
      epoch = row.epoch
      for (const listener of epochListeners) listener(epoch)
    }
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
    onRevoked: listener => void revokedListeners.push(listener),
    onHidden: listener => void hiddenListeners.push(listener),
    onNewEpoch: listener => void epochListeners.push(listener),
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
