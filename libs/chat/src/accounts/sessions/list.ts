import type { Session } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'

/** More than a person has, and what one request may cost. */
const listedMax = 100

/** The caller's sessions that are good: the one that asks, then the newest. */
export async function list(ctx: AccountsContext, by: string, session: string): Promise<Session[]> {
  const found = await ctx.pool.query<Session>({
    name: 'sessions-list',
    text: `
SELECT id, device_name AS "deviceName", signed_in_by AS "signInMethod", address, country, agent,
       floor(extract(epoch FROM created_at) * 1000)::float8 AS "createdAt",
       floor(extract(epoch FROM seen_at) * 1000)::float8 AS "seenAt", id = $2 AS current
  FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()
 ORDER BY id = $2 DESC, created_at DESC, id LIMIT ${listedMax}`,
    values: [by, session],
  })
  return found.rows
}
