import { shows } from '../access.ts'
import type { UsersContext } from '../users/context.ts'
import { readCounterparts, type PrivacySetting } from './counterparts.ts'

/** Of these people, those who show this to the caller. Everybody shows everything to oneself. */
export async function visible(
  ctx: Pick<UsersContext, 'pool'>,
  by: string,
  users: readonly string[],
  what: PrivacySetting,
): Promise<Set<string>> {
  const found = await readCounterparts(ctx.pool, by, users)
  return new Set([...found].filter(([user, one]) => user === by || shows(one.to[what], one)).map(([user]) => user))
}

/** The other way round: of these people, those to whom one person shows this. */
export async function audience(
  ctx: Pick<UsersContext, 'pool'>,
  of: string,
  users: readonly string[],
  what: PrivacySetting,
): Promise<Set<string>> {
  const found = await readCounterparts(ctx.pool, of, [of, ...users])
  const to = found.get(of)?.to[what]
  if (to === undefined) return new Set()
  return new Set(users.filter(user => user === of || (found.has(user) && shows(to, found.get(user)!))))
}
