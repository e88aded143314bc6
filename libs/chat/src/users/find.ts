import { Refusal } from '@flotilla/protocol'
import { sql } from 'drizzle-orm'
import type { ChatContext } from '../context.ts'
import { users } from '../store/schema.ts'
import { isUsername, type User, userColumns } from './user.ts'

/**
 * The person of this name, in whatever case it is written.
 * @throws Refusal user_unknown
 */
export async function find(ctx: ChatContext, username: string): Promise<User> {
  const [found] = isUsername(username)
    ? await ctx.db.select(userColumns).from(users).where(sql`lower(${users.username}) = lower(${username})`)
    : []
  if (found === undefined) throw new Refusal('user_unknown', undefined, { field: 'username' })
  return found
}
