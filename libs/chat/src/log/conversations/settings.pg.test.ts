import { randomUUID } from 'node:crypto'
import { limits, mutedForEver } from '@flotilla/protocol'
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
import { findFactsOf, judge } from '../../push/facts.ts'
import { changeSettings as changePersons } from '../../users/index.ts'
import { edit, post } from '../messages/index.ts'
import { read } from '../receipts/index.ts'
import { badge } from './badge.ts'
import { get } from './get.ts'
import { list } from './list.ts'
import { removeMember } from './remove-member.ts'
import { changeSettings, type SettingsChange } from './settings.ts'
import { unread } from './unread.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob] = ['', '']
let conversation = ''

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { settings: { receiptWindowMs: 1 }, presumedAbsent: users => users })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob] = (await makeUsers(ctx.pool, 2)) as [string, string]
  conversation = await makeConversation(ctx.pool, [alice, bob])
  chat.emitted.length = 0
})

const hourMs = 3_600_000
const say = (by: string, more: object = {}, where = conversation) =>
  post(ctx, by, { conversation: where, clientId: randomUUID(), body: { text: 'x', ...more } })
const change = (by: string, what: Omit<SettingsChange, 'conversation'>, where = conversation) =>
  changeSettings(ctx, by, { conversation: where, ...what })
const settingsOf = async (by: string, where = conversation) => (await get(ctx, by, where)).settings
const told = () =>
  chat.emitted.flatMap(({ event }) => (event.event === 'conversation.settings_changed' ? [event.settings] : []))
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code })

/** What the badge shows, and whether a push would be sent. */
async function shown(user: string, where = conversation) {
  const [facts] = await findFactsOf(ctx.pool, [{ user, conversation: where, since: 0, uptoSeq: 1_000 }])
  const counts = await unread(ctx, user, {})
  const number = await badge(ctx, user)
  expect(counts.badge).toBe(number)
  return { badge: number, push: judge(facts!, Date.now()) === 'push' ? facts!.count : 0 }
}

test('all, mentions or nothing tells of a conversation, or what the person has said of all; muting ends everything', async () => {
  await say(bob)
  await say(bob, { mentions: [alice] })
  await say(bob, { mentionsAll: true })
  expect(await shown(alice)).toEqual({ badge: 3, push: 3 })
  await change(alice, { notify: 'mentions' })
  expect(await shown(alice)).toEqual({ badge: 2, push: 2 })
  await change(alice, { notify: 'nothing' })
  expect(await shown(alice)).toEqual({ badge: 0, push: 0 })
  await changePersons(ctx, alice, { notify: 'mentions' })
  await change(alice, { notify: null })
  expect(await shown(alice)).toEqual({ badge: 2, push: 2 })
  await change(alice, { mutedUntil: Date.now() + hourMs })
  expect(await shown(alice)).toEqual({ badge: 0, push: 0 })
  await change(alice, { mutedUntil: null, notify: 'all' })
  expect(await shown(alice)).toEqual({ badge: 3, push: 3 })
})

test('in a direct conversation every message counts as a mention, and a rule of tomorrow as none', async () => {
  const direct = await makeConversation(ctx.pool, [alice, bob], 'direct')
  await say(bob, {}, direct)
  await change(alice, { notify: 'mentions' }, direct)
  expect(await shown(alice, direct)).toEqual({ badge: 1, push: 1 })
  await ctx.pool.query('UPDATE members SET notify = 9 WHERE user_id = $1', [alice])
  expect(await shown(alice, direct)).toEqual({ badge: 0, push: 0 })
  expect(await settingsOf(alice, direct)).toMatchObject({ notify: 'nothing' })
})

