/**
 * Who is at the other end of the connections: the store that was there before, and one that takes writes?
 *
 * Every new connection is asked before anything else is done with it, and the pulse asks once a second. So:
 * - no connection is used that leads to a standby;
 * - where the store is another one than the data say (a promoted replica, a restored backup), the epoch has risen before
 *   the first query, and everybody in this process knows it (P5);
 * - when a new connection leads to another store than the ones before, those are dropped, whatever they are doing.
 */
import { callbackify } from 'node:util'
import pg from 'pg'
import { remedyOf } from './failures.ts'

/** What a connection leads to. */
export interface Standing {
  readonly epoch: number
  /** It answers, and refuses every write. */
  readonly readOnly: boolean
}

export interface Watch {
  /** Looks at each connection that the pool makes, from now on. */
  mind(pool: pg.Pool): void
  /** Looks at a kept connection. @throws when it leads elsewhere than newer ones, or to a standby: then drop it */
  look(client: Queryable): Promise<Standing>
  /** Whether a write was refused within the last seconds because the server has no room. */
  isFull(): boolean
  /** Whether the store can be told from its copies; it cannot where its functions are kept from us. */
  readonly identifies: boolean
  /** Calls back when the store has another epoch than before, before anything is read from it or written to it. */
  onEpoch(listener: (epoch: number) => void): void
  /** Drops every connection; what is under way on them fails, and finds new ones. */
  renew(): void
}

type Queryable = Pick<pg.PoolClient, 'query'>

/** So long after a write was refused for want of room the store counts as full: no write, no sign of it. */
const fullMs = 5_000

/**
 * The running store by name: its cluster and its timeline. A promotion and a restore begin a new timeline; a dump that was
 * loaded elsewhere is in another cluster. The timeline is that of the log being written: what pg_control_checkpoint()
 * says is the old one until the first checkpoint after a promotion has ended, minutes later.
 */
const timeline = `('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int`
const identity = `(SELECT system_identifier FROM pg_control_system()) || '/' || ${timeline}`

const standing = `pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::bool AS "readOnly"`
const lookWhole = `
SELECT epoch, ${standing}, identity AS written,
       CASE WHEN pg_is_in_recovery() THEN NULL ELSE ${identity} END AS identity,
       CASE WHEN pg_is_in_recovery() THEN NULL ELSE (pg_current_wal_flush_lsn() - '0/0')::float8 END AS flushed
  FROM store`
/** Some hosted stores keep the functions to themselves. */
const lookPart = `SELECT epoch, ${standing}, NULL AS written, NULL AS identity, NULL::float8 AS flushed FROM store`
const withheld = new Set(['0A000', '42501', '42883'])

/**
 * Higher than before, and not what another copy of the same data would take at another time: two replicas promoted one
 * after the other, or one backup restored twice, must not come to the same number. In seconds since 2020.
 */
const nextEpoch = `greatest(epoch + 1, extract(epoch FROM now() - timestamptz '2020-01-01 00:00Z')::int)`
/** $1 who the store is. One that had no name yet is new. */
const writeIdentity = `
UPDATE store SET epoch = CASE WHEN identity = '' THEN epoch ELSE ${nextEpoch} END, identity = $1
 WHERE identity <> $1 RETURNING epoch`
/** $1 the epoch that was read: whoever comes second finds it raised. */
const raiseEpoch = `UPDATE store SET epoch = ${nextEpoch} WHERE epoch = $1 RETURNING epoch`

interface Found {
  epoch: number
  standby: boolean
  readOnly: boolean
  /** Who the store is by its own data, and who it is. */
  written: string | null
  identity: string | null
  /** How far the log has safely got. It never falls in one timeline. */
  flushed: number | null
}

/** A crash may take back the beginning of a record that was half written, which belongs to no commit. */
const tornBytesMax = 65_536

const watches = new WeakMap<pg.Pool, PoolWatch>()

/** The watch of a pool that `createPool` made, or of a lane beside it. */
export function watchOf(pool: pg.Pool): Watch {
  const watch = watches.get(pool)
  if (watch === undefined) throw new Error('unable to find the watch of a pool: createPool has not made it')
  return watch
}

export class PoolWatch implements Watch {
  identifies = true
  readonly #pools: { readonly pool: pg.Pool; readonly busy: Set<pg.PoolClient> }[] = []
  readonly #listeners: ((epoch: number) => void)[] = []
  #known: { readonly epoch: number; readonly identity: string | null; readonly flushed: number } | undefined
  #fullUntil = Number.NEGATIVE_INFINITY

