/**
 * Signs in by an identity. Known, it is its person's. Unknown, it joins the account with the same address, if both sides
 * have had that verified, and once the second factor of the account was shown, if it has one; otherwise it makes an account.
 *
 * An address that only one side vouches for joins nothing and is not even looked up, so that nobody finds out by it who
 * has an account here: they get an account without an address, and can link the identity from the other one after
 * unlinking it here.
 */
import { type AuthorizationGrant, Refusal, type SecondFactorChallenge } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { AccountsContext } from '../context.ts'
import { hasSecondFactor, read } from '../factors/read.ts'
import { paperCodeHash } from '../../text/paper-codes.ts'
import { begin, type SignedIn } from '../sessions/begin.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { folded } from '../../store/folded.ts'
import { uniqueViolation } from '../../store/failures.ts'
import { transaction } from '../../store/transaction.ts'
import { emailKey } from '../../text/email.ts'
import { get } from '../../users/get.ts'
import { redeem } from './grant.ts'
import { attach, demandNotHeldBack, findOwn, isSame, keptName } from './link.ts'
import { sealJoin } from './join-later.ts'
import { addPerson } from './new-person.ts'
import { comparableEmail, type Profile } from './profile.ts'

interface Arrival {
  readonly provider: string
  readonly profile: Profile
  /** The hash of the code. */
  readonly invitation: Buffer | undefined
  readonly client: ClientDevice
}

/** Whose sign-in it is, and whether the identity is only to join when it is done. */
interface Found {
  readonly user: string
  readonly joins?: true
}

/** A name that is derived can be taken, and another request can be faster; the indexes decide, and one looks again. */
const attemptsMax = 6

/**
 * @param input.invitation a code, as it was typed: for an account that is made
 * @throws Refusal authorization_failed, identity_taken, registration_closed, invitation_invalid, field_invalid (the name of
 *   the device)
 */
export async function signIn(
  ctx: AccountsContext,
  input: AuthorizationGrant & { readonly invitation?: string | undefined; readonly client: ClientDevice },
): Promise<SignedIn | SecondFactorChallenge> {
  const { provider, profile } = await redeem(ctx, input, 'sign-in')
  const { client } = input
  const invitation = input.invitation === undefined ? undefined : paperCodeHash(input.invitation)
  const found = await findOrMake(ctx, { provider, profile, invitation, client })
  const [user] = await get(ctx, [found.user])
  if (user === undefined) throw new Refusal('authorization_failed')
  const identity = found.joins ? sealJoin(ctx, { user: user.id, provider, profile }) : undefined
  return begin(ctx, user, 'identity', client, { identity })
}

async function findOrMake(ctx: AccountsContext, arrival: Arrival): Promise<Found> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const known = await findKnown(ctx, arrival.profile)
    if (known !== undefined) return { user: known }
    try {
      return await transaction(ctx, async client => {
        await forgetErased(client, arrival.profile)
        return (await join(ctx, client, arrival)) ?? { user: await make(ctx, client, arrival, attempt) }
      })
    } catch (error) {
      if (!wasTaken(error)) throw error
    }
  }
  throw new Error(`unable to make an account: ${attemptsMax} names were taken`)
}

function wasTaken(error: unknown): boolean {
  if (error instanceof Refusal) return error.code === 'username_taken' || error.code === 'email_taken'
  return uniqueViolation(error) !== undefined
}

async function findKnown(ctx: AccountsContext, profile: Profile): Promise<string | undefined> {
  const found = await ctx.pool.query<{ user_id: string }>(
    `UPDATE identities i SET used_at = now(), name = $3, email = $4 FROM users u
      WHERE i.issuer = $1 AND i.subject = $2 AND u.id = i.user_id AND u.erased_at IS NULL RETURNING i.user_id`,
    [profile.issuer, profile.subject, keptName(profile), comparableEmail(profile) ?? null],
  )
  return found.rows[0]?.user_id
}

/** Who erased their account may come back as somebody new. */
async function forgetErased(client: PoolClient, { issuer, subject }: Profile): Promise<void> {
  await client.query(
    `DELETE FROM identities i USING users u
      WHERE i.issuer = $1 AND i.subject = $2 AND u.id = i.user_id AND u.erased_at IS NOT NULL`,
    [issuer, subject],
  )
}

/** `users.email` holds only what its owner has verified here, and the profile only what they have verified there. */
async function join(ctx: AccountsContext, client: PoolClient, arrival: Arrival): Promise<Found | undefined> {
  const email = comparableEmail(arrival.profile)
  if (email === undefined) return undefined
  const found = await client.query<{ id: string }>(
    `SELECT id FROM users WHERE ${folded('email')} = $1 AND erased_at IS NULL FOR NO KEY UPDATE`,
    [emailKey(email)],
  )
  const user = found.rows[0]?.id
  if (user === undefined) return undefined
  const there = await findOwn(client, user, arrival.provider)
  // Another request with the same identity was faster.
  if (there !== undefined && isSame(there, arrival.profile)) return { user }
  if (there !== undefined) throw new Refusal('identity_taken')
  if (hasSecondFactor(await read(ctx, user, client))) return { user, joins: true }
  await attach(ctx, client, { ...arrival, user, by: 'address' })
  return { user }
}

async function make(ctx: AccountsContext, client: PoolClient, arrival: Arrival, attempt: number): Promise<string> {
  const { provider, profile } = arrival
  await demandNotHeldBack(client, profile)
  const user = await addPerson(ctx, client, {
    profile,
    invitation: arrival.invitation,
    client: arrival.client,
    attempt,
  })
  await client.query(
    'INSERT INTO identities (issuer, subject, user_id, provider, name, email) VALUES ($1, $2, $3, $4, $5, $6)',
    [profile.issuer, profile.subject, user, provider, keptName(profile), comparableEmail(profile) ?? null],
  )
  return user
}
