/** The one door to a new person, whatever they sign in by. */
import { randomInt, randomUUID } from 'node:crypto'
import { Refusal, type User } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { AccountsContext } from '../context.ts'
import { checkName } from '../../text/names.ts'
import { isHeldBack } from './held-back.ts'
import { note } from '../../notices/security/note.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { spendInvitation } from '../invitations/spend.ts'
import { folded } from '../../store/folded.ts'
import { uniqueViolation } from '../../store/failures.ts'
import { checkDisplayName } from '../../users/display-name.ts'
import { emailKey } from '../../text/email.ts'
import { searchText } from '../../text/fold.ts'
import { isNameFree } from './held-names.ts'
import { demandMode } from './may-register.ts'
import { isReserved, nameReserved } from '../../users/reserved-names.ts'
import { isUsername, typedUsername } from '../../users/user.ts'

export interface NewUser {
  /** Where it had to be known before; drawn when left out. */
  readonly id?: string | undefined
  /** Derived from the address when left out. */
  readonly username?: string | undefined
  /** The username, when left out. */
  readonly displayName?: string | undefined
  /** Verified to be theirs. */
  readonly email?: string | undefined
  readonly passwordHash?: string | undefined
  /** The hash of the code that they show. */
  readonly invitation?: Buffer | undefined
  /** For the audit trail. */
  readonly client?: ClientDevice | undefined
}

const derivedTriesMax = 6
const derivedLengthMax = 20

/**
 * Makes a person whom the deployment takes, and notes it. Of two at once who want one name or one address, the index lets
 * one have it; nobody gets those of the banned.
 * @param client of the transaction that it belongs to, which uses the invitation up; a refusal leaves it usable
 * @throws Refusal field_invalid, username_taken, email_taken, registration_closed, invitation_invalid
 */
export async function create(
  ctx: AccountsContext,
  input: NewUser,
  client: Pick<PoolClient, 'query'> = ctx.pool,
): Promise<User> {
  const { email, passwordHash } = input
  const username = input.username === undefined ? undefined : checkNewUsername(ctx, input.username)
  if (input.displayName !== undefined) checkDisplayName(ctx, input.displayName)
  demandMode(ctx, { email, invited: input.invitation !== undefined })
  const invitation = input.invitation === undefined ? undefined : await spendInvitation(client, input.invitation)
  const tries = username === undefined ? derivedTriesMax : 1
  for (let attempt = 0; attempt < tries; attempt++) {
    const name = username ?? deriveUsername(ctx, email, attempt)
    if (!(await isNameFree(ctx, name, client))) continue
    const user = {
      id: input.id ?? randomUUID(),
      username: name,
      displayName: checkName(input.displayName ?? name, 'displayName'),
      avatar: null,
    }
    const inserted = await client.query(
      `INSERT INTO users (id, username, display_name, search_text, email, password_hash)
       SELECT $1, $2, $3, $4, $5, $6 WHERE NOT ${isHeldBack('email', '$7')}
       ON CONFLICT DO NOTHING`,
      [
        user.id,
        name,
        user.displayName,
        searchText(name, user.displayName),
        email ?? null,
        passwordHash ?? null,
        email === undefined ? null : emailKey(email),
      ],
    )
    if (inserted.rowCount === 1) {
      const detail = invitation === undefined ? {} : { invitation }
      await note(ctx, { user: user.id, kind: 'registered', client: input.client, detail }, client)
      return user
    }
    if (email !== undefined) await demandEmailFree(client, email)
  }
  if (username !== undefined) throw usernameTaken()
  throw new Error(`unable to derive a username: ${derivedTriesMax} were taken`)
}

/**
 * The username as it is kept.
 * @throws Refusal field_invalid
 */
function checkUsername(text: string): string {
  const username = typedUsername(text)
  const rule = '3 to 32 of a-z 0-9 . _ -'
  if (!isUsername(username))
    throw new Refusal('field_invalid', 'username: must be 3 to 32 of a-z, 0-9, dot, underscore and hyphen', {
      field: 'username',
      rule,
    })
  return username
}

/**
 * The same of a name that is to be somebody's from now on.
 * @throws Refusal field_invalid, also for one that is reserved
 */
export function checkNewUsername(ctx: AccountsContext, text: string): string {
  const username = checkUsername(text)
  if (isReserved(ctx, username)) throw nameReserved('username')
  return username
}

/** Those of before are those that the version before looks through (migrations/0004-text.sql). */
const constraints = {
  username: ['users_username_folded_key', 'users_username_key'],
  email: ['users_email_folded_key', 'users_email_key'],
} as const

/** Whether it says that somebody else has the name or the address already. */
export const isTaken = (error: unknown, what: keyof typeof constraints): boolean =>
  constraints[what].some(one => one === uniqueViolation(error)?.constraint)

export const usernameTaken = () => new Refusal('username_taken', undefined, { field: 'username' })
export const emailTaken = () => new Refusal('email_taken', undefined, { field: 'email' })

/** For whoever wants to refuse before costly work; `create` decides. @throws Refusal username_taken */
export async function demandUsernameFree(ctx: AccountsContext, username: string): Promise<void> {
  if (!(await isNameFree(ctx, username, ctx.pool))) throw usernameTaken()
}

/** @throws Refusal email_taken */
export async function demandEmailFree(client: Pick<PoolClient, 'query'>, email: string): Promise<void> {
  const found = await client.query(
    `SELECT FROM users WHERE ${folded('email')} = $1 UNION ALL SELECT WHERE ${isHeldBack('email', '$1')}`,
    [emailKey(email)],
  )
  if (found.rowCount !== 0) throw emailTaken()
}

/** What stands before the `@`, without a tag, and digits: more of them each time that the name was taken. */
function deriveUsername(ctx: AccountsContext, email: string | undefined, attempt: number): string {
  const local = (email ?? '').split(/[+@]/)[0] ?? ''
  const letters = local
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, '')
  const digits = 4 + attempt
  const stem = letters.slice(0, derivedLengthMax)
  return `${stem === '' || isReserved(ctx, stem) ? 'user' : stem}${String(randomInt(10 ** digits)).padStart(digits, '0')}`
}
