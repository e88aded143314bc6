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

/** Makes a conversation without entries; the first of the members owns a group. @returns its id */
export async function makeConversation(
  pool: pg.Pool,
  members: readonly string[],
  kind: 'direct' | 'group' = 'group',
): Promise<string> {
  const id = randomUUID()
  const [low, high] = kind === 'direct' ? [...members].sort() : [null, null]
  await pool.query(
    `INSERT INTO conversations (id, kind, name, member_count, direct_low, direct_high) VALUES ($1, $2, $3, $4, $5, $6)`,
    [id, kind === 'direct' ? 1 : 2, kind === 'direct' ? null : 'Group', members.length, low, high],
  )
  await pool.query(
    `INSERT INTO members (conversation_id, user_id, role, joined_seq)
     SELECT $1, user_id, CASE WHEN n = 1 AND $3 THEN 3 ELSE 1 END, 1 FROM unnest($2::uuid[]) WITH ORDINALITY AS m (user_id, n)`,
    [id, members, kind === 'group'],
  )
  return id
}
