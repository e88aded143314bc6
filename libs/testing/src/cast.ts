/**
 * The cast of an authorization matrix: one group, and everybody who can stand in some relation to it and to its owner.
 * Whoever asks for something of the group is a member, an admin, its owner, somebody who was removed, or not in it at
 * all; whoever asks for something of the owner is a stranger, a contact, or blocked.
 */
import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { makeConversation, makeSessions, makeUsers } from './population.ts'

/** Who asks. Nobody has not signed in. */
export const castRoles = ['nobody', 'stranger', 'contact', 'member', 'removed', 'blocked', 'admin', 'owner'] as const
export type CastRole = (typeof castRoles)[number]

const roles = castRoles.filter(role => role !== 'nobody')

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
  /** A contact of the stranger, in no conversation. */
  readonly friend: CastMember
  readonly group: string
  /** The direct conversations of the owner. */
  readonly directWith: Readonly<Record<'contact' | 'blocked', string>>
  /** The newcomer asks the owner into a direct conversation, and the owner the newcomer into the group. */
  readonly asked: Readonly<Record<'direct' | 'group', { readonly conversation: string; readonly request: string }>>
}

/** Writes the cast into the tables. Everybody has signed in a moment ago, so that they need not reauthenticate. */
export async function makeCast(pool: pg.Pool): Promise<Cast> {
  const names = [...roles, 'target', 'newcomer', 'friend'] as const
  const users = await makeUsers(pool, names.length)
  const sessions = await makeSessions(pool, users)
  const cast = Object.fromEntries(
    names.map((name, nth) => [name, { user: users[nth]!, session: sessions[nth]! }]),
  ) as Record<(typeof names)[number], CastMember>
  const { owner, admin, member, target, removed, stranger, contact, blocked, newcomer, friend } = cast
  const group = await makeConversation(pool, [owner.user, admin.user, member.user, target.user])
  await pool.query('UPDATE members SET role = 2 WHERE conversation_id = $1 AND user_id = $2', [group, admin.user])
  // As the removal of somebody leaves it behind: the version has moved on, the row is gone.
  await pool.query('UPDATE conversations SET version = 3 WHERE id = $1', [group])
  await pool.query('DELETE FROM members WHERE conversation_id = $1 AND user_id = $2', [group, removed.user])
  for (const pair of [
    [owner.user, contact.user],
    [stranger.user, friend.user],
  ])
    await pool.query('INSERT INTO contacts (user_id, contact_id) VALUES ($1, $2), ($2, $1)', pair)
  const directWith = {
    contact: await makeConversation(pool, [owner.user, contact.user], 'direct'),
    blocked: await makeConversation(pool, [owner.user, blocked.user], 'direct'),
  }
  await pool.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)', [owner.user, blocked.user])
  const direct = await makeConversation(pool, [newcomer.user, owner.user], 'direct')
  // Whoever is asked is no member yet.
  await pool.query('DELETE FROM members WHERE conversation_id = $1 AND user_id = $2', [direct, owner.user])
  await pool.query('UPDATE conversations SET member_count = 1 WHERE id = $1', [direct])
  const asked = {
    direct: { conversation: direct, request: await ask(pool, direct, newcomer.user, owner.user) },
    group: { conversation: group, request: await ask(pool, group, owner.user, newcomer.user) },
  }
  return { people: cast, target, newcomer, friend, group, directWith, asked }
}

async function ask(pool: pg.Pool, conversation: string, from: string, user: string): Promise<string> {
  const id = randomUUID()
  await pool.query(
    'INSERT INTO conversation_requests (id, conversation_id, user_id, from_id, state) VALUES ($1, $2, $3, $4, 1)',
    [id, conversation, user, from],
  )
  return id
}
