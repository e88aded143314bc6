import { type Me, Refusal } from '@flotilla/protocol'
import { eq, sql } from 'drizzle-orm'
import type { UsersContext } from './context.ts'
import { users } from '../store/schema.ts'
import { shownEmail } from '../text/email.ts'
import { userColumns } from './user.ts'

/** @throws Refusal user_unknown */
export async function me(ctx: UsersContext, by: string): Promise<Me> {
  const [found] = await ctx.db
    .select({
      ...userColumns,
      about: users.about,
      email: users.email,
      hasPassword: sql<boolean>`${users.passwordHash} IS NOT NULL`,
      deleteAfter: users.deleteAfter,
      createdAt: users.createdAt,
    })
    .from(users)
    .where(eq(users.id, by))
  if (found === undefined) throw new Refusal('user_unknown')
  const { deleteAfter, createdAt, email, ...rest } = found
  return {
    ...rest,
    email: email === null ? null : shownEmail(email),
    ...(deleteAfter === null ? {} : { deleteAfter: deleteAfter.getTime() }),
    createdAt: createdAt.getTime(),
  }
}
