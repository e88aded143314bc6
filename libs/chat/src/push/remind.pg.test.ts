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
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ChatContext } from '../context.ts'
import { list as listNotifications } from '../notices/notifications/index.ts'
import { removeMessage } from '../operators/remove-message.ts'
import { removeMember } from '../log/conversations/remove-member.ts'
import { hide } from '../log/messages/hide.ts'
import { post } from '../log/messages/post.ts'
import { cancel, list, set } from '../log/reminders/index.ts'
import { answered, claim, prepare, remindDue, sweep } from './index.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob] = ['', '']
let conversation = ''
let seq = 0

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { settings: { remindersMax: 2, pushCollapseMs: 0 } })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob] = (await makeUsers(ctx.pool, 2)) as [string, string]
  conversation = await makeConversation(ctx.pool, [alice, bob])
  seq = (await say()).seq
  chat.emitted.length = 0
})

const say = () => post(ctx, alice, { conversation, clientId: randomUUID(), body: { text: 'call the bank' } })
const tomorrow = () => Date.now() + 86_400_000
const remind = (at = tomorrow(), which = seq) => set(ctx, bob, { conversation, seq: which, at })
const comes = () => ctx.pool.query(`UPDATE reminders SET due_at = now() WHERE user_id = $1`, [bob])
const notices = async () => (await listNotifications(ctx, bob, { limit: 10 })).notifications
/** What goes out now, as if every wait were over. */
async function pushed() {
  await ctx.pool.query('UPDATE pushes SET due_at = now() WHERE user_id = $1 AND due_at IS NOT NULL', [bob])
  await prepare(ctx, { max: 10, providers: ['fcm'] })
  const { deliveries } = await claim(ctx, { provider: 'fcm', max: 10 })
  for (const one of deliveries) await answered(ctx, one, { answer: 'sent' }, 0)
  return deliveries.map(one => one.content)
}
const told = () =>
  chat.emitted.flatMap(({ event, to }) => (event.event === 'reminder.changed' ? [{ to, ...event }] : []))

test('a reminder is private, there is one for each message, and it can be taken away', async () => {
  const one = await remind()
  const other = await remind(one.at + 1)
  expect((await list(ctx, bob)).reminders).toEqual([other])
  expect((await list(ctx, alice)).reminders).toEqual([])
  await cancel(ctx, bob, { conversation, seq })
  await cancel(ctx, bob, { conversation, seq })
  expect((await list(ctx, bob)).reminders).toEqual([])
  expect(told()).toEqual(
    [one.at, other.at, null].map(at => ({ to: [bob], event: 'reminder.changed', conversation, seq, at })),
  )
})

test('at its time it is a notification that names the message, once, though the message was read', async () => {
  await remind()
  expect(await remindDue(ctx, 10)).toBe(0)
  await comes()
  chat.emitted.length = 0
  const both = await Promise.all([remindDue(ctx, 10), remindDue(ctx, 10)])
  expect(both.sort()).toEqual([0, 1])
  const detail = { conversation, seq: String(seq) }
  expect(await notices()).toMatchObject([{ kind: 'reminder', detail, read: false }])
  expect(JSON.stringify(await notices())).not.toMatch(/bank/)
  expect((await list(ctx, bob)).reminders).toEqual([])
  expect(told()).toMatchObject([{ at: null }])
})

test('a worker that died after it had told: the person is not reminded twice', async () => {
  await remind()
  await comes()
  const { rows } = await ctx.pool.query<{ at: number }>(
    'SELECT (extract(epoch FROM created_at) * 1000000)::int8 AS at FROM reminders WHERE user_id = $1',
    [bob],
  )
  await ctx.pool.query(
    `INSERT INTO notifications (id, user_id, kind, dedup) VALUES (gen_random_uuid(), $1, 'reminder', $2)`,
    [bob, `reminder:${conversation}:${seq}:${rows[0]!.at}`],
  )
  expect(await remindDue(ctx, 10)).toBe(1)
  expect(await notices()).toHaveLength(1)
  // Set again, it is another.
  await remind()
  await comes()
  await remindDue(ctx, 10)
  expect(await notices()).toHaveLength(2)
})

test.each([
  ['removed', () => removeMessage(ctx, { program: 'test' }, { conversation, seq, reason: 'Spam' })],
  [
    'expired',
    () => ctx.pool.query('UPDATE messages SET expires_at = now() WHERE conversation_id = $1', [conversation]),
  ],
  ['hidden', () => hide(ctx, bob, { conversation, seqs: [seq] })],
  ['out of sight', () => removeMember(ctx, alice, { conversation, user: bob })],
])('of a message that is %s by then it says just that', async (_what, happens) => {
  await remind()
  await happens()
  await comes()
  expect(await remindDue(ctx, 10)).toBe(1)
  expect(await notices()).toMatchObject([
    { kind: 'reminder', detail: { conversation, seq: String(seq), gone: 'true' } },
  ])
  expect(await pushed()).toEqual([])
})

test('a push follows, muted or not, and one that lies unread wakes nobody when messages come', async () => {
  const [session] = await makeSessions(ctx.pool, [bob])
  await ctx.pool.query(
    `INSERT INTO devices (id, user_id, session_id, name, platform, provider, token, token_hash)
     VALUES (gen_random_uuid(), $1, $2::uuid, 'phone', 'android', 'fcm', $2::uuid::text, sha256($2::uuid::text::bytea))`,
    [bob, session],
  )
  await ctx.pool.query(
    `UPDATE members SET muted_until = 'infinity', delivered_seq = 1, read_seq = 1 WHERE user_id = $1`,
    [bob],
  )
  await remind()
  await comes()
  await remindDue(ctx, 10)
  expect(await pushed()).toMatchObject([{ conversation, uptoSeq: seq, kind: 'reminder', count: 0 }])
  const { seq: next } = await say()
  await ctx.pool.query('INSERT INTO offline_messages (user_id, conversation_id, seq) VALUES ($1, $2, $3)', [
    bob,
    conversation,
    next,
  ])
  await sweep(ctx, 10)
  expect(await pushed()).toEqual([])
})

test.each([
  ['no message', () => remind(tomorrow(), 99), 'message_unknown'],
  ['the past', () => remind(Date.now() - 60_000), 'field_invalid'],
  ['far ahead', () => remind(Date.now() + 400 * 86_400_000), 'field_invalid'],
])('%s is refused', async (_what, work, code) => {
  await expect(work()).rejects.toMatchObject({ code })
})

test('what came before the person, or is another’s conversation, is no message of theirs', async () => {
  await ctx.pool.query('UPDATE members SET joined_seq = 2 WHERE conversation_id = $1 AND user_id = $2', [
    conversation,
    bob,
  ])
  ctx.memberships.drop(conversation)
  await expect(remind()).rejects.toMatchObject({ code: 'message_unknown' })
  conversation = await makeConversation(ctx.pool, [alice])
  await expect(remind()).rejects.toMatchObject({ code: 'not_a_member' })
})

test('one person sets so many, at whatever moment', async () => {
  const seqs = [seq, ...(await Promise.all([say(), say(), say()])).map(one => one.seq)]
  const all = await Promise.allSettled(seqs.map(which => remind(tomorrow(), which)))
  expect(all.filter(one => one.status === 'fulfilled')).toHaveLength(2)
})