test('the counts of one call are those of the list; edits count nothing, one’s own nothing', async () => {
  const other = await makeConversation(ctx.pool, [bob, alice])
  const { seq } = await say(bob)
  await say(alice)
  await edit(ctx, bob, { conversation, clientId: randomUUID(), target: seq, body: { text: 'z' } })
  await say(bob, { mentions: [alice] }, other)
  const counts = await unread(ctx, alice, {})
  expect(counts).toMatchObject({ unread: 2, mentions: 1, badge: 2 })
  const { conversations } = await list(ctx, alice, { limit: 10 })
  expect(new Map(counts.conversations.map(one => [one.conversation, [one.unread, one.mentions]]))).toEqual(
    new Map(conversations.map(one => [one.id, [one.unread, one.mentions]])),
  )
  expect(await unread(ctx, bob, {})).toMatchObject({ unread: 1, mentions: 0 })
  await read(ctx, alice, { conversation, seq: 3 })
  await read(ctx, alice, { conversation: other, seq: 1 })
  expect(await unread(ctx, alice, {})).toEqual({ conversations: [], unread: 0, mentions: 0, replies: 0, badge: 0 })
})

test('what does not fit into one answer goes on, and the totals hold for all', async () => {
  const others = await Promise.all(Array.from({ length: 3 }, () => makeConversation(ctx.pool, [bob, alice])))
  for (const where of others) await say(bob, {}, where)
  const first = [...others].sort()[0]!
  const rest = await unread(ctx, alice, { after: first })
  expect(rest.conversations.map(one => one.conversation)).toEqual([...others].sort().slice(1))
  expect(rest.unread).toBe(3)
  await refused(unread(ctx, alice, { after: 'nothing' }), 'field_invalid')
})

test('a mark makes unread what was read, and lowers no receipt; reading on ends it, on all devices', async () => {
  for (let nth = 0; nth < 4; nth++) await say(bob)
  await read(ctx, alice, { conversation, seq: 4 })
  expect(await change(alice, { unreadFrom: 0 })).toMatchObject({ unreadFrom: 0 })
  expect((await unread(ctx, alice, {})).conversations).toEqual([
    { conversation, unread: 0, mentions: 0, replies: 0, unreadFrom: 0 },
  ])
  await change(alice, { unreadFrom: 3 })
  expect(await get(ctx, alice, conversation)).toMatchObject({ unread: 2, readSeq: 4, settings: { unreadFrom: 3 } })
  await say(bob)
  expect((await unread(ctx, alice, {})).unread).toBe(3)
  chat.emitted.length = 0
  await read(ctx, alice, { conversation, seq: 5 })
  await expect.poll(() => told().map(one => [one.version, one.unreadFrom])).toEqual([[3, null]])
  expect((await unread(ctx, alice, {})).conversations).toEqual([])
  await change(alice, { unreadFrom: 2 })
  await change(alice, { unreadFrom: null })
  expect((await unread(ctx, alice, {})).conversations).toEqual([])
})

test('a receipt that was on its way when it was marked does not end the mark', async () => {
  for (let nth = 0; nth < 3; nth++) await say(bob)
  await change(alice, { unreadFrom: 2, readSeq: 3 })
  await read(ctx, alice, { conversation, seq: 3 })
  expect(await get(ctx, alice, conversation)).toMatchObject({ unread: 2, readSeq: 3, settings: { unreadFrom: 2 } })
  // One that has not read so far reads on.
  await change(bob, { unreadFrom: 1 })
  await say(alice)
  await read(ctx, bob, { conversation, seq: 4 })
  expect(await settingsOf(bob)).toMatchObject({ unreadFrom: null })
})

test('what was put away comes back with a message, or stays where it is muted; under mentions a mention brings it', async () => {
  const isAway = async () => (await settingsOf(alice)).archived
  await say(bob)
  await change(alice, { archived: true })
  expect(await isAway()).toBe(true)
  expect(await shown(alice)).toMatchObject({ badge: 0 })
  const { seq } = await say(bob)
  expect(await isAway()).toBe(false)
  // Muted only now, it is not put away again.
  await change(alice, { mutedUntil: mutedForEver })
  expect(await isAway()).toBe(false)
  await change(alice, { archived: true })
  await say(bob, { mentions: [alice] })
  await edit(ctx, bob, { conversation, clientId: randomUUID(), target: seq, body: { text: 'z' } })
  expect(await isAway()).toBe(true)
  await change(alice, { mutedUntil: null, notify: 'mentions', archived: true })
  await say(bob)
  expect(await isAway()).toBe(true)
  await say(bob, { mentionsAll: true })
  expect(await isAway()).toBe(false)
  await change(alice, { archived: true })
  await change(alice, { archived: false })
  expect(await isAway()).toBe(false)
})

