import { randomUUID } from 'node:crypto'
import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { AccountsContext } from '../context.ts'
import { checkName } from '../../text/names.ts'
import { endOldest } from './end.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { isSuspended, suspendedRefusal, suspendedUntil } from './suspension.ts'

export interface Opened {
  readonly session: string
  /** Of the only refresh token that is good. */
  readonly number: number
}

/**
 * The person's row is held, so that nobody gets a session whose erasure has begun (users/erase.ts), who is being suspended
 * (operators/suspend.ts), or one too many.
 */
const insert = `
INSERT INTO sessions (id, user_id, device_name, signed_in_by, address, country, agent, expires_at)
SELECT $1, u.id, $3, $4, $5, $6, $7, now() + $8 * interval '1 millisecond'
  FROM users u WHERE u.id = $2 AND u.erased_at IS NULL AND NOT ${isSuspended('u')} FOR NO KEY UPDATE`

const erasedRetryMs = 1_000

/**
 * Signs a person in who has shown who they are, by everything that is demanded of them (begin.ts). Of as many sign-ins as
 * one may have (`sessionsMax`) the longest unseen ends: nobody is kept out of their account by what lies in a drawer.
 * @param by what they have shown, for the list of sign-ins
 * @param tx the transaction that it belongs to
 * @throws Refusal field_invalid, account_suspended, unavailable (the account was erased this moment: the next try finds
 *   nobody)
 */
export async function open(
  ctx: AccountsContext,
  user: string,
  client: ClientDevice,
  by: string,
  tx: Pick<PoolClient, 'query'> = ctx.pool,
): Promise<Opened> {
  const { sessionIdleMs, sessionLifeMs } = ctx.settings
  const session = randomUUID()
  const deviceName = checkName(client.deviceName, 'deviceName')
  const { address, country, agent } = client
  const lifeMs = Math.min(sessionIdleMs, sessionLifeMs)
  const made = await tx.query(insert, [session, user, deviceName, by, address, country, agent, lifeMs])
  if (made.rowCount === 0) {
    await demandNotSuspended(tx, user)
    throw new Refusal('unavailable', 'unable to sign in: the account was deleted', { retryMs: erasedRetryMs })
  }
  await endOldest(ctx, { user, opened: session }, tx)
  return { session, number: 1 }
}

/** @throws Refusal account_suspended */
export async function demandNotSuspended(tx: Pick<PoolClient, 'query'>, user: string): Promise<void> {
  const found = await tx.query<{ until: number | null }>(
    `SELECT ${suspendedUntil('u')} AS until FROM users u WHERE u.id = $1 AND ${isSuspended('u')}`,
    [user],
  )
  const suspended = found.rows[0]
  if (suspended !== undefined) throw suspendedRefusal({ until: suspended.until ?? undefined })
}
