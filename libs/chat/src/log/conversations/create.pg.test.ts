import { randomUUID } from 'node:crypto'
import { limits } from '@flotilla/protocol'
import { makeUsers, openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { history, post } from '../messages/index.ts'
import { createDirect } from './create-direct.ts'
import { createGroup } from './create-group.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let alice: string
let absent: readonly string[] = []

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, {
    presumedAbsent: users => users.filter(user => absent.includes(user)),
    settings: { largeConversationMin: 3 },
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

test('a direct conversation needs another person', async () => {
  await expect(createDirect(ctx, alice, alice)).rejects.toMatchObject({
    code: 'field_invalid',
    detail: { field: 'user' },
  })
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

test('a group that begins past the limit is large from the start', async () => {
  const since = async (members: number) => {
    const { id } = await createGroup(ctx, alice, { name: 'Crew', members: await people(members - 1) })
    const found = await ctx.pool.query<{ large: boolean }>(
      'SELECT large_since IS NOT NULL AS large FROM conversations WHERE id = $1',
      [id],
    )
    return found.rows[0]!.large
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