test('the list is filtered by what is put away and what is pinned', async () => {
  const [away, pinned] = [
    await makeConversation(ctx.pool, [bob, alice]),
    await makeConversation(ctx.pool, [bob, alice]),
  ]
  await change(alice, { archived: true }, away)
  await change(alice, { pinned: true }, pinned)
  const ids = async (filter: object) =>
    (await list(ctx, alice, { limit: 10, ...filter })).conversations.map(one => one.id).sort()
  expect(await ids({})).toEqual([conversation, away, pinned].sort())
  expect(await ids({ archived: false })).toEqual([conversation, pinned].sort())
  expect(await ids({ archived: true })).toEqual([away])
  expect(await ids({ pinned: true })).toEqual([pinned])
  expect(await ids({ pinned: false, archived: false })).toEqual([conversation])
})

/** The pinned ones in their order. */
async function order(user: string): Promise<string[]> {
  const { conversations } = await list(ctx, user, { limit: 100, pinned: true })
  return [...conversations].sort((one, other) => one.settings.pinned! - other.settings.pinned!).map(one => one.id)
}

test('pinned conversations have an order, which devices change one at a time, and a limit', async () => {
  const many = await Promise.all(
    Array.from({ length: limits.pinnedConversationsMax }, () => makeConversation(ctx.pool, [alice, bob])),
  )
  const [a, b, c] = many as [string, string, string]
  for (const one of [a, b, c]) await change(alice, { pinned: true }, one)
  expect(await order(alice)).toEqual([c, b, a])
  await change(alice, { pinned: { after: a } }, c)
  await change(alice, { pinned: true }, a)
  expect(await order(alice)).toEqual([b, a, c])
  await change(alice, { pinned: { after: null } }, c)
  expect(await order(alice)).toEqual([c, b, a])
  await change(alice, { pinned: false }, b)
  await refused(change(alice, { pinned: { after: b } }, c), 'field_invalid')
  // All at once: none is lost, and no more than may be are pinned.
  const results = await Promise.allSettled(
    [...many, conversation].map(one => change(alice, { pinned: { after: null } }, one)),
  )
  expect(results.filter(one => one.status === 'rejected')).toMatchObject([{ reason: { code: 'limit_reached' } }])
  expect(new Set(await order(alice)).size).toBe(limits.pinnedConversationsMax)
})

test('where no number is left between two, room is made, and all that moved are told', async () => {
  const [a, b, c] = await Promise.all(Array.from({ length: 3 }, () => makeConversation(ctx.pool, [alice, bob])))
  for (const one of [b!, a!]) await change(alice, { pinned: true }, one)
  await ctx.pool.query(
    'UPDATE members SET pin_rank = CASE conversation_id WHEN $1 THEN 1 ELSE $3::float8 END WHERE user_id = $2',
    [a, alice, 1 + Number.EPSILON],
  )
  await ctx.pool.query('UPDATE members SET pin_rank = NULL WHERE conversation_id = ANY($1)', [[c, conversation]])
  chat.emitted.length = 0
  await change(alice, { pinned: { after: a! } }, c)
  expect(await order(alice)).toEqual([a, c, b])
  expect(told().length).toBe(3)
})

test('it is one’s own affair, ends with the membership, and each change is told with a higher version', async () => {
  const before = await ctx.pool.query('SELECT version, head_seq FROM conversations WHERE id = $1', [conversation])
  await change(bob, { archived: true, pinned: true, notify: 'nothing', unreadFrom: 0 })
  expect(chat.emitted.every(one => one.class === 'signal' && String(one.to) === bob)).toBe(true)
  expect(told()).toEqual([await settingsOf(bob)])
  expect(await settingsOf(alice)).toEqual({
    version: 0,
    notify: null,
    mutedUntil: null,
    archived: false,
    pinned: null,
    unreadFrom: null,
  })
  const after = await ctx.pool.query('SELECT version, head_seq FROM conversations WHERE id = $1', [conversation])
  expect(after.rows).toEqual(before.rows)
  await removeMember(ctx, alice, { conversation, user: bob })
  await refused(change(bob, { pinned: true }), 'not_a_member')
  await refused(change(alice, { archived: true }, randomUUID()), 'conversation_unknown')
})
