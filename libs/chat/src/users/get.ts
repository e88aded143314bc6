import type { User } from '@flotilla/protocol'
import { inArray } from 'drizzle-orm'
import type { UsersContext } from './context.ts'
import { users } from '../store/schema.ts'
import { userColumns, userColumnsFor } from './user.ts'

/**
 * People by their ids, in the order asked for. Those who do not exist are left out.
 * @param by who will see them, where one of them may have blocked that person
 */
export async function get(ctx: UsersContext, ids: readonly string[], by?: string): Promise<User[]> {
  if (ids.length === 0) return []
  const found = await ctx.db
    .select(by === undefined ? userColumns : userColumnsFor(by))
    .from(users)
    .where(inArray(users.id, [...ids]))
  const byId = new Map(found.map(user => [user.id, user]))
  return ids.flatMap(id => byId.get(id) ?? [])
}
