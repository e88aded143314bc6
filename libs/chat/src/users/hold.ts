import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'

/**
 * Holds people's rows to the end of the transaction, in one order, so that two transactions cannot wait for each other.
 * Whoever changes what two people are to each other begins with it: so such changes come one after the other, and what
 * is read after it stands. It comes before the lock of a conversation, never under it.
 * @returns those who exist and were not erased
 */
export async function holdUsers(client: PoolClient, ids: readonly string[]): Promise<Set<string>> {
  const found = await client.query<{ id: string; erased: boolean }>(
    'SELECT id, erased_at IS NOT NULL AS erased FROM users WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE',
    [ids],
  )
  return new Set(found.rows.filter(row => !row.erased).map(row => row.id))
}

/**
 * Everybody named is among those who are held.
 * @param field what the refusal names
 */
export function demandHeld(held: ReadonlySet<string>, ids: readonly string[], field: string): void {
  const unknown = ids.find(id => !held.has(id))
  if (unknown !== undefined) throw new Refusal('user_unknown', `no such user: ${unknown}`, { field })
}
