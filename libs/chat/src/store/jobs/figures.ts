import type { StoreContext } from '../context.ts'

export interface JobFigures {
  /** Jobs that wait or are under way, by kind. */
  readonly waiting: Readonly<Record<string, number>>
  readonly dead: number
  /** How long the longest waiting of those that are due has been due. */
  readonly lateMs: number
}

/** For metrics: how much waits. */
export async function figures(ctx: StoreContext): Promise<JobFigures> {
  const { rows } = await ctx.pool.query<{ kind: string; waiting: number; dead: number; late_ms: number | null }>({
    name: 'jobs-figures',
    text: `SELECT kind, count(*) FILTER (WHERE dead_at IS NULL)::int AS waiting,
                  count(*) FILTER (WHERE dead_at IS NOT NULL)::int AS dead,
                  (extract(epoch FROM now() - min(due_at) FILTER (WHERE dead_at IS NULL)) * 1000)::float8 AS late_ms
             FROM jobs GROUP BY kind`,
  })
  return {
    waiting: Object.fromEntries(rows.map(row => [row.kind, row.waiting])),
    dead: rows.reduce((sum, row) => sum + row.dead, 0),
    lateMs: Math.max(0, ...rows.map(row => row.late_ms ?? 0)),
  }
}
