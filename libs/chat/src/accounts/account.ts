/** What the verbs of the account read of its owner. */
import { Refusal, type User } from '@flotilla/protocol'
import { and, eq, isNull } from 'drizzle-orm'
import type { AccountsContext } from './context.ts'
import { users } from '../store/schema.ts'
import { userColumns } from '../users/user.ts'

export interface Account {
  readonly user: User
  readonly email: string | null
  readonly passwordHash: string | null
}

/** @throws Refusal user_unknown when there is none, or none any more */
export async function readAccount(ctx: AccountsContext, id: string): Promise<Account> {
  const { email, passwordHash } = users
  const [found] = await ctx.db
    .select({ user: userColumns, email, passwordHash })
    .from(users)
    .where(and(eq(users.id, id), isNull(users.erasedAt)))
  if (found === undefined) throw new Refusal('user_unknown')
  return found
}
