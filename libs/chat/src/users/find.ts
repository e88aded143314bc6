import { Refusal, type User } from '@flotilla/protocol'
import { and, isNull, sql } from 'drizzle-orm'
import type { UsersContext } from './context.ts'
import { folded } from '../store/folded.ts'
import { users } from '../store/schema.ts'
import { isUsername, userColumns, userColumnsFor, usernameKey } from './user.ts'

/**
 * The person of this name, in whatever case it is written. Of the erased the name is free.
 * @param by who asks: whom the person has blocked sees no picture
 * @throws Refusal user_unknown
 */
export async function find(ctx: UsersContext, username: string, by?: string): Promise<User> {
  const key = usernameKey(username)
  const [found] = isUsername(key)
    ? await ctx.db
        .select(by === undefined ? userColumns : userColumnsFor(by))
        .from(users)
        .where(and(sql`${sql.raw(folded('users.username'))} = ${key}`, isNull(users.erasedAt)))
    : []
  if (found === undefined) throw new Refusal('user_unknown', undefined, { field: 'username' })
  return found
}
