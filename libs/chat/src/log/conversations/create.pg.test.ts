import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { limits } from '@flotilla/protocol'
import { makeUsers, openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { count } from '../../notices/notifications/index.ts'
import { findFactsOf, judge } from '../../push/facts.ts'
import { history, post, react } from '../messages/index.ts'
import { read } from '../receipts/index.ts'
import { addMembers } from './add-members.ts'
import { createDirect } from './create-direct.ts'
import { createGroup } from './create-group.ts'
import { get } from './get.ts'
import { unread } from './unread.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let alice: string
let absent: readonly string[] = []

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, {
    presumedAbsent: users => users.filter(user => absent.includes(user)),
    settings: { interestRoutingMin: 3 },
  })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  alice = (await makeUsers(ctx.pool, 1))[0]!
  chat.emitted.length = 0
  absent = []
})

const people = (count: number) => makeUsers(ctx.pool, count)

async function owed(conversation: string) {
  const found = await ctx.pool.query<{ user_id: string; seq: number }>(
    'SELECT user_id, seq FROM offline_messages WHERE conversation_id = $1',
    [conversation],
  )
  return found.rows
}

test('a direct conversation begins with an entry that both get', async () => {
  const [bob] = (await people(1)) as [string]
  absent = [bob]
  const { conversation, created } = await createDirect(ctx, alice, bob)
  expect(created).toBe(true)
  expect(conversation).toMatchObject({
    kind: 'direct',
    head: 1,
    role: 'member',
    joinedSeq: 1,
    deliveredSeq: 0,
    readSeq: 0,
    unread: 0,
    memberCount: 2,
  })
  expect(conversation).not.toHaveProperty('name')
  expect(conversation).not.toHaveProperty('lastMessage')
  expect(conversation.members?.map(member => [member.user.id, member.role])).toEqual(
    [alice, bob].sort().map(user => [user, 'member']),
  )
  const { entries } = await history(ctx, bob, { conversation: conversation.id })
  expect(entries).toEqual([
    {
      event: 'conversation.created',
      conversation: conversation.id,
      seq: 1,
      epoch: ctx.epoch(),
      at: conversation.headAt,
      by: alice,
      kind: 'direct',
      members: [alice, bob].map(user => ({ user, role: 'member' })),
    },
  ])
  expect(chat.emitted).toEqual([
    {
      class: 'entry',
      to: expect.any(Array),
      event: entries[0],
      entry: { conversation: conversation.id, seq: 1, at: conversation.headAt },
    },
  ])
  expect([...(chat.emitted[0]!.to as string[])].sort()).toEqual([alice, bob].sort())
  expect(await owed(conversation.id)).toEqual([{ user_id: bob, seq: 1 }])
})

test('two people have one direct conversation, whoever asks, also when both ask at once', async () => {
  const [bob] = (await people(1)) as [string]
  const both = await Promise.all([
    ...Array.from({ length: 4 }, () => createDirect(ctx, alice, bob)),
    ...Array.from({ length: 4 }, () => createDirect(ctx, bob, alice)),
  ])
  expect(new Set(both.map(one => one.conversation.id)).size).toBe(1)
  expect(both.filter(one => one.created)).toHaveLength(1)
  expect(chat.emitted).toHaveLength(1)
  expect(await createDirect(ctx, alice, bob)).toEqual({ conversation: both[0]!.conversation, created: false })
})

test('with oneself there is one conversation too, whose only member one is, and which nobody has to accept', async () => {
  // Whoever wants to be asked first is not asked by themselves.
  await ctx.pool.query('UPDATE users SET direct_from = 4 WHERE id = $1', [alice])
  const all = await Promise.all(Array.from({ length: 4 }, () => createDirect(ctx, alice, alice)))
  expect(all.filter(one => one.created)).toHaveLength(1)
  const { conversation } = all[0]!
  expect(conversation).toMatchObject({ kind: 'direct', self: true, memberCount: 1, head: 1 })
  expect(conversation).not.toHaveProperty('pending')
  expect(conversation.members?.map(member => member.user.id)).toEqual([alice])
  expect(new Set(all.map(one => one.conversation.id)).size).toBe(1)
  const { entries } = await history(ctx, alice, { conversation: conversation.id })
  expect(entries).toMatchObject([{ event: 'conversation.created', members: [{ user: alice, role: 'member' }] }])
  const say = () => post(ctx, alice, { conversation: conversation.id, clientId: randomUUID(), body: { text: 'note' } })
  for (let nth = 0; nth <= ctx.settings.requestMessagesMax; nth++) await say()
  expect((await ctx.pool.query('SELECT FROM conversation_requests')).rowCount).toBe(0)
  expect(chat.emitted.every(({ to }) => isDeepStrictEqual(to, [alice]))).toBe(true)
  expect((await createDirect(ctx, alice, alice)).conversation.id).toBe(conversation.id)
  // It is not the one with somebody else, and that is none with oneself.
  const [bob] = (await people(1)) as [string]
  const other = (await createDirect(ctx, alice, bob)).conversation
  expect(other.id).not.toBe(conversation.id)
  expect(other).not.toHaveProperty('self')
  const outsider = { conversation: conversation.id, clientId: randomUUID(), body: { text: 'hello' } }
  await expect(post(ctx, bob, outsider)).rejects.toMatchObject({ code: 'not_a_member' })
  await expect(addMembers(ctx, alice, { conversation: conversation.id, users: [bob] })).rejects.toMatchObject({
    code: 'not_a_group',
  })
})

