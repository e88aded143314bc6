/**
 * Ends sessions: their tokens are refused from now on, their sockets close at the next pulse of their nodes, and nothing
 * is pushed to their devices any more.
 */
import type { PoolClient } from 'pg'
import type { AccountsContext } from '../context.ts'
import { afterCommit } from '../../store/transaction.ts'

/** What runs a statement: the pool, or the connection of a transaction. */
type Querier = Pick<PoolClient, 'query'>

export interface Ended {
  readonly id: string
  readonly deviceName: string
}

/** Locked in the order of their ids, so that two who end the same ones do not wait for each other. */
const endSessions = (which: string) => `
WITH ended AS (
  UPDATE sessions SET revoked_at = now()
   WHERE id IN (SELECT s.id FROM sessions s WHERE ${which} AND s.revoked_at IS NULL ORDER BY s.id FOR NO KEY UPDATE)
  RETURNING id, device_name
), gone AS (
  DELETE FROM devices d USING ended e WHERE d.session_id = e.id
)
SELECT id, device_name AS "deviceName" FROM ended`

const endOneText = endSessions('s.id = $1')
const endOwnText = endSessions('s.id = $1 AND s.user_id = $2 AND s.expires_at > now()')
const endOldestText = endSessions(`s.id IN (
     SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now() AND id <> $2
      ORDER BY seen_at DESC, id OFFSET $3)`)
const endAllText = endSessions('s.user_id = $1 AND s.id IS DISTINCT FROM $2')

/**
 * Ends a session, whoever's it is.
 * @param client of the transaction that it belongs to, here and below
 * @returns false when it was not there or had ended
 */
export async function end(ctx: AccountsContext, session: string, client: Querier = ctx.pool): Promise<boolean> {
  return (await run(ctx, client, endOneText, [session])).length > 0
}

/** Ends a session of this person that is still good. @returns undefined when there is none */
export async function endOwn(
  ctx: AccountsContext,
  user: string,
  session: string,
  client: Querier = ctx.pool,
): Promise<Ended | undefined> {
  return (await run(ctx, client, endOwnText, [session, user]))[0]
}

/** Ends all sessions of a person. @param input.except the one that stays */
export async function endAll(
  ctx: AccountsContext,
  input: { readonly user: string; readonly except?: string | undefined },
  client: Querier = ctx.pool,
): Promise<Ended[]> {
  return run(ctx, client, endAllText, [input.user, input.except ?? null])
}

/**
 * Ends those of a person beyond a number, the longest unseen first.
 * @param client of the transaction that opened one, and holds the person: so two at once do not pass the number
 * @param input.opened the one that stays whatever comes
 */
export async function endOldest(
  ctx: AccountsContext,
  input: { readonly user: string; readonly opened: string },
  client: Querier,
): Promise<Ended[]> {
  return run(ctx, client, endOldestText, [input.user, input.opened, ctx.settings.sessionsMax - 1])
}

/** Before the commit a check would find the session good and remember that. */
async function run(ctx: AccountsContext, client: Querier, text: string, values: unknown[]): Promise<Ended[]> {
  const { rows } = await client.query<Ended>(text, values)
  await afterCommit(client, async () => ctx.admissions.forget(rows.map(ended => ended.id)))
  return rows
}
