import { Refusal } from '@flotilla/protocol'
import { and, isNull, sql } from 'drizzle-orm'
import type { ChatContext } from '../context.ts'
import { users } from '../store/schema.ts'
import { isEmail } from '../users/email.ts'
import type { Place } from '../users/passwords.ts'
import { isUsername, userColumns } from '../users/user.ts'
import { begin, type FactorNeeded, type SignedIn } from './begin.ts'
import type { Client } from './client.ts'
import { noteFailure } from './note-failure.ts'

/**
 * Signs in by a password and a name or an address. Neither the answer nor its time tells which of them was wrong, or
 * whether the account has a password at all.
 * @param input the username, or the address instead; and the place in the queue of passwords, if the caller has one
 * @throws Refusal credentials_wrong, overloaded, field_invalid (the name of the device)
 */
export async function signIn(
  ctx: ChatContext,
  input: { username: string; password: string; client: Client; place?: Place },
): Promise<SignedIn | FactorNeeded> {
  const found = await readCandidate(ctx, input.username)
  const right = await ctx.passwords.verify(found?.passwordHash ?? undefined, input.password, input.place)
  if (found !== undefined && right) return begin(ctx, found.user, 'password', input.client)
  noteFailure(ctx, async () => found?.user.id, input.client, 'password')
  throw new Refusal('credentials_wrong')
}

async function readCandidate(ctx: ChatContext, name: string) {
  const column = isEmail(name) ? users.email : isUsername(name) ? users.username : undefined
  if (column === undefined) return undefined
  const [found] = await ctx.db
    .select({ user: userColumns, passwordHash: users.passwordHash })
    .from(users)
    .where(and(sql`lower(${column}) = lower(${name})`, isNull(users.erasedAt)))
  return found
}
