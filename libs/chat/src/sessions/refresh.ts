/**
 * Rotation of refresh tokens. Only the number of the good one is stored: whoever shows an older number holds a token
 * that was used before, so it may have been stolen, and the session ends. The number just before is tolerated for a
 * moment, because two tabs of a browser refresh at once, and because an answer can be lost on its way.
 */
import { Refusal } from '@flotilla/protocol'
import type { ChatContext } from '../context.ts'
import type { User } from '../users/user.ts'
import { end } from './end.ts'
import type { Opened } from './open.ts'

export interface Refreshed extends Opened {
  readonly user: User
}

const toleranceMs = 10_000

interface Row {
  number: number
  user_id: string
  username: string
  display_name: string
}

/** Of two at once the second waits for the lock, then finds that the number has moved on. */
const rotate = `
UPDATE sessions s
   SET refresh_number = s.refresh_number + 1, refreshed_at = now(),
       expires_at = least(now() + $3 * interval '1 millisecond', s.created_at + $4 * interval '1 millisecond')
  FROM users u
 WHERE s.id = $1 AND s.refresh_number = $2 AND s.revoked_at IS NULL AND s.expires_at > now() AND u.id = s.user_id
RETURNING s.refresh_number AS number, u.id AS user_id, u.username, u.display_name`

const look = `
SELECT s.refresh_number AS number, u.id AS user_id, u.username, u.display_name,
       s.refreshed_at > now() - $2 * interval '1 millisecond' AS lately
  FROM sessions s JOIN users u ON u.id = s.user_id
 WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > now()`

/**
 * @param input what the refresh token says
 * @returns the number of the token that is good from now on
 * @throws Refusal refresh_invalid, refresh_reused (the session is ended)
 */
export async function refresh(ctx: ChatContext, input: { session: string; number: number }): Promise<Refreshed> {
  const { session, number } = input
  const { sessionIdleMs, sessionLifeMs } = ctx.settings
  const rotated = await ctx.pool.query<Row>(rotate, [session, number, sessionIdleMs, sessionLifeMs])
  if (rotated.rows[0] !== undefined) return toRefreshed(session, rotated.rows[0])

  const found = await ctx.pool.query<Row & { lately: boolean }>(look, [session, toleranceMs])
  const row = found.rows[0]
  if (row === undefined) throw new Refusal('refresh_invalid')
  if (number === row.number - 1 && row.lately) return toRefreshed(session, row)
  await end(ctx, session)
  throw new Refusal('refresh_reused')
}

function toRefreshed(session: string, row: Row): Refreshed {
  const user = { id: row.user_id, username: row.username, displayName: row.display_name }
  return { user, session, number: row.number }
}