  mind(pool: pg.Pool): void {
    const busy = new Set<pg.PoolClient>()
    this.#pools.push({ pool, busy })
    watches.set(pool, this)
    pool.on('acquire', client => busy.add(client))
    pool.on('release', (error: unknown, client) => {
      busy.delete(client)
      if (remedyOf(error) === 'full') this.#fullUntil = performance.now() + fullMs
    })
  }

  /** The pools ask this of a new connection before it is used. */
  readonly verify = callbackify((client: pg.PoolClient) => this.#meet(client))

  async #meet(client: pg.PoolClient): Promise<void> {
    try {
      const found = await this.#ask(client)
      const moved = this.#isOther(found)
      this.#learn(found)
      if (moved) this.#drop(client)
    } catch (error) {
      // What is wrong with the table is not for the connection to say: the queries will.
      if (remedyOf(error) !== 'mend') throw error
    }
  }

  async look(client: Queryable): Promise<Standing> {
    const found = await this.#ask(client)
    if (this.#isOther(found)) throw new Error('Connection to another store than the newer ones')
    this.#learn(found)
    return found
  }

  isFull(): boolean {
    return performance.now() < this.#fullUntil
  }

  onEpoch(listener: (epoch: number) => void): void {
    this.#listeners.push(listener)
  }

  renew(): void {
    this.#drop(undefined)
  }

  /** Asks, and sees to the epoch. @throws when it is a standby */
  async #ask(client: Queryable): Promise<Found> {
    // Of another connection an answer may come first that is of later.
    const before = this.#known
    const found = await this.#read(client)
    if (found.standby) throw new StandbyError()
    if (found.readOnly || found.identity === null) return found
    const raised = await raise(client, found, before)
    return raised === undefined ? found : { ...found, epoch: raised }
  }

  async #read(client: Queryable): Promise<Found> {
    if (this.identifies)
      try {
        return (await client.query<Found>(lookWhole)).rows[0]!
      } catch (error) {
        if (!(error instanceof pg.DatabaseError) || !withheld.has(error.code ?? '')) throw error
        this.identifies = false
      }
    return (await client.query<Found>(lookPart)).rows[0]!
  }

  /** Of one that takes no writes it is looked for when it takes them again, as for what it has lost. */
  #isOther({ identity, readOnly }: Found): boolean {
    return !readOnly && this.#known !== undefined && this.#known.identity !== identity
  }

  #learn({ epoch, identity, flushed, readOnly }: Found): void {
    const before = this.#known
    if (readOnly && before !== undefined) return
    this.#known = { epoch, identity, flushed: flushed ?? 0 }
    if (before !== undefined && before.epoch !== epoch) for (const listener of this.#listeners) listener(epoch)
  }

  #drop(except: pg.PoolClient | undefined): void {
    for (const { pool, busy } of this.#pools) {
      for (const client of busy) if (client !== except) void client.end()
      // The pool hands idle ones out first.
      for (let idle = pool.idleCount; idle > 0; idle--)
        pool.connect().then(
          client => client.release(true),
          () => {},
        )
    }
  }
}

/** @returns the epoch, if it was raised, or a name was written down */
async function raise(
  client: Queryable,
  { written, identity, epoch, flushed }: Found,
  before: { readonly epoch: number; readonly identity: string | null; readonly flushed: number } | undefined,
): Promise<number | undefined> {
  if (written !== identity) {
    const { rows } = await client.query<{ epoch: number }>(writeIdentity, [identity])
    // Somebody else was first: what they wrote is there.
    return rows[0]?.epoch ?? (await client.query<{ epoch: number }>('SELECT epoch FROM store')).rows[0]!.epoch
  }
  // The same timeline, and less of it than was safe before: a disk was set back to an earlier state.
  const setBack = before?.identity === identity && before.epoch === epoch && flushed! < before.flushed - tornBytesMax
  if (!setBack) return undefined
  return (await client.query<{ epoch: number }>(raiseEpoch, [epoch])).rows[0]?.epoch
}

/** The way leads to a server that takes no writes. It has a code as the errors of the network have one. */
export class StandbyError extends Error {
  readonly code = 'ESTANDBY'
  constructor() {
    super('the store takes no writes: it is a standby, or read-only')
  }
}
