/**
 * The feed for consumers on the server: every entry of every conversation, in the order of the log of each, though
 * nobody told of it. What is guaranteed:
 * - An entry is handed out after its commit, once all before it in its conversation were, and none is passed over.
 * - What `handle` returns is done in the transaction that moves the position: exactly once. What it does itself it may do
 *   twice, when its worker dies or loses its lease in between; the entry is then known by (conversation, seq) in one
 *   epoch of the store, and by (conversation, sender, clientId) for ever.
 * - Of one part one worker at a time has a say. Whoever was paused for longer than its lease finds it taken, and its
 *   transaction is rolled back.
 */
import type { Entry } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { StoreContext } from '../../store/context.ts'
import { transaction } from '../../store/transaction.ts'
import { entryColumns, type EntryRow, toEntries } from '../entries.ts'
import { createHorizon, type Settled } from './horizon.ts'

/** An entry as its row tells, unopened. */
export interface FeedEntry {
  readonly conversation: string
  readonly seq: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly sender: string
  readonly clientId: string
  /** Its number; a newer version may have written one that this one does not know. */
  readonly kind: number
}

export interface Batch {
  /** In the order of the log of each conversation. Those that were erased meanwhile are left out. */
  readonly entries: readonly FeedEntry[]
  /** The entries with what they say, for whoever needs it: bodies are read and opened here. */
  open(): Promise<Entry[]>
}

/** What is written to the store because of a batch: short, for it runs in a transaction that others wait for. */
export type Write = (tx: PoolClient) => Promise<void>

export interface Consumer {
  /** For ever: the positions are kept under it. */
  readonly name: string
  /** Whatever it throws leaves the position where it was; the same entries come again, perhaps with more behind them. */
  handle(batch: Batch): Write | undefined | Promise<Write | undefined>
}

export interface Consumption {
  /** Takes what is there for it, as much as one turn may. @returns whether there may be more at once, or there was some */
  turn(): Promise<'more' | 'some' | 'none'>
  /** How long the feed has waited for open transactions, in milliseconds. */
  waitsMs(): number
}

export interface ConsumeOptions {
  /** Nobody else takes a part for so long: longer than any batch may take. */
  readonly leaseMs?: number
  /** About so many entries make a batch; the entries of one commit stay together. */
  readonly entriesMax?: number
}

/**
 * Conversations are shared out over so many parts by the last byte of their id, which is random. Positions are kept by
 * part, so this is for ever.
 */
const parts = 8
const partsAtOnce = parts / 2
const notesAtOnce = 100
/** A part whose batch failed is left alone for so long. */
const failedPauseMs = 5_000

export const partOf = (conversation: string): number => Number.parseInt(conversation.slice(-2), 16) % parts

interface Lease {
  readonly part: number
  readonly place: number
  readonly fence: number
}

interface Note {
  place: number
  conversations: string[]
  afters: number[]
  counts: number[]
}

/** What a part finds in the notes: the entries of a conversation above `after`, up to `upto`. */
interface Share {
  readonly conversations: string[]
  readonly afters: number[]
  readonly uptos: number[]
  /** The position behind it. */
  place: number
}

/** The first consumer begins with the log; a later one with what is still kept. */
const register = `
INSERT INTO feed_positions (consumer, part) SELECT $1, generate_series(0, ${parts - 1}) ON CONFLICT DO NOTHING`

/** $1 the consumer, $2 and $3 what is settled and in which epoch, $4 the lease. Those furthest behind come first. */
const claimParts = `
WITH free AS MATERIALIZED (
  SELECT part FROM feed_positions
   WHERE consumer = $1 AND place < $2 AND leased_until <= now() AND $3 = (SELECT epoch FROM store)
   ORDER BY place, part LIMIT ${partsAtOnce} FOR UPDATE SKIP LOCKED
)
UPDATE feed_positions p SET fence = fence + 1, leased_until = now() + $4 * interval '1 millisecond'
  FROM free WHERE p.consumer = $1 AND p.part = free.part
RETURNING p.part, p.place, p.fence`

const readNotes = `
SELECT place, conversations, afters, counts FROM feed_notes WHERE place > $1 AND place <= $2 ORDER BY place LIMIT ${notesAtOnce}`

/** The rows come in the order of $1; OFFSET keeps the planner from reading the whole log instead. */
const readEntries = `
SELECT m.* FROM unnest($1::uuid[], $2::int8[], $3::int8[]) WITH ORDINALITY AS r (conversation, after, upto, n),
  LATERAL (SELECT conversation_id AS conversation, seq, (extract(epoch FROM created_at) * 1000)::float8 AS at,
                  sender_id AS sender, client_id AS "clientId", kind
             FROM messages WHERE conversation_id = r.conversation AND seq > r.after AND seq <= r.upto OFFSET 0) m
 ORDER BY r.n, m.seq`

const readBodies = `
SELECT ${entryColumns} FROM unnest($1::uuid[], $2::int8[]) WITH ORDINALITY AS r (conversation, seq, n)
  JOIN messages m ON m.conversation_id = r.conversation AND m.seq = r.seq ORDER BY r.n`

