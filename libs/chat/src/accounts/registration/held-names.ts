/**
 * Usernames that nobody may have now: somebody has one that looks like it, or had it until lately, or was
 * banned with it. Those of before are
 * kept as a hash, since of who is erased no name stays.
 */
import { createHash } from 'node:crypto'
import type { PoolClient } from 'pg'
import type { AccountsContext } from '../context.ts'
import { isHeldBack } from './held-back.ts'
import { lookalikeColumn, lookalikeOf } from '../../text/lookalike.ts'
import { usernameKey } from '../../users/user.ts'
import { advisoryLocks } from '../../store/advisory-locks.ts'

/** Old names that one person may hold: the latest. Whoever changes theirs all the time does not keep others from names. */
export const heldNamesMax = 3

type Querier = Pick<PoolClient, 'query'>

const hashOf = (username: string) => createHash('sha256').update(lookalikeOf(username)).digest()

const taken = `
SELECT EXISTS (SELECT FROM users u WHERE ${lookalikeColumn('u.username')} = $1 AND u.id IS DISTINCT FROM $4)
    OR EXISTS (SELECT FROM users u WHERE lower(u.username COLLATE "C") = $5 AND u.id IS DISTINCT FROM $4)
    OR EXISTS (SELECT FROM held_names h
                WHERE h.name_hash = $2 AND h.freed_at > now() - $3 * interval '1 millisecond'
                  AND (h.user_id IS NULL OR h.user_id IS DISTINCT FROM $4))
    OR ${isHeldBack('username', '$5')} AS taken`

/**
 * Whether a name can be had.
 * @param client of the transaction that gives it, in which then nobody else gets one that looks like it
 * @param by who wants it, and may take back what they had
 */
export async function isNameFree(
  ctx: AccountsContext,
  username: string,
  client: Querier,
  by?: string,
): Promise<boolean> {
  const key = lookalikeOf(username)
  await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [advisoryLocks.username, key])
  const values = [key, hashOf(username), ctx.settings.nameHeldMs, by ?? null, usernameKey(username)]
  const found = await client.query<{ taken: boolean }>(taken, values)
  return found.rows[0]?.taken === false
}

const hold = `
INSERT INTO held_names (name_hash, user_id) VALUES ($1, $2)
ON CONFLICT (name_hash) DO UPDATE SET user_id = excluded.user_id, freed_at = now()`

/** Keeps a name that its owner gives up from everybody but them. @param client of the transaction */
export async function holdName(client: Querier, username: string, owner: string): Promise<void> {
  await client.query(hold, [hashOf(username), owner])
  await client.query(
    `DELETE FROM held_names WHERE user_id = $1 AND name_hash NOT IN (
       SELECT name_hash FROM held_names WHERE user_id = $1 ORDER BY freed_at DESC LIMIT ${heldNamesMax})`,
    [owner],
  )
}

/** Keeps the name of somebody who is erased from everybody, and those that they had before. */
export async function holdNameOfErased(client: Querier, username: string, owner: string): Promise<void> {
  await client.query(hold, [hashOf(username), null])
  await client.query('UPDATE held_names SET user_id = NULL WHERE user_id = $1', [owner])
}
