import { randomUUID } from 'node:crypto'
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
import { createDirect } from './create-direct.ts'
import { createGroup } from './create-group.ts'
import { get } from './get.ts'
import { list } from './list.ts'
import { members } from './members.ts'
import { removeMember } from './remove-member.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let alice: string
let bob: string

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
  const ids = await makeUsers(ctx.pool, 2)
  alice = ids[0]!
  bob = ids[1]!
})

const say = (by: string, conversation: string, text: string) =>
  post(ctx, by, { conversation, clientId: randomUUID(), body: { text } })
const headAt = (conversation: string, at: string) =>
  ctx.pool.query('UPDATE conversations SET head_at = $2 WHERE id = $1', [conversation, at])

async function allPages(limit: number): Promise<string[][]> {
  const pages: string[][] = []
  for (let after: string | undefined; ; ) {
    const page = await list(ctx, alice, { limit, after })
    pages.push(page.conversations.map(one => one.id))
    if (page.next === undefined) return pages
    after = page.next
  }
}

test('the most recent conversation comes first', async () => {
  const [older, newer, mine] = [
    await createGroup(ctx, alice, { name: 'Older', members: [bob] }),
    await createGroup(ctx, bob, { name: 'Newer', members: [alice] }),
    await createGroup(ctx, bob, { name: 'Not hers', members: [] }),
  ]
  await headAt(older.id, '2024-01-01')
  await headAt(newer.id, '2024-01-02')
  expect((await list(ctx, alice, { limit: 10 })).conversations.map(one => one.name)).toEqual(['Newer', 'Older'])
  await say(bob, older.id, 'up')
  expect((await list(ctx, alice, { limit: 10 })).conversations.map(one => one.name)).toEqual(['Older', 'Newer'])
  expect((await allPages(10)).flat()).not.toContain(mine.id)
})

test('pages hold every conversation once, also where times are the same to the microsecond', async () => {
  const ids = await Promise.all(Array.from({ length: 7 }, () => makeConversation(ctx.pool, [alice])))
  for (const id of ids.slice(0, 4)) await headAt(id, '2024-05-05 12:00:00.123456')
  await headAt(ids[4]!, '2024-05-05 12:00:00.123457')
  const pages = await allPages(2)
  expect(pages.map(page => page.length)).toEqual([2, 2, 2, 1])
  expect(pages.flat().sort()).toEqual([...ids].sort())
  expect(await allPages(7)).toEqual([pages.flat()])
})

test('a page that is asked for beyond the limit is cut to it', async () => {
  await Promise.all(Array.from({ length: 101 }, () => makeConversation(ctx.pool, [alice])))
  expect((await list(ctx, alice, { limit: 5_000 })).conversations).toHaveLength(100)
})

test.each([
  ['', ''],
  ['nonsense', 'nonsense'],
  ['an id alone', Buffer.from(randomUUID()).toString('base64url')],
  ['SQL', Buffer.from(`1.000000/${randomUUID()}'; DROP TABLE members`).toString('base64url')],
])('a cursor of %s is refused', async (_, after) => {
  await expect(list(ctx, alice, { limit: 10, after })).rejects.toMatchObject({
    code: 'field_invalid',
    detail: { field: 'after' },
  })
})

test('unread counts the messages of others that may be seen and were not read', async () => {
  const { id } = await createGroup(ctx, bob, { name: 'Crew', members: [] })
  await say(bob, id, 'one')
  await say(bob, id, 'two')
  await addMembers(ctx, bob, { conversation: id, users: [alice] })
  const unread = async (by: string) => (await get(ctx, by, id)).unread
  expect(await unread(alice)).toBe(0)
  expect(await unread(bob)).toBe(0)
  await say(bob, id, 'three')
  expect(await unread(alice)).toBe(1)
  await read(ctx, alice, { conversation: id, seq: 5 })
  expect(await unread(alice)).toBe(0)
  expect(await get(ctx, alice, id)).toMatchObject({ readSeq: 5, deliveredSeq: 5, head: 5 })
})

