import { inArray } from 'drizzle-orm'
import type { ChatContext } from '../context.ts'
import { users } from '../store/schema.ts'
import { type User, userColumns } from './user.ts'

/** People by their ids, in the order asked for. Those who do not exist are left out. */
export async function get(ctx: ChatContext, ids: readonly string[]): Promise<User[]> {
  if (ids.length === 0) return []
  const found = await ctx.db
    .select(userColumns)
    .from(users)
    .where(inArray(users.id, [...ids]))
  const byId = new Map(found.map(user => [user.id, user]))
  return ids.flatMap(id => byId.get(id) ?? [])
}
