/**
 * How far the feed is settled: every note up to here is committed or never will be, so nobody who has read up to here
 * has passed over one that commits later.
 *
 * Whoever draws a place has a number as a transaction before. So when the last place is read first, and a number is
 * drawn after it, every place up to that one belongs to a transaction with a lower number; and once `xmin` has reached
 * the number drawn, all of those have ended. A transaction that stays open anywhere in the cluster holds this up, and
 * nothing else does.
 */
import type { Pool } from 'pg'

export interface Settled {
  /** The store's epoch. In another one places and numbers mean something else. */
  readonly epoch: number
  readonly place: number
}

export interface Horizon {
  look(): Promise<Settled>
  /** How long it has waited for transactions to end, in milliseconds; 0 when it does not wait. */
  waitsMs(): number
}

interface Seen {
  epoch: number
  /** The highest place that was drawn. */
  drawn: number
  xmin: string
}

const see = `
SELECT epoch, (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM feed_places) AS drawn,
       pg_snapshot_xmin(pg_current_snapshot())::text AS xmin
  FROM store`
const drawNumber = 'SELECT epoch, pg_current_xact_id()::text AS xid FROM store'

export function createHorizon(pool: Pool): Horizon {
  let epoch = 0
  let place = 0
  let awaited: { readonly place: number; readonly xid: bigint; readonly since: number } | undefined

  async function ask(): Promise<Seen> {
    const { rows } = await pool.query<Seen>({ name: 'feed-see', text: see })
    const seen = rows[0]!
    become(seen.epoch)
    if (awaited !== undefined && BigInt(seen.xmin) >= awaited.xid) {
      place = awaited.place
      awaited = undefined
    }
    return seen
  }

  /** What was learned of another store is forgotten. */
  function become(next: number): void {
    if (next === epoch) return
    epoch = next
    place = 0
    awaited = undefined
  }

  return {
    async look() {
      const seen = await ask()
      if (awaited === undefined && seen.drawn > place) {
        const { rows } = await pool.query<{ epoch: number; xid: string }>({ name: 'feed-draw', text: drawNumber })
        const drawn = rows[0]!
        if (drawn.epoch === seen.epoch)
          awaited = { place: seen.drawn, xid: BigInt(drawn.xid), since: performance.now() }
        // Mostly nobody is in the way, and there is nothing to wait for.
        await ask()
      }
      return { epoch, place }
    },
    waitsMs: () => (awaited === undefined ? 0 : performance.now() - awaited.since),
  }
}
