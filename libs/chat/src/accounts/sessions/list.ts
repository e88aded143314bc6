import type { AccountsContext } from '../context.ts'

/** A sign-in, as its owner recognises it. */
export interface SessionItem {
  readonly id: string
  readonly deviceName: string
  /** What was shown to sign in. */
  readonly signedInBy: string
  /** Of the last refresh, as are the country and the agent. */
  readonly address: string
  readonly country: string
  readonly agent: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly seenAt: number
  /** The one that asks. */
  readonly current: boolean
}

/** More than a person has, and what one request may cost. */
const listedMax = 100

/** The caller's sessions that are good: the one that asks, then the newest. */
export async function list(ctx: AccountsContext, by: string, session: string): Promise<SessionItem[]> {
  const found = await ctx.pool.query<SessionItem>({
    name: 'sessions-list',
    text: `
SELECT id, device_name AS "deviceName", signed_in_by AS "signedInBy", address, country, agent,
       floor(extract(epoch FROM created_at) * 1000)::float8 AS "createdAt",
       floor(extract(epoch FROM seen_at) * 1000)::float8 AS "seenAt", id = $2 AS current
  FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()
 ORDER BY id = $2 DESC, created_at DESC, id LIMIT ${listedMax}`,
    values: [by, session],
  })
  return found.rows
}
