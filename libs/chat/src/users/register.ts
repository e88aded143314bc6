/** Makes a person who signs in with a name and a password. */
import { randomUUID } from 'node:crypto'
import { Refusal } from '@flotilla/protocol'
import { sql } from 'drizzle-orm'
import type { ChatContext } from '../context.ts'
import { checkName } from '../names.ts'
import { uniqueViolation } from '../store/pool.ts'
import { users } from '../store/schema.ts'
import { checkPassword } from './passwords.ts'
import { isUsername, type User } from './user.ts'

export interface Registration {
  readonly username: string
  readonly password: string
  /** The username, when left out. */
  readonly displayName?: string | undefined
}

/** @throws Refusal field_invalid, password_weak, username_taken, overloaded */
export async function register(ctx: ChatContext, input: Registration): Promise<User> {
  const { username, password } = input
  if (!isUsername(username))
    throw new Refusal('field_invalid', 'username: must be 3 to 32 of a-z, 0-9, dot, underscore and hyphen', {
      field: 'username',
      rule: '3 to 32 of a-z 0-9 . _ -',
    })
  const displayName = checkName(input.displayName ?? username, 'displayName')
  checkPassword(password)
  await demandFree(ctx, username)

  const user = { id: randomUUID(), username, displayName }
  const passwordHash = await ctx.passwords.hash(password)
  try {
    await ctx.db.insert(users).values({ ...user, passwordHash })
  } catch (error) {
    // Two registrations of one name at once: the index decides.
    if (uniqueViolation(error)?.constraint === 'users_username_key') throw taken()
    throw error
  }
  return user
}

const taken = () => new Refusal('username_taken', undefined, { field: 'username' })

/** Asked before the hash is made, which costs more than everything else here. */
async function demandFree(ctx: ChatContext, username: string): Promise<void> {
  const found = await ctx.db
    .select({ id: users.id })
    .from(users)
    .where(sql`lower(${users.username}) = lower(${username})`)
  if (found.length > 0) throw taken()
}
