import { Refusal } from '@flotilla/protocol'
import { sql } from 'drizzle-orm'
import type { ChatContext } from '../context.ts'
import { users } from '../store/schema.ts'
import { isUsername, type User, userColumns } from '../users/user.ts'
import { type Opened, open } from './open.ts'

export interface SignedIn extends Opened {
  readonly user: User
}

/**
 * Opens a session for a name and its password. Neither the answer nor its time tells which of the two was wrong.
 * @throws Refusal credentials_wrong, overloaded, field_invalid (the name of the device)
 */
export async function signIn(
  ctx: ChatContext,
  input: { username: string; password: string; deviceName: string },
): Promise<SignedIn> {
  const [found] = isUsername(input.username)
    ? await ctx.db
        .select({ ...userColumns, passwordHash: users.passwordHash })
        .from(users)
        .where(sql`lower(${users.username}) = lower(${input.username})`)
    : []
  const right = await ctx.passwords.verify(found?.passwordHash ?? undefined, input.password)
  if (found === undefined || !right) throw new Refusal('credentials_wrong')
  const { passwordHash: _, ...user } = found
  return { user, ...(await open(ctx, user.id, input.deviceName)) }
}
