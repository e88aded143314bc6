import { Refusal, type SecondFactorChallenge } from '@flotilla/protocol'
import { and, isNull, sql } from 'drizzle-orm'
import type { AccountsContext } from '../context.ts'
import { folded } from '../../store/folded.ts'
import { users } from '../../store/schema.ts'
import { emailKey, isEmail } from '../../text/email.ts'
import type { HashSlot } from '../passwords/passwords.ts'
import { isUsername, userColumns, usernameKey } from '../../users/user.ts'
import { begin, type SignedIn } from './begin.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { noteFailure } from './note-failure.ts'

/**
 * Signs in by a password and a name or an address. Neither the answer nor its time tells which of them was wrong, or
 * whether the account has a password at all.
 * @param input.username the username, or the address instead
 * @param input.slot in the queue of passwords, if the caller has one
 * @param input.mayTry counts a try of the account, undefined if there is none, whichever of its names was written. When
 *   it says no, the password counts as wrong, and that is all: a refusal of its own would tell which names and addresses
 *   belong together.
 * @throws Refusal invalid_credentials, overloaded, field_invalid (the name of the device)
 */
export async function signIn(
  ctx: AccountsContext,
  input: {
    readonly username: string
    readonly password: string
    readonly client: ClientDevice
    readonly slot?: HashSlot
    readonly mayTry?: (account: string | undefined) => Promise<boolean>
  },
): Promise<SignedIn | SecondFactorChallenge> {
  const found = await readCandidate(ctx, input.username)
  const mayTry = (await input.mayTry?.(found?.user.id)) ?? true
  const hash = (mayTry ? found?.passwordHash : undefined) ?? undefined
  const right = await ctx.passwords.verify(hash, input.password, input.slot)
  if (found !== undefined && hash !== undefined && right)
    return begin(ctx, found.user, 'password', input.client, { passwordHash: hash })
  noteFailure(ctx, async () => found?.user.id, input.client, 'password')
  throw new Refusal('invalid_credentials')
}

/** What the spellings of one username or address have in common, to look it up and to count by. */
export const signInKey = (name: string): string => (isEmail(name) ? emailKey(name) : usernameKey(name))

async function readCandidate(ctx: AccountsContext, name: string) {
  const key = signInKey(name)
  const column = isEmail(key) ? 'users.email' : isUsername(key) ? 'users.username' : undefined
  if (column === undefined) return undefined
  const [found] = await ctx.db
    .select({ user: userColumns, passwordHash: users.passwordHash })
    .from(users)
    .where(and(sql`${sql.raw(folded(column))} = ${key}`, isNull(users.erasedAt)))
  return found
}
