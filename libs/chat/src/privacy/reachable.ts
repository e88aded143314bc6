import type { Pool, PoolClient } from 'pg'
import { demandMayReach, directFromOf } from '../access.ts'
import type { ChatContext } from '../context.ts'
import { readCounterparts } from './counterparts.ts'

/**
 * The caller may begin something with each of these people: no block stands between, and who takes contacts only has the
 * caller among them.
 * @param input.field what the refusal names
 * @throws Refusal direct_closed, direct_refused
 */
export async function demandReachable(
  ctx: Pick<ChatContext, 'settings'>,
  client: Pool | PoolClient,
  by: string,
  input: { users: readonly string[]; field: string },
): Promise<void> {
  for (const [user, one] of await readCounterparts(client, by, input.users))
    if (user !== by) demandMayReach(directFromOf(one.directFrom, ctx.settings.directFrom), one, user, input.field)
}
