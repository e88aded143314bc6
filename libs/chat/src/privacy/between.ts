import type { UsersContext } from '../users/context.ts'
import type { Restriction } from '../users/restrictions.ts'

/** Of these people, those with whom a block stands between, in either direction. */
export async function between(
  ctx: Pick<UsersContext, 'pool'>,
  by: string,
  users: readonly string[],
): Promise<Set<string>> {
  if (users.length === 0) return new Set()
  const found = await ctx.pool.query<{ user: string }>({
    name: 'blocks-between',
    text: `SELECT blocked_id AS user FROM blocks WHERE user_id = $1 AND blocked_id = ANY($2)
           UNION SELECT user_id FROM blocks WHERE blocked_id = $1 AND user_id = ANY($2)`,
    values: [by, users],
  })
  return new Set(found.rows.map(row => row.user))
}

/** Of these people, those who have blocked the caller. */
export async function blockers(
  ctx: Pick<UsersContext, 'pool'>,
  by: string,
  users: readonly string[],
): Promise<Set<string>> {
  if (users.length === 0) return new Set()
  const found = await ctx.pool.query<{ user: string }>({
    name: 'blocks-blockers',
    text: 'SELECT user_id AS user FROM blocks WHERE blocked_id = $1 AND user_id = ANY($2)',
    values: [by, users],
  })
  return new Set(found.rows.map(row => row.user))
}

/** As `between`, from what is cached of the caller where that tells. */
export async function blockedOf(
  ctx: Pick<UsersContext, 'pool'>,
  by: string,
  users: readonly string[],
  restriction: Restriction,
): Promise<ReadonlySet<string>> {
  return restriction.blocked ?? between(ctx, by, users)
}
