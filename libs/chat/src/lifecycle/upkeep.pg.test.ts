import { randomUUID } from 'node:crypto'
import {
  makeConversation,
  makeSessions,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ChatContext } from '../context.ts'
import { claim } from '../store/jobs/index.ts'
import { upkeep } from './upkeep.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let user: string

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
  user = (await makeUsers(ctx.pool, 1))[0]!
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

const ago = (interval: string) => `now() - interval '${interval}'`
const count = async (table: string) => (await ctx.pool.query(`SELECT FROM ${table}`)).rowCount

/** One row that has had its time, and one that has not. */
async function makeRows(): Promise<void> {
  const [past, present] = [await makeConversation(ctx.pool, [user]), await makeConversation(ctx.pool, [user])]
  for (const [session, when] of [
    [(await makeSessions(ctx.pool, [user]))[0]!, '31 days'],
    [(await makeSessions(ctx.pool, [user]))[0]!, '29 days'],
  ])
    await ctx.pool.query(`UPDATE sessions SET revoked_at = ${ago(when!)} WHERE id = $1`, [session])
  const [expired] = await makeSessions(ctx.pool, [user])
  await ctx.pool.query(`UPDATE sessions SET expires_at = ${ago('31 days')} WHERE id = $1`, [expired])
  for (const hours of [2, -1]) {
    const expires = ago(`${hours} hours`)
    await ctx.pool.query(
      `INSERT INTO codes (id, purpose, email, code_mac, tries_left, resend_at, expires_at) VALUES ($1, 'x', 'x', '', 1, now(), ${expires})`,
      [randomUUID()],
    )
    await ctx.pool.query(`INSERT INTO challenges (id, kind, expires_at) VALUES ($1, 'x', ${expires})`, [randomUUID()])
    await ctx.pool.query(
      `INSERT INTO uploads (id, user_id, purpose, expires_at) VALUES ($1, $2, 'avatar', ${expires})`,
      [randomUUID(), user],
    )
  }
  for (const minutes of [61, 59])
    await ctx.pool.query(
      `INSERT INTO changes (conversation_id, seq, version, users, at) VALUES ($1, $2, 1, '{}', ${ago(`${minutes} minutes`)})`,
      [past, minutes],
    )
  await ctx.pool.query(
    `INSERT INTO feed_notes (place, entries, conversations, afters, counts) VALUES (7, 1, '{}', '{}', '{}'), (8, 1, '{}', '{}', '{}')`,
  )
  await ctx.pool.query(`INSERT INTO feed_positions (consumer, part, place) VALUES ('x', 0, 9), ('x', 1, 7)`)
  for (const days of [91, 89])
    await ctx.pool.query(
      `INSERT INTO notifications (id, user_id, kind, dedup, at) VALUES ($1, $2, 'x', '${days}', ${ago(`${days} days`)})`,
      [randomUUID(), user],
    )
  for (const [days, failure] of [
    [91, 'not_a_member'],
    [89, 'not_a_member'],
    [91, null],
  ])
    await ctx.pool.query(
      `INSERT INTO scheduled_messages (user_id, id, conversation_id, due_at, key_id, body, failure)
       VALUES ($1, $2, $3, ${ago(`${days} days`)}, 1, 'x', $4)`,
      [user, randomUUID(), present, failure],
    )
  for (const [where, days] of [
    [past, 367],
    [present, 364],
  ])
    await ctx.pool.query(`INSERT INTO drafts (user_id, conversation_id, at) VALUES ($1, $2, ${ago(`${days} days`)})`, [
      user,
      where,
    ])
  for (const days of [366, 364])
    await ctx.pool.query(`INSERT INTO security_events (user_id, kind, at) VALUES ($1, 'x', ${ago(`${days} days`)})`, [
      user,
    ])
  const [suspended] = await makeUsers(ctx.pool, 1)
  await ctx.pool.query(`UPDATE users SET suspended_until = 'infinity' WHERE id = $1`, [suspended])
  for (const [about, years] of [
    [user, 3],
    [user, 1],
    [suspended, 3],
  ])
    await ctx.pool.query(
      `INSERT INTO operator_actions (id, action, user_id, reason, at) VALUES ($1, 'suspended', $2, 'x', ${ago(`${years} years`)})`,
      [randomUUID(), about],
    )
  for (const [days, state] of [
    [8, 'sent'],
    [8, 'waiting'],
    [6, 'sent'],
  ])
    await ctx.pool.query(
      `INSERT INTO push_deliveries (id, user_id, conversation_id, device_id, provider, from_seq, upto_seq, message_at, created_at, state)
       VALUES ($1, $2, $3, $1, 'fcm', 1, 1, now(), ${ago(`${days} days`)}, $4)`,
      [randomUUID(), user, past, state],
    )
  await ctx.pool.query(
    `INSERT INTO pushes (user_id, conversation_id, from_seq, upto_seq, due_at, pushed_at)
     VALUES ($1, $2, 1, 1, NULL, ${ago('2 days')}), ($1, $3, 1, 1, now(), ${ago('2 days')})`,
    [user, past, present],
  )
  for (const days of [31, 29])
    await ctx.pool.query(
      `INSERT INTO jobs (id, kind, key_id, body, dead_at) VALUES ($1, 'nothing', 1, '', ${ago(`${days} days`)})`,
      [randomUUID()],
    )
  for (const days of [367, 365])
    await ctx.pool.query(`INSERT INTO held_names (name_hash, freed_at) VALUES ($1, ${ago(`${days} days`)})`, [
      Buffer.from(String(days)),
    ])
  for (const days of [1, -1])
    await ctx.pool.query(
      `INSERT INTO invitations (id, code_hash, user_id, by_operator, uses_max, expires_at)
       VALUES ($1, $2, $3, false, 1, ${ago(`${days} days`)})`,
      [randomUUID(), Buffer.from(String(days)), user],
    )
  for (const [conversation, days] of [
    [past, 1],
    [present, -1],
  ] as const) {
    const when = ago(`${days} days`)
    await ctx.pool.query(
      `INSERT INTO invite_links (id, conversation_id, token_hash, by_id, approval, expires_at)
       VALUES ($1, $2, $3, $4, false, ${when})`,
      [randomUUID(), conversation, Buffer.from(String(days)), user],
    )
    await ctx.pool.query(`INSERT INTO group_silences (conversation_id, user_id, until) VALUES ($1, $2, ${when})`, [
      conversation,
      user,
    ])
    await ctx.pool.query(
      `INSERT INTO slow_posts (conversation_id, user_id, client_id, at) VALUES ($1, $2, $1, ${when})`,
      [conversation, user],
    )
    await ctx.pool.query(
      `INSERT INTO join_requests (conversation_id, user_id, declined, changed_at) VALUES ($1, $2, $3, ${ago('367 days')})`,
      // One that is open waits for its answer, however old it is.
      [conversation, user, days > 0],
    )
  }
  for (const decided of [ago('181 days'), ago('179 days'), 'NULL'])
    await ctx.pool.query(
      `INSERT INTO reports (id, user_id, reason, created_at, decision, decided_at)
       VALUES ($1, $2, 'spam', ${ago('1 year')}, CASE WHEN ${decided} IS NOT NULL THEN 'upheld' END, ${decided})`,
      [randomUUID(), user],
    )
}

