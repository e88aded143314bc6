/**
 * The cast of an authorization matrix: one group, and everybody who can stand in some relation to it and to its owner.
 * Whoever asks for something of the group is a member, an admin, its owner, somebody who was removed, or not in it at
 * all; whoever asks for something of the owner is a stranger, a contact, or blocked.
 */
import type pg from 'pg'
import { makeConversation, makeSessions, makeUsers } from './population.ts'

/** Who asks. Nobody has not signed in. */
export const castRoles = ['nobody', 'stranger', 'contact', 'member', 'removed', 'blocked', 'admin', 'owner'] as const
export type CastRole = (typeof castRoles)[number]

export interface CastMember {
  readonly user: string
  readonly session: string
}

export interface Cast {
  readonly people: Readonly<Record<Exclude<CastRole, 'nobody'>, CastMember>>
  /** A further plain member, for what is done to members. */
  readonly target: CastMember
  /** Somebody whom nobody knows, for what is done to strangers. */
  readonly newcomer: CastMember
  readonly group: string
  /** The direct conversations of the owner. */
  readonly directWith: Readonly<Record<'contact' | 'blocked', string>>
}

/** Writes the cast into the tables. Everybody has signed in a moment ago, so that their proof is fresh. */
export async function makeCast(pool: pg.Pool): Promise<Cast> {
  const names = ['owner', 'admin', 'member', 'target', 'removed', 'stranger', 'contact', 'blocked', 'newcomer'] as const
  const users = await makeUsers(pool, names.length)
  const sessions = await makeSessions(pool, users)
  const cast = Object.fromEntries(
    names.map((name, nth) => [name, { user: users[nth]!, session: sessions[nth]! }]),
  ) as Record<(typeof names)[number], CastMember>
  const { owner, admin, member, target, removed, contact, blocked } = cast
  const group = await makeConversation(pool, [owner.user, admin.user, member.user, target.user])
  await pool.query('UPDATE members SET role = 2 WHERE conversation_id = $1 AND user_id = $2', [group, admin.user])
  // As the removal of somebody leaves it behind: the version has moved on, the row is gone.
  await pool.query('UPDATE conversations SET version = 3 WHERE id = $1', [group])
  await pool.query('DELETE FROM members WHERE conversation_id = $1 AND user_id = $2', [group, removed.user])
  await pool.query('INSERT INTO contacts (user_id, contact_id) VALUES ($1, $2), ($2, $1)', [owner.user, contact.user])
  const directWith = {
    contact: await makeConversation(pool, [owner.user, contact.user], 'direct'),
    blocked: await makeConversation(pool, [owner.user, blocked.user], 'direct'),
  }
  await pool.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)', [owner.user, blocked.user])
  return { people: cast, target, newcomer: cast.newcomer, group, directWith }
}
