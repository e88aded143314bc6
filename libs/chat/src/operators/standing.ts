import { type AccountStatus, Refusal } from '@flotilla/protocol'
import type { OperatorsContext } from './context.ts'
import { isSuspended, suspendedUntil } from '../accounts/sessions/suspension.ts'

interface Row {
  username: string
  display_name: string
  avatar: string | null
  created_at: number
  sessions: number
  suspended: boolean
  until: number | null
  banned: boolean
  erased: boolean
}

/** For operators alone: the caller sees to that. @throws Refusal user_unknown */
export async function standing(ctx: OperatorsContext, id: string): Promise<AccountStatus> {
  const found = await ctx.pool.query<Row>(
    `SELECT u.username, u.display_name, u.avatar, (extract(epoch FROM u.created_at) * 1000)::float8 AS created_at,
            (SELECT count(*)::int FROM sessions s
              WHERE s.user_id = u.id AND s.revoked_at IS NULL AND s.expires_at > now()) AS sessions,
            ${isSuspended('u')} AS suspended, CASE WHEN ${isSuspended('u')} THEN ${suspendedUntil('u')} END AS until,
            EXISTS (SELECT FROM held_back h WHERE h.user_id = u.id) AS banned, u.erased_at IS NOT NULL AS erased
       FROM users u WHERE u.id = $1`,
    [id],
  )
  const row = found.rows[0]
  if (row === undefined) throw new Refusal('user_unknown')
  const { username, display_name: displayName, avatar, created_at, sessions, suspended, until, banned, erased } = row
  return {
    user: { id, username, displayName, avatar },
    createdAt: Math.round(created_at),
    sessions,
    suspended,
    ...(until === null ? {} : { until: Math.round(until) }),
    banned,
    erased,
  }
}
