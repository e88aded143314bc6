import type { StoreContext } from '../../store/context.ts'

export interface FeedFigures {
  readonly consumer: string
  /** Entries before it. Exact where it keeps up; where it is behind, about so many, and no more than are looked at. */
  readonly entries: number
  /** How long the first of them has waited. */
  readonly lateMs: number
}

/** Notes that are looked at for one part. */
const notesMax = 10_000

/** The notes that a part has not passed hold the entries of all parts: each counts for its share. */
const lag = `
SELECT p.consumer, ceil(sum(n.entries) / count(*))::float8 AS entries,
       coalesce(extract(epoch FROM clock_timestamp() - min(n.since)) * 1000, 0)::float8 AS "lateMs"
  FROM feed_positions p, LATERAL (
    SELECT coalesce(sum(entries), 0) AS entries, min(at) AS since
      FROM (SELECT entries, at FROM feed_notes WHERE place > p.place ORDER BY place LIMIT ${notesMax}) waiting) n
 GROUP BY p.consumer`

/** How far each consumer is behind the log, what is not settled yet included. */
export async function figures(ctx: Pick<StoreContext, 'pool'>): Promise<FeedFigures[]> {
  return (await ctx.pool.query<FeedFigures>({ name: 'feed-lag', text: lag })).rows
}
