/** A person, as others see them. */
import { Refusal } from '@flotilla/protocol'
import { sql } from 'drizzle-orm'
import type { UsersContext } from './context.ts'
import { blocks, users } from '../store/schema.ts'
import { plainly } from '../text/typed.ts'

/** The columns of User, for a drizzle select. */
export const userColumns = {
  id: users.id,
  username: users.username,
  displayName: users.displayName,
  avatar: users.avatar,
}

/** The same as one person sees them: who has blocked that person shows them no picture. */
export const userColumnsFor = (by: string) => ({
  ...userColumns,
  avatar: sql<string | null>`CASE WHEN NOT EXISTS (
    SELECT FROM ${blocks} WHERE ${blocks.userId} = ${users.id} AND ${blocks.blockedId} = ${by}) THEN ${users.avatar} END`,
})

/** As typed; two that differ only in case are the same. */
const usernamePattern = /^[a-z0-9._-]{3,32}$/i

export const isUsername = (text: string): boolean => usernamePattern.test(text)

/** A username however it was typed: blanks around it, wide letters and the script of its digits make no difference. */
export const typedUsername = (text: string): string => plainly(text).trim()

/** What the spellings of one username have in common, to compare and to count by. */
export const usernameKey = (text: string): string => typedUsername(text).toLowerCase()

/**
 * Everybody named exists, and was not erased.
 * @param field what the refusal names
 */
export async function demandUsers(ctx: UsersContext, ids: readonly string[], field: string): Promise<void> {
  if (ids.length === 0) return
  const found = await ctx.pool.query<{ id: string }>('SELECT id FROM users WHERE id = ANY($1) AND erased_at IS NULL', [
    ids,
  ])
  const known = new Set(found.rows.map(row => row.id))
  const unknown = ids.find(id => !known.has(id))
  if (unknown !== undefined) throw new Refusal('user_unknown', `no such user: ${unknown}`, { field })
}
