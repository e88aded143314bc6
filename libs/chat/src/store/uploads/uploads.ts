/**
 * Files on their way. Whoever wants to send one is promised a place for a time; what arrived there is taken over once,
 * by the verb that it was sent for. What is not taken over goes when its time is up.
 */
import { randomUUID } from 'node:crypto'
import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { StoreContext } from '../context.ts'

/** What is sent for what. */
export type UploadPurpose = 'avatar'

export interface Upload {
  readonly id: string
  /** Where it is to lie in the store of files. */
  readonly key: string
  /** Bytes must have arrived by then. */
  readonly lifeMs: number
}

const lifeMs = 15 * 60_000
/** What arrived in the last moment can still be taken over. */
const graceMs = 5 * 60_000
/** Promises that one person can have open at once. */
const openMax = 20

export const uploadKey = (id: string) => `uploads/${id}`

/** @throws Refusal limit_reached */
export async function promise(ctx: StoreContext, by: string, purpose: UploadPurpose): Promise<Upload> {
  const id = randomUUID()
  const made = await ctx.pool.query({
    name: 'uploads-promise',
    text: `INSERT INTO uploads (id, user_id, purpose, expires_at)
           SELECT $1, $2, $3, now() + $4 * interval '1 millisecond'
            WHERE (SELECT count(*) FROM uploads WHERE user_id = $2 AND expires_at > now()) < $5`,
    values: [id, by, purpose, lifeMs + graceMs, openMax],
  })
  if (made.rowCount === 0)
    throw new Refusal('limit_reached', 'too many open uploads. Finish some, or wait until they expire.', {
      rule: `at most ${openMax} open uploads`,
    })
  return { id, key: uploadKey(id), lifeMs }
}

/**
 * Where an open upload of the caller's lies.
 * @throws Refusal upload_unknown
 */
export async function find(
  ctx: StoreContext,
  by: string,
  id: string,
  purpose?: UploadPurpose,
): Promise<{ key: string }> {
  const found = await ctx.pool.query({
    name: 'uploads-find',
    text: `SELECT FROM uploads
            WHERE id = $1 AND user_id = $2 AND purpose = coalesce($3, purpose) AND expires_at > now()`,
    values: [id, by, purpose],
  })
  if (found.rowCount === 0) throw new Refusal('upload_unknown')
  return { key: uploadKey(id) }
}

/**
 * The upload is done with. Of two at once who want it, one gets it. The row stays as one that has expired: with what it
 * was promised by, bytes can still be sent there, and upkeep deletes them when that is over.
 * @param client of the transaction that makes something of it, and that deletes its file
 * @throws Refusal upload_unknown
 */
export async function takeOver(client: PoolClient, by: string, id: string, purpose: UploadPurpose): Promise<void> {
  const taken = await client.query(
    `UPDATE uploads SET expires_at = clock_timestamp()
      WHERE id = $1 AND user_id = $2 AND purpose = $3 AND expires_at > clock_timestamp()`,
    [id, by, purpose],
  )
  if (taken.rowCount === 0) throw new Refusal('upload_unknown')
}