test('the last message is the latest that the caller may see, whatever entries follow it', async () => {
  const { id } = await createGroup(ctx, alice, { name: 'Crew', members: [bob] })
  const last = async (by: string) => (await get(ctx, by, id)).lastMessage
  expect(await last(alice)).toBeUndefined()
  await say(alice, id, 'first')
  const { seq, at } = await say(bob, id, 'second')
  const [carol] = (await makeUsers(ctx.pool, 1)) as [string]
  await addMembers(ctx, alice, { conversation: id, users: [carol] })
  const expected = { event: 'message.new', conversation: id, seq, at, by: bob, body: { text: 'second' } }
  expect(await last(alice)).toMatchObject(expected)
  expect((await list(ctx, bob, { limit: 1 })).conversations[0]?.lastMessage).toMatchObject(expected)
  // It was said before she came.
  expect(await last(carol)).toBeUndefined()
})

test('the people of direct conversations and of groups up to fifty come along', async () => {
  const { conversation: direct } = await createDirect(ctx, alice, bob)
  const others = await makeUsers(ctx.pool, 50)
  const { id } = await createGroup(ctx, alice, { name: 'Crew', members: others.slice(0, 49) })
  const peopleOf = async (conversation: string) =>
    (await list(ctx, alice, { limit: 10 })).conversations.find(one => one.id === conversation)!.members
  expect(await peopleOf(direct.id)).toHaveLength(2)
  expect((await peopleOf(direct.id))![0]!.user).toEqual({
    id: expect.any(String),
    username: expect.stringMatching(/^u/),
    displayName: expect.stringMatching(/^Person/),
    avatar: null,
  })
  expect(await peopleOf(id)).toHaveLength(50)
  await addMembers(ctx, alice, { conversation: id, users: others.slice(49) })
  expect(await peopleOf(id)).toBeUndefined()
  expect(await get(ctx, alice, id)).toMatchObject({ memberCount: 51 })
})

test('members are paged in the order of their ids, with their cursors', async () => {
  const others = await makeUsers(ctx.pool, 4)
  const { id } = await createGroup(ctx, alice, { name: 'Crew', members: others })
  await read(ctx, alice, { conversation: id, seq: 1 })
  const all = [alice, ...others].sort()
  const first = await members(ctx, others[0]!, { conversation: id, limit: 3 })
  expect(first.members.map(one => one.user.id)).toEqual(all.slice(0, 3))
  expect(first.next).toBe(all[2])
  const second = await members(ctx, others[0]!, { conversation: id, limit: 3, after: first.next })
  expect(second.members.map(one => one.user.id)).toEqual(all.slice(3))
  expect(second).not.toHaveProperty('next')
  expect([...first.members, ...second.members].find(one => one.user.id === alice)).toMatchObject({
    role: 'owner',
    deliveredSeq: 1,
    readSeq: 1,
  })
  expect(await members(ctx, alice, { conversation: id, limit: 5 })).not.toHaveProperty('next')
})

test('only members read a conversation, and not after they were removed', async () => {
  const { id } = await createGroup(ctx, alice, { name: 'Crew', members: [bob] })
  const [stranger] = (await makeUsers(ctx.pool, 1)) as [string]
  const expectRefused = async (by: string, conversation: string, code: string) => {
    await expect(get(ctx, by, conversation)).rejects.toMatchObject({ code })
    await expect(members(ctx, by, { conversation, limit: 10 })).rejects.toMatchObject({ code })
  }
  await expectRefused(stranger, id, 'not_a_member')
  await expectRefused(alice, randomUUID(), 'conversation_unknown')
  await removeMember(ctx, alice, { conversation: id, user: bob })
  await expectRefused(bob, id, 'not_a_member')
  expect((await list(ctx, bob, { limit: 10 })).conversations).toEqual([])
})
