import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensurePartitions, note, owed, owedToAll } from './index.ts'

let database: TestDatabase
let chat: TestChat

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  await ensurePartitions(chat.ctx.pool)
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

test('absences are noted once, and not for what was had meanwhile or by somebody who left', async () => {
  const [alice, bob] = (await makeUsers(chat.ctx.pool, 2)) as [string, string]
  const conversation = await makeConversation(chat.ctx.pool, [alice])
  await chat.ctx.pool.query('UPDATE conversations SET head_seq = 9 WHERE id = $1', [conversation])
  await chat.ctx.pool.query('UPDATE members SET delivered_seq = 3 WHERE conversation_id = $1', [conversation])
  const absences = [3, 4, 5, 5].map(seq => ({ user: alice, conversation, seq }))
  await note(chat.ctx, [...absences, { user: bob, conversation, seq: 4 }])
  await note(chat.ctx, absences)
  expect(await owed(chat.ctx, alice)).toEqual([{ conversation, entries: 2, highest: 5 }])
  expect(await owed(chat.ctx, bob)).toEqual([])
})

test('each day gets its partition ahead, the past is dropped, and doing it twice at once is fine', async () => {
  await chat.ctx.pool.query(
    `CREATE TABLE offline_messages_20200101 PARTITION OF offline_messages FOR VALUES FROM ('2020-01-01') TO ('2020-01-02')`,
  )
  await Promise.all([ensurePartitions(chat.ctx.pool), ensurePartitions(chat.ctx.pool)])
  await ensurePartitions(chat.ctx.pool)
  const found = await chat.ctx.pool.query<{ name: string }>(
    `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'offline_messages'::regclass ORDER BY 1`,
  )
  const names = found.rows.map(row => row.name)
  expect(names).toHaveLength(5)
  expect(names).toContain('offline_messages_default')
  expect(names).not.toContain('offline_messages_20200101')
  const [alice] = (await makeUsers(chat.ctx.pool, 1)) as [string]
  const conversation = await makeConversation(chat.ctx.pool, [alice])
  await note(chat.ctx, [{ user: alice, conversation, seq: 1 }])
  expect((await chat.ctx.pool.query('SELECT FROM offline_messages_default')).rowCount).toBe(0)
})

test('what is owed to everybody is counted, and where it is much, estimated', async () => {
  const before = await owedToAll(chat.ctx)
  const users = await makeUsers(chat.ctx.pool, 3)
  const conversation = await makeConversation(chat.ctx.pool, users)
  await note(
    chat.ctx,
    users.flatMap(user => Array.from({ length: 100 }, (_, nth) => ({ user, conversation, seq: nth + 1 }))),
  )
  expect(await owedToAll(chat.ctx)).toBe(before + 300)
  // Never less than was seen, whatever the planner knows.
  expect(await owedToAll(chat.ctx, 50)).toBe(50)
  await chat.ctx.pool.query('ANALYZE offline_messages')
  expect(await owedToAll(chat.ctx, 50)).toBe(before + 300)
})
