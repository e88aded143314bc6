import { type AuthorizationGrant, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { AccountsContext } from '../context.ts'
import { identityText, isHeldBack } from '../registration/held-back.ts'
import { note } from '../../notices/security/note.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { transaction } from '../../store/transaction.ts'
import { emailKey } from '../../text/email.ts'
import { type Caller, redeem } from './grant.ts'
import { cleanName } from './new-person.ts'
import { comparableEmail, type Profile } from './profile.ts'

interface Attachment {
  readonly user: string
  readonly provider: string
  readonly profile: Profile
  readonly client: ClientDevice
  readonly session?: string
  /** How it came about, for the trail. */
  readonly by: 'address' | 'person'
}

export const keptName = (profile: Profile): string => cleanName(profile.username || profile.name)

type Key = Pick<Profile, 'issuer' | 'subject'>

export const isSame = (one: Key, other: Key): boolean => one.issuer === other.issuer && one.subject === other.subject

/**
 * Links an identity to the caller's account. The grant is good only in the session that began the authorization: whoever is lured
 * through somebody else's authorization links nothing.
 * @throws Refusal authorization_failed, identity_taken, limit_reached (one identity of each provider)
 */
export async function link(
  ctx: AccountsContext,
  by: Caller,
  input: AuthorizationGrant & { readonly client: ClientDevice },
): Promise<void> {
  const { provider, profile } = await redeem(ctx, input, 'link', by)
  await transaction(ctx, async client => {
    // Everything that changes a person's ways in waits here for each other.
    const locked = await client.query('SELECT FROM users WHERE id = $1 AND erased_at IS NULL FOR NO KEY UPDATE', [
      by.user,
    ])
    if (locked.rowCount === 0) throw new Refusal('authorization_failed')
    const there = await findOwn(client, by.user, provider)
    if (there !== undefined && isSame(there, profile)) return
    if (there !== undefined)
      throw new Refusal('limit_reached', 'another identity of this provider is linked. Unlink it first.', {
        rule: 'one per provider',
      })
    await attach(ctx, client, { ...by, provider, profile, client: input.client, by: 'person' })
  })
}

/** Nobody comes back with what a banned person came with. @throws Refusal identity_taken */
export async function demandNotHeldBack(client: PoolClient, profile: Profile): Promise<void> {
  const email = comparableEmail(profile)
  const held = await client.query(`SELECT WHERE ${isHeldBack('identity', '$1')} OR ${isHeldBack('email', '$2')}`, [
    identityText(profile),
    email === undefined ? null : emailKey(email),
  ])
  if (held.rowCount !== 0) throw new Refusal('identity_taken')
}

/** The identity that somebody has of a provider. */
export async function findOwn(client: PoolClient, user: string, provider: string): Promise<Key | undefined> {
  const own = await client.query<Key>('SELECT issuer, subject FROM identities WHERE user_id = $1 AND provider = $2', [
    user,
    provider,
  ])
  return own.rows[0]
}

/** Within a transaction that holds the person's row. @throws Refusal identity_taken */
export async function attach(ctx: AccountsContext, client: PoolClient, attachment: Attachment): Promise<void> {
  const { user, provider, profile } = attachment
  const { issuer, subject } = profile
  await demandNotHeldBack(client, profile)
  // One of an erased account is nobody's.
  const added = await client.query(
    `INSERT INTO identities AS i (issuer, subject, user_id, provider, name, email) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (issuer, subject) DO UPDATE
        SET user_id = excluded.user_id, provider = excluded.provider, name = excluded.name, email = excluded.email,
            created_at = now(), used_at = now()
      WHERE EXISTS (SELECT FROM users u WHERE u.id = i.user_id AND u.erased_at IS NOT NULL)`,
    [issuer, subject, user, provider, keptName(profile), comparableEmail(profile) ?? null],
  )
  if (added.rowCount === 0) throw new Refusal('identity_taken')
  const detail = { provider, name: keptName(profile), by: attachment.by }
  await note(
    ctx,
    { user, kind: 'identity_linked', session: attachment.session, client: attachment.client, detail },
    client,
  )
}
