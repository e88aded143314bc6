import type { SecurityEvent } from '@flotilla/protocol'
import type { NoticesContext } from '../context.ts'
import { fitting } from '../../store/paging.ts'

export interface SecurityPage {
  readonly events: readonly SecurityEvent[]
  /** For `after` of the next page; missing on the last one. */
  readonly next?: number
}

interface Row extends Omit<SecurityEvent, 'session'> {
  session: string | null
}

const pageMax = 100

/**
 * The caller's own trail, the latest first.
 * @param input.after `next` of the page before
 */
export async function list(
  ctx: NoticesContext,
  by: string,
  input: { readonly limit: number; readonly after?: number | undefined },
): Promise<SecurityPage> {
  const limit = Math.min(input.limit, pageMax)
  const found = await ctx.pool.query<Row>({
    name: 'security-list',
    text: `
SELECT id, kind, floor(extract(epoch FROM at) * 1000)::float8 AS at, address, country, agent, session_id AS session, detail
  FROM security_events WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
    // One more than asked for tells whether there is a next page.
    values: [by, input.after ?? Number.MAX_SAFE_INTEGER, limit + 1],
  })
  const events = fitting(
    found.rows.slice(0, limit).map(({ session, ...event }) => (session === null ? event : { ...event, session })),
  )
  const last = events.at(-1)
  return { events, ...(found.rows.length > events.length && last !== undefined ? { next: last.id } : {}) }
}
