import { mutedForEver } from '@flotilla/protocol'
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { post } from '../messages/index.ts'
import { read } from '../receipts/index.ts'
import { addMembers } from './add-members.ts'
import { badge, badgeMax } from './badge.ts'
import { get } from './get.ts'
import { list } from './list.ts'
import { mute } from './mute.ts'
import { removeMember } from './remove-member.ts'
import { unread } from './unread.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let alice: string
let bob: string
let stranger: string
let conversation: string

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { settings: { receiptWindowMs: 1 } })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob, stranger] = (await makeUsers(ctx.pool, 3)) as [string, string, string]
  conversation = await makeConversation(ctx.pool, [alice, bob])
  chat.emitted.length = 0
})

const hourMs = 3_600_000
const say = (by: string, where: string) =>
  post(ctx, by, { conversation: where, clientId: randomUUID(), body: { text: 'x' } })
const mutedUntil = async (by: string) => (await get(ctx, by, conversation)).mutedUntil
const version = async () =>
  (await ctx.pool.query('SELECT version, head_seq FROM conversations WHERE id = $1', [conversation])).rows[0]

test('a conversation is muted for oneself, until a time, for ever, or no longer', async () => {
  const until = Date.now() + hourMs
  await mute(ctx, alice, { conversation, until })
  expect(await mutedUntil(alice)).toBe(until)
  expect((await list(ctx, alice, { limit: 1 })).conversations[0]?.mutedUntil).toBe(until)
  expect(await mutedUntil(bob)).toBeUndefined()
  await mute(ctx, alice, { conversation, until: mutedForEver })
  expect(await mutedUntil(alice)).toBe(mutedForEver)
  await mute(ctx, alice, { conversation, until: null })
  expect(await mutedUntil(alice)).toBeUndefined()
  await mute(ctx, alice, { conversation, until: Date.now() - hourMs })
  expect(await mutedUntil(alice)).toBeUndefined()
})

test("only one's own devices hear it, and the membership stays as it was", async () => {
  const before = await version()
  const until = Date.now() + hourMs
  await mute(ctx, alice, { conversation, until })
  await mute(ctx, alice, { conversation, until: null })
  expect(chat.emitted.every(({ class: one, to }) => one === 'signal' && isDeepStrictEqual(to, [alice]))).toBe(true)
  expect(chat.emitted.map(({ event }) => event)).toMatchObject([
    { event: 'conversation.settings_changed', conversation, settings: { version: 1, mutedUntil: until } },
    { event: 'conversation.muted', conversation, until },
    { event: 'conversation.settings_changed', conversation, settings: { version: 2, mutedUntil: null } },
    { event: 'conversation.muted', conversation, until: null },
  ])
  expect(await version()).toEqual(before)
})

test('a muting that has run out is no muting', async () => {
  await ctx.pool.query("UPDATE members SET muted_until = now() - interval '1 second' WHERE user_id = $1", [alice])
  await say(bob, conversation)
  expect(await mutedUntil(alice)).toBeUndefined()
  expect(await badge(ctx, alice)).toBe(1)
})

test('only members mute', async () => {
  const refused = (by: string, where: string) => expect(mute(ctx, by, { conversation: where, until: null })).rejects
  await refused(stranger, conversation).toMatchObject({ code: 'not_a_member' })
  await refused(alice, randomUUID()).toMatchObject({ code: 'conversation_unknown' })
  await removeMember(ctx, alice, { conversation, user: bob })
  await refused(bob, conversation).toMatchObject({ code: 'not_a_member' })
})

test('the badge is the sum of what the list shows, without the muted', async () => {
  const [quiet, own, joined] = [
    await makeConversation(ctx.pool, [bob, alice]),
    await makeConversation(ctx.pool, [alice, bob]),
    await makeConversation(ctx.pool, [bob]),
  ]
  for (let nth = 0; nth < 3; nth++) await say(bob, conversation)
  for (let nth = 0; nth < 4; nth++) await say(bob, quiet)
  for (let nth = 0; nth < 5; nth++) await say(alice, own)
  await say(bob, joined)
  await addMembers(ctx, bob, { conversation: joined, users: [alice] })
  await say(bob, joined)
  await mute(ctx, alice, { conversation: quiet, until: mutedForEver })
  await read(ctx, alice, { conversation, seq: 1 })
  const expectSum = async (user: string, sum: number) => {
    const shown = (await list(ctx, user, { limit: 100 })).conversations.filter(one => one.mutedUntil === undefined)
    expect(shown.reduce((total, one) => total + one.unread, 0)).toBe(sum)
    expect(await badge(ctx, user)).toBe(sum)
  }
  await expectSum(alice, 2 + 1)
  await expectSum(bob, 5)
  await expectSum(stranger, 0)
  await mute(ctx, alice, { conversation: quiet, until: null })
  await expectSum(alice, 2 + 1 + 4)
})

test('the badge ends at its maximum', async () => {
  const others = await Promise.all(Array.from({ length: 3 }, () => makeConversation(ctx.pool, [bob, alice])))
  await ctx.pool.query(
    `WITH written AS (
       INSERT INTO messages (conversation_id, seq, created_at, sender_id, client_id, key_id, kind, body)
       SELECT c, n, now(), $2, gen_random_uuid(), 1, 1, '' FROM unnest($1::uuid[]) c, generate_series(1, 500) n
     )
     UPDATE conversations SET head_seq = 500 WHERE id = ANY($1)`,
    [others, bob],
  )
  expect(await badge(ctx, alice)).toBe(badgeMax)
  expect(await unread(ctx, alice, {})).toMatchObject({ unread: 1_500, badge: badgeMax })
})
