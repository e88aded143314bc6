/** People and conversations straight into the tables, for tests and runs that are about something else. */
import { randomUUID } from 'node:crypto'
import type pg from 'pg'

/** Makes people without passwords. @returns their ids */
export async function makeUsers(pool: pg.Pool, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID())
  await pool.query(
    `INSERT INTO users (id, username, display_name) SELECT id, 'u' || id, 'Person ' || n FROM unnest($1::uuid[]) WITH ORDINALITY AS p (id, n)`,
    [ids],
  )
  return ids
}

/** Makes a session for each of these people. @returns the sessions in the same order */
export async function makeSessions(pool: pg.Pool, users: readonly string[]): Promise<string[]> {
  const ids = users.map(() => randomUUID())
  await pool.query(
    `INSERT INTO sessions (id, user_id, device_name, expires_at)
     SELECT id, user_id, 'test', now() + interval '1 day' FROM unnest($1::uuid[], $2::uuid[]) AS s (id, user_id)`,
    [ids, users],
  )
  return ids
}

export interface PlannedConversation {
  readonly kind: 'direct' | 'group'
  /** The first of them owns a group. */
  readonly members: readonly string[]
}

/** Makes conversations without entries, some thousand in one go. @returns their ids in the same order */
export async function makeConversations(pool: pg.Pool, planned: readonly PlannedConversation[]): Promise<string[]> {
  const rows = planned.map(({ kind, members }) => {
    const [low = null, high = null] = kind === 'direct' ? [...members].sort() : []
    return { id: randomUUID(), kind, members, low, high }
  })
  await pool.query(
    `INSERT INTO conversations (id, kind, name, member_count, direct_low, direct_high)
     SELECT id, kind, CASE WHEN kind = 2 THEN 'Group' END, count, low, high
       FROM unnest($1::uuid[], $2::smallint[], $3::int[], $4::uuid[], $5::uuid[]) AS c (id, kind, count, low, high)`,
    [
      rows.map(row => row.id),
      rows.map(row => (row.kind === 'direct' ? 1 : 2)),
      rows.map(row => row.members.length),
      rows.map(row => row.low),
      rows.map(row => row.high),
    ],
  )
  const members = rows.flatMap(row =>
    row.members.map((user, nth) => ({ id: row.id, user, role: nth === 0 && row.kind === 'group' ? 3 : 1 })),
  )
  await pool.query(
    `INSERT INTO members (conversation_id, user_id, role, joined_seq)
     SELECT id, user_id, role, 1 FROM unnest($1::uuid[], $2::uuid[], $3::smallint[]) AS m (id, user_id, role)`,
    [members.map(one => one.id), members.map(one => one.user), members.map(one => one.role)],
  )
  return rows.map(row => row.id)
}

/** Makes a conversation without entries; the first of the members owns a group. @returns its id */
export async function makeConversation(
  pool: pg.Pool,
  members: readonly string[],
  kind: PlannedConversation['kind'] = 'group',
): Promise<string> {
  const [id] = await makeConversations(pool, [{ kind, members }])
  return id!
}

/** Makes a conversation one that has long been large, as if so many more were in it. Its version rises, as it would by that. */
export async function makeLarge(pool: pg.Pool, conversation: string): Promise<void> {
  await pool.query(
    `UPDATE conversations
        SET large_since = now() - interval '1 hour', member_count = member_count + 1000, version = version + 1
      WHERE id = $1`,
    [conversation],
  )
}

/** Somebody who talks from one device. */
export interface Person {
  readonly device: string
  readonly user: string
  readonly session: string
  readonly conversations: readonly string[]
}

/**
 * Makes people who have something to say to each other: each is in one group, and in one direct conversation if their
 * number is even.
 * @param name begins the names of their devices, for histories of several crowds
 */
export async function makePeople(
  pool: pg.Pool,
  options: { readonly count: number; readonly groupSize: number; readonly name?: string },
): Promise<Person[]> {
  const { count, groupSize, name = 'device' } = options
  const users = await makeUsers(pool, count)
  const sessions = await makeSessions(pool, users)
  const groups = Array.from({ length: Math.ceil(count / groupSize) }, (_, nth) => ({
    kind: 'group' as const,
    members: users.slice(nth * groupSize, (nth + 1) * groupSize),
  }))
  const half = count >> 1
  const pairs = Array.from({ length: half }, (_, nth) => ({
    kind: 'direct' as const,
    members: [users[nth]!, users[nth + half]!],
  }))
  const planned = [...groups, ...pairs]
  const ids = await makeConversations(pool, planned)
  const conversations = new Map<string, string[]>(users.map(user => [user, []]))
  for (const [nth, { members }] of planned.entries())
    for (const member of members) conversations.get(member)!.push(ids[nth]!)
  return users.map((user, nth) => ({
    device: `${name}-${nth}`,
    user,
    session: sessions[nth]!,
    conversations: conversations.get(user)!,
  }))
}
