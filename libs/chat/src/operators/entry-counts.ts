/**
 * How many entries were written, by day and kind, of all conversations: counted once each, as they come by the feed.
 * What is erased later was written all the same and stays counted.
 */
import { nameOfKind } from '../log/entries.ts'
import type { Consumer } from '../log/feed/index.ts'
import type { StoreContext } from '../store/context.ts'

export interface EntryCount {
  /** `2026-05-17`, in UTC. */
  readonly day: string
  /** The kind, as entries are called on the wire: `message.new`. */
  readonly event: string
  readonly entries: number
}

/** In one order, so that two workers do not wait for each other in a ring. */
const add = `
INSERT INTO entry_counts AS c (day, kind, entries)
SELECT day, kind, entries FROM unnest($1::date[], $2::smallint[], $3::int8[]) AS g (day, kind, entries) ORDER BY day, kind
    ON CONFLICT (day, kind) DO UPDATE SET entries = c.entries + excluded.entries`

export const entryCounter: Consumer = {
  name: 'entry-counts',
  handle({ entries }) {
    const counts = new Map<string, number>()
    for (const { at, kind } of entries) {
      const key = `${new Date(at).toISOString().slice(0, 10)} ${kind}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    const rows = [...counts].map(([key, count]) => [...key.split(' '), count] as const)
    const values = [rows.map(([day]) => day), rows.map(([, kind]) => kind), rows.map(([, , count]) => count)]
    return async tx => void (await tx.query({ name: 'entry-counts-add', text: add, values }))
  },
}

/** Of so many days up to today, the latest first. For operators alone: the caller sees to that. */
export async function entryCounts(ctx: Pick<StoreContext, 'pool'>, days: number): Promise<EntryCount[]> {
  const { rows } = await ctx.pool.query<{ day: string; kind: number; entries: number }>(
    `SELECT day::text AS day, kind, entries FROM entry_counts
      WHERE day > (now() AT TIME ZONE 'UTC')::date - $1::int ORDER BY day DESC, kind`,
    [days],
  )
  return rows.map(({ day, kind, entries }) => ({ day, event: nameOfKind(kind), entries }))
}
