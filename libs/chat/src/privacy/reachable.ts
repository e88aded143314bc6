import type { Pool, PoolClient } from 'pg'
import { type Approach, demandMayReach, directFromOf } from '../access.ts'
import type { UsersContext } from '../users/context.ts'
import { readCounterparts } from './counterparts.ts'

/**
 * How the caller may begin something with each of these people: no block stands between, and who takes contacts only has
 * the caller among them.
 * @param client of a transaction that holds all of them, so that a block comes before, and is seen here, or after (P8)
 * @param input.field what the refusal names
 * @throws Refusal blocked, contacts_only
 */
export async function demandReachable(
  ctx: Pick<UsersContext, 'settings'>,
  client: Pool | PoolClient,
  by: string,
  input: { users: readonly string[]; field: string },
): Promise<Map<string, Approach>> {
  const approaches = new Map<string, Approach>()
  for (const [user, one] of await readCounterparts(client, by, input.users))
    if (user !== by)
      approaches.set(user, demandMayReach(directFromOf(one.directFrom, ctx.settings), one, user, input.field))
  return approaches
}
