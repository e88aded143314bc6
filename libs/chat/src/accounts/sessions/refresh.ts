/**
 * Rotation of refresh tokens. Only the number of the good one is stored: whoever shows an older number holds a token
 * that was used before, so it may have been stolen, and the session ends. The number just before is tolerated for a
 * moment, because two tabs of a browser refresh at once, and because an answer can be lost on its way: but only from
 * whoever made the refresh that counted on, so that a thief is no second tab. docs/decisions/0009 weighs it.
 */
import { createHash } from 'node:crypto'
import { Refusal, type User } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { note } from '../../notices/security/note.ts'
import { transaction } from '../../store/transaction.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { end } from './end.ts'
import { demandNotSuspended, type Opened } from './open.ts'

export interface Refreshed extends Opened {
  readonly user: User
}

export interface RefreshInput {
  /** What the refresh token says. */
  readonly session: string
  readonly number: number
  readonly client: ClientDevice
  /** Chosen by the device, the same for every try of one refresh: it tells a repetition from a thief. */
  readonly attempt?: string | undefined
}

const toleranceMs = 10_000

interface Row {
  number: number
  user_id: string
  username: string
  display_name: string
  avatar: string | null
}

/** Of two at once the second waits for the lock, then finds that the number has moved on. */
const rotate = `
UPDATE sessions s
   SET refresh_number = s.refresh_number + 1, refreshed_at = now(), seen_at = now(),
       expires_at = least(now() + $3 * interval '1 millisecond', s.created_at + $4 * interval '1 millisecond'),
       address = $5, country = $6, agent = $7, refreshed_by = $8, refresh_attempt = $9
  FROM users u
 WHERE s.id = $1 AND s.refresh_number = $2 AND s.revoked_at IS NULL AND s.expires_at > now() AND u.id = s.user_id
RETURNING s.refresh_number AS number, u.id AS user_id, u.username, u.display_name, u.avatar`

const look = `
SELECT s.refresh_number AS number, u.id AS user_id, u.username, u.display_name, u.avatar,
       s.refresh_number - 1 = $2 AND s.refreshed_at > now() - $3 * interval '1 millisecond'
         AND (coalesce(s.refreshed_by = $4, false) OR coalesce(s.refresh_attempt = $5, false)) AS tolerated
  FROM sessions s JOIN users u ON u.id = s.user_id
 WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > now()`

/**
 * @returns the number of the token that is good from now on
 * @throws Refusal refresh_token_invalid, refresh_token_reused (the session is ended), account_suspended
 */
export async function refresh(ctx: AccountsContext, input: RefreshInput): Promise<Refreshed> {
  const { session, number, client } = input
  const { sessionIdleMs, sessionLifeMs } = ctx.settings
  const by = fingerprint(client)
  const attempt = input.attempt ?? null
  const { address, country, agent } = client
  const rotated = await ctx.pool.query<Row>(rotate, [
    session,
    number,
    sessionIdleMs,
    sessionLifeMs,
    address,
    country,
    agent,
    by,
    attempt,
  ])
  if (rotated.rows[0] !== undefined) return toRefreshed(session, rotated.rows[0])

  const found = await ctx.pool.query<Row & { tolerated: boolean }>(look, [session, number, toleranceMs, by, attempt])
  const row = found.rows[0]
  if (row === undefined) {
    const owner = await ctx.pool.query<{ id: string }>('SELECT user_id AS id FROM sessions WHERE id = $1', [session])
    if (owner.rows[0] !== undefined) await demandNotSuspended(ctx.pool, owner.rows[0].id)
    throw new Refusal('refresh_token_invalid')
  }
  if (row.tolerated) return toRefreshed(session, row)
  await endStolen(ctx, row.user_id, session, client)
  throw new Refusal('refresh_token_reused')
}

/** The thief's token and the victim's are the same session: both are dead, and the victim is told why. */
async function endStolen(ctx: AccountsContext, user: string, session: string, client: ClientDevice): Promise<void> {
  await transaction(ctx, async tx => {
    if (await end(ctx, session, tx)) await note(ctx, { user, kind: 'refresh_token_reused', session, client }, tx)
  })
}

/** Who refreshed, as far as a request tells. */
const fingerprint = ({ address, agent }: ClientDevice) => createHash('sha256').update(`${address}\n${agent}`).digest()

function toRefreshed(session: string, row: Row): Refreshed {
  const user = { id: row.user_id, username: row.username, displayName: row.display_name, avatar: row.avatar }
  return { user, session, number: row.number }
}
