/** The events of the trail that one mail tells of together. */
import type { SecurityEvent } from '@flotilla/protocol'
import type { NoticesContext } from '../context.ts'
import type { Gathered } from '../../store/jobs/job.ts'

/** What a mail says in full; of the rest it says how much there is. */
const eventsMax = 20

export interface GatheredEvents {
  readonly events: readonly Pick<SecurityEvent, 'kind' | 'at' | 'address' | 'country' | 'agent' | 'detail'>[]
  /** How many there are beyond these. */
  readonly more: number
}

/** What a mail that was put off tells of, the oldest first. */
export async function gathered(ctx: NoticesContext, { user, due }: Gathered): Promise<GatheredEvents> {
  const found = await ctx.pool.query<GatheredEvents['events'][number] & { all: number }>({
    name: 'security-gathered',
    text: `
SELECT kind, floor(extract(epoch FROM at) * 1000)::float8 AS at, address, country, agent, detail, (count(*) OVER ())::int AS all
  FROM security_events WHERE user_id = $1 AND mail_due = to_timestamp($2::float8 / 1000)
 ORDER BY id LIMIT $3`,
    values: [user, due, eventsMax],
  })
  return { events: found.rows, more: (found.rows[0]?.all ?? 0) - found.rows.length }
}
