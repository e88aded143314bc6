import type { PushContext } from './context.ts'

export interface PushFigures {
  /** Deliveries that wait for an answer, by provider. */
  readonly waiting: Readonly<Record<string, number>>
  /** How long the longest waiting of those that are due has been due. */
  readonly lateMs: number
}

/** For metrics: how much waits to be sent. */
export async function figures(ctx: PushContext): Promise<PushFigures> {
  const { rows } = await ctx.pool.query<{ provider: string; waiting: number; late_ms: number | null }>({
    name: 'push-figures',
    text: `SELECT provider, count(*)::int AS waiting, (extract(epoch FROM now() - min(due_at)) * 1000)::float8 AS late_ms
             FROM push_deliveries WHERE due_at IS NOT NULL GROUP BY provider`,
  })
  return {
    waiting: Object.fromEntries(rows.map(row => [row.provider, row.waiting])),
    lateMs: Math.max(0, ...rows.map(row => row.late_ms ?? 0)),
  }
}