test('what one says to oneself is never unread, pushed or told, on whatever device one reads it', async () => {
  absent = [alice]
  const { id } = (await createDirect(ctx, alice, alice)).conversation
  chat.emitted.length = 0
  const body = { text: 'milk', mentions: [alice], mentionsAll: true as const }
  const { seq } = await post(ctx, alice, { conversation: id, clientId: randomUUID(), body })
  await post(ctx, alice, { conversation: id, clientId: randomUUID(), body, thread: seq })
  await react(ctx, alice, { conversation: id, clientId: randomUUID(), target: seq, emoji: '👍', on: true })
  expect(await unread(ctx, alice, {})).toEqual({ conversations: [], unread: 0, mentions: 0, replies: 0, badge: 0 })
  expect(await get(ctx, alice, id)).toMatchObject({ unread: 0, mentions: 0 })
  expect(await count(ctx, alice)).toBe(0)
  const [facts] = await findFactsOf(ctx.pool, [{ user: alice, conversation: id, since: 0, uptoSeq: 1_000 }])
  expect(judge(facts!, Date.now())).toEqual({ skip: 'nothing_waits' })
  await read(ctx, alice, { conversation: id, seq })
  const told = () => chat.emitted.map(({ event }) => event.event)
  await expect.poll(told).toContain('message.read')
  // What has arrived is news to others alone.
  expect(told()).not.toContain('message.delivered')
})

test('a direct conversation needs a person', async () => {
  await expect(createDirect(ctx, alice, randomUUID())).rejects.toMatchObject({
    code: 'user_unknown',
    detail: { field: 'user' },
  })
})

test('a group is owned by who makes it; people named twice are in it once', async () => {
  const [bob, carol] = (await people(2)) as [string, string]
  absent = [carol]
  const group = await createGroup(ctx, alice, { name: ' Crew ', members: [bob, carol, bob, alice] })
  expect(group).toMatchObject({ kind: 'group', name: 'Crew', role: 'owner', memberCount: 3, head: 1, unread: 0 })
  expect(group.members?.map(member => [member.user.id, member.role])).toEqual(
    [
      [alice, 'owner'],
      [bob, 'member'],
      [carol, 'member'],
    ].sort(([a], [b]) => (a! < b! ? -1 : 1)),
  )
  const { entries } = await history(ctx, bob, { conversation: group.id })
  expect(entries).toMatchObject([
    {
      event: 'conversation.created',
      seq: 1,
      by: alice,
      kind: 'group',
      name: 'Crew',
      members: [
        { user: alice, role: 'owner' },
        { user: bob, role: 'member' },
        { user: carol, role: 'member' },
      ],
    },
  ])
  expect(await owed(group.id)).toEqual([{ user_id: carol, seq: 1 }])
})

test('members can post at once, and the next entry is the second', async () => {
  const [bob] = (await people(1)) as [string]
  const group = await createGroup(ctx, alice, { name: 'Crew', members: [bob] })
  const posted = await post(ctx, bob, { conversation: group.id, clientId: randomUUID(), body: { text: 'hi' } })
  expect(posted.seq).toBe(2)
})

test('a group of one is a group', async () => {
  expect(await createGroup(ctx, alice, { name: 'Notes', members: [] })).toMatchObject({ memberCount: 1, role: 'owner' })
})

test('a group that begins past the limit goes by interest from the start', async () => {
  const since = async (members: number) => {
    const { id } = await createGroup(ctx, alice, { name: 'Crew', members: await people(members - 1) })
    const found = await ctx.pool.query<{ goes: boolean }>(
      'SELECT large_since IS NOT NULL AS goes FROM conversations WHERE id = $1',
      [id],
    )
    return found.rows[0]!.goes
  }
  expect(await since(3)).toBe(false)
  expect(await since(4)).toBe(true)
})

test('what is wrong with a group is named, and nothing is made', async () => {
  const tooMany = Array.from({ length: limits.membersAtOnceMax + 1 }, () => randomUUID())
  const cases = [
    [{ name: ' ', members: [] }, 'field_invalid', 'name'],
    [{ name: 'x'.repeat(limits.nameLengthMax + 1), members: [] }, 'field_invalid', 'name'],
    [{ name: 'a\nb', members: [] }, 'field_invalid', 'name'],
    [{ name: 'Crew', members: [randomUUID()] }, 'user_unknown', 'members'],
    [{ name: 'Crew', members: tooMany }, 'field_invalid', 'members'],
  ] as const
  for (const [input, code, field] of cases)
    await expect(createGroup(ctx, alice, input)).rejects.toMatchObject({ code, detail: { field } })
  const found = await ctx.pool.query('SELECT 1 FROM members WHERE user_id = $1', [alice])
  expect(found.rows).toEqual([])
  expect(chat.emitted).toEqual([])
})
