import type { LogContext } from '../context.ts'

export interface TimedFigures {
  /** How long what is longest due has been due, by what it is. */
  readonly lateMs: Readonly<Record<'scheduled' | 'reminders' | 'expiring', number>>
}

/** For metrics: what should have happened by now. Each is a look at the beginning of an index. */
export async function timedFigures(ctx: Pick<LogContext, 'pool'>): Promise<TimedFigures> {
  const { rows } = await ctx.pool.query<Record<keyof TimedFigures['lateMs'], number | null>>({
    name: 'timed-figures',
    text: `SELECT ${late('attempt_at', 'scheduled_messages')} AS scheduled, ${late('due_at', 'reminders')} AS reminders,
                  ${late('expires_at', 'expiring_messages')} AS expiring`,
  })
  const { scheduled, reminders, expiring } = rows[0]!
  const atLeastNone = (ms: number | null) => Math.max(0, ms ?? 0)
  return {
    lateMs: {
      scheduled: atLeastNone(scheduled),
      reminders: atLeastNone(reminders),
      expiring: atLeastNone(expiring),
    },
  }
}

const late = (column: string, table: string) =>
  `(SELECT (extract(epoch FROM now() - min(${column})) * 1000)::float8 FROM ${table})`
