/**
 * What was begun and waits for its second step: a second factor, a passkey ceremony. The row is good once, for its kind
 * and its person only. What is left lying is deleted when its time is over (upkeep).
 */
import { randomUUID } from 'node:crypto'
import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { StoreContext } from './context.ts'

export interface Challenge<D> {
  readonly kind: string
  /** Whom it is about; undefined while nobody knows. */
  readonly user?: string | undefined
  /** Kept until the second step. In the clear: no secret that is worth something by itself. */
  readonly data: D
  readonly expiresInMs: number
}

/**
 * @param client of the transaction that it belongs to
 * @returns its id, which only whoever began knows
 */
export async function openChallenge<D extends object>(
  ctx: StoreContext,
  challenge: Challenge<D>,
  client: Pick<PoolClient, 'query'> = ctx.pool,
): Promise<string> {
  const { kind, user, data, expiresInMs } = challenge
  const id = randomUUID()
  await client.query(
    `INSERT INTO challenges (id, kind, user_id, data, expires_at)
     VALUES ($1, $2, $3, $4, now() + $5 * interval '1 millisecond')`,
    [id, kind, user ?? null, JSON.stringify(data), expiresInMs],
  )
  return id
}

/**
 * Takes a challenge out: of two at once only one gets it.
 * @param of its kind and its person: that of another is as good as none
 * @param client of the transaction that it belongs to
 * @throws Refusal challenge_invalid
 */
export async function takeChallenge<D extends object>(
  ctx: StoreContext,
  id: string,
  of: { readonly kind: string; readonly user?: string | undefined },
  client: Pick<PoolClient, 'query'> = ctx.pool,
): Promise<D> {
  const taken = await client.query<{ data: D }>(
    `DELETE FROM challenges
      WHERE id = $1 AND kind = $2 AND user_id IS NOT DISTINCT FROM $3 AND expires_at > now() RETURNING data`,
    [id, of.kind, of.user ?? null],
  )
  const row = taken.rows[0]
  if (row === undefined) throw new Refusal('challenge_invalid')
  return row.data
}