test('what has had its time goes, and nothing else; files of uploads go by a job', async () => {
  await makeRows()
  expect(await upkeep(ctx)).toEqual({
    held_names: 1,
    invitations: 1,
    invite_links: 1,
    join_requests: 1,
    group_silences: 1,
    slow_posts: 1,
    changes: 1,
    feed_notes: 1,
    codes: 1,
    challenges: 1,
    notifications: 1,
    drafts: 1,
    security_events: 1,
    push_deliveries: 1,
    pushes: 1,
    jobs: 1,
    operator_actions: 1,
    reports: 1,
    scheduled_messages: 1,
    sessions: 2,
    uploads: 1,
  })
  for (const table of ['codes', 'challenges', 'uploads', 'notifications', 'security_events', 'pushes', 'sessions'])
    expect(await count(table)).toBe(1)
  expect([await count('push_deliveries'), await count('reports'), await count('operator_actions')]).toEqual([2, 2, 2])
  expect(await claim(ctx, { max: 10, leaseMs: 1_000 })).toMatchObject([
    { job: { kind: 'delete-files', keys: [expect.stringMatching(/^uploads\/[0-9a-f-]{36}$/)] } },
  ])
  expect((await ctx.pool.query(`SELECT FROM pg_class WHERE relname ~ '^offline_messages_2'`)).rowCount).toBeGreaterThan(
    2,
  )
})

test('of many that have had their time all go, in bites', async () => {
  await ctx.pool.query(
    `INSERT INTO challenges (id, kind, expires_at) SELECT gen_random_uuid(), 'x', ${ago('2 hours')} FROM generate_series(1, 5000)`,
  )
  expect(await upkeep(ctx)).toMatchObject({ challenges: 5_000 })
})

test('one worker does it at a time, and the lock goes with the one that ends', async () => {
  const client = await ctx.pool.connect()
  try {
    await client.query('SELECT pg_advisory_lock($1)', [7_160_532])
    expect(await upkeep(ctx)).toBeUndefined()
  } finally {
    await client.query('SELECT pg_advisory_unlock_all()')
    client.release()
  }
  expect(await upkeep(ctx)).toBeDefined()
  expect(await upkeep(ctx)).toBeDefined()
})

test('it ends between two bites when it is told to', async () => {
  await ctx.pool.query(
    `INSERT INTO challenges (id, kind, expires_at) VALUES (gen_random_uuid(), 'x', ${ago('2 hours')})`,
  )
  expect(await upkeep(ctx, AbortSignal.abort())).toMatchObject({ challenges: 0 })
})