/** Whoever lost the lease, or reads of a store that is another by now, moves nothing. $3 parts, $4 fences, $5 places. */
const movePositions = `
UPDATE feed_positions p SET place = g.place, leased_until = '-infinity'
  FROM unnest($3::smallint[], $4::int8[], $5::int8[]) AS g (part, fence, place)
 WHERE p.consumer = $1 AND $2 = (SELECT epoch FROM store) AND p.part = g.part AND p.fence = g.fence`

const putOff = `
UPDATE feed_positions SET leased_until = now() + $4 * interval '1 millisecond'
 WHERE consumer = $1 AND part = $2 AND fence = $3`

class LeaseLost extends Error {}

/** Makes a consumer known and returns what a worker calls again and again. Any number of workers may do so. */
export function consume(
  ctx: Pick<StoreContext, 'pool' | 'seal' | 'logger'>,
  consumer: Consumer,
  { leaseMs = 60_000, entriesMax = 500 }: ConsumeOptions = {},
): Consumption {
  const { pool, logger } = ctx
  const { name } = consumer
  const horizon = createHorizon(pool)
  let registered = false

  async function turn() {
    if (!registered) await pool.query(register, [name])
    registered = true
    const settled = await horizon.look()
    const claimed = await pool.query<Lease>({
      name: 'feed-claim',
      text: claimParts,
      values: [name, settled.place, settled.epoch, leaseMs],
    })
    const leases = claimed.rows
    if (leases.length === 0) return 'none'
    const from = Math.min(...leases.map(lease => lease.place))
    const notes = await pool.query<Note>({ name: 'feed-notes', text: readNotes, values: [from, settled.place] })
    const end = notes.rows.length < notesAtOnce ? settled.place : notes.rows.at(-1)!.place
    const idle: [Lease, number][] = []
    let taken = 0
    for (const lease of leases) {
      const share = shareOf(notes.rows, lease, end, entriesMax)
      if (share.conversations.length === 0) idle.push([lease, share.place])
      else if (await take(settled, lease, share)) taken++
    }
    if (idle.length > 0) await move(pool, settled, idle)
    return leases.length === partsAtOnce || end < settled.place ? 'more' : taken > 0 ? 'some' : 'none'
  }

  /** @returns whether the position has moved */
  async function take(settled: Settled, lease: Lease, share: Share): Promise<boolean> {
    const entries = await read(share)
    let write: Write | undefined
    try {
      if (entries.length > 0) write = await consumer.handle({ entries, open: () => open(entries, settled.epoch) })
      await transaction(ctx, async tx => {
        await write?.(tx)
        if ((await move(tx, settled, [[lease, share.place]])) === 0) throw new LeaseLost('another worker has the part')
      })
      return true
    } catch (error) {
      const where = { consumer: name, part: lease.part, place: lease.place }
      if (error instanceof LeaseLost) logger.warn(where, 'feed lease lost; another worker continues')
      else {
        logger.error({ err: error, ...where }, 'feed batch failed; retrying')
        await pool.query(putOff, [name, lease.part, lease.fence, failedPauseMs])
      }
      return false
    }
  }

  async function read({ conversations, afters, uptos }: Share): Promise<FeedEntry[]> {
    const values = [conversations, afters, uptos]
    const { rows } = await pool.query<FeedEntry>({ name: 'feed-entries', text: readEntries, values })
    return rows.map(row => ({ ...row, at: Math.round(row.at) }))
  }

  async function open(entries: readonly FeedEntry[], epoch: number): Promise<Entry[]> {
    const values = [entries.map(one => one.conversation), entries.map(one => one.seq)]
    const { rows } = await pool.query<EntryRow>({ name: 'feed-bodies', text: readBodies, values })
    return toEntries(ctx.seal, rows, epoch)
  }

  async function move(on: Pick<PoolClient, 'query'>, { epoch }: Settled, moved: readonly [Lease, number][]) {
    const [held, places] = [moved.map(([lease]) => lease), moved.map(([, place]) => place)]
    const { rowCount } = await on.query({
      name: 'feed-move',
      text: movePositions,
      values: [name, epoch, held.map(lease => lease.part), held.map(lease => lease.fence), places],
    })
    return rowCount
  }

  return { turn, waitsMs: horizon.waitsMs }
}

/** What is for one part in notes up to `end`, and the position behind it. A batch that is full ends with its note. */
function shareOf(notes: readonly Note[], { part, place }: Lease, end: number, entriesMax: number): Share {
  const share: Share = { conversations: [], afters: [], uptos: [], place: Math.max(place, end) }
  let entries = 0
  for (const note of notes) {
    if (note.place <= place) continue
    for (const [n, conversation] of note.conversations.entries()) {
      if (partOf(conversation) !== part) continue
      const [after, count] = [note.afters[n]!, note.counts[n]!]
      share.conversations.push(conversation)
      share.afters.push(after)
      share.uptos.push(after + count)
      entries += count
    }
    if (entries >= entriesMax) {
      share.place = note.place
      break
    }
  }
  return share
}
