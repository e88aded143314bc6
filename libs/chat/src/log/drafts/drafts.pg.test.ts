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
import { upkeep } from '../../lifecycle/upkeep.ts'
import { removeMember } from '../conversations/remove-member.ts'
import { list, put } from './index.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob, stranger] = ['', '', '']
let conversation = ''

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
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

const write = (at: number, text: string | null, by = alice, where = conversation) =>
  put(ctx, by, { conversation: where, at, content: text === null ? null : { text } })
const texts = async (by = alice) => (await list(ctx, by, {})).drafts.map(one => one.content?.text)
const now = () => Date.now()

test('of two devices the one that wrote last counts, whichever comes first; the other hears what stands', async () => {
  const at = now() - 60_000
  expect(await write(at, 'late')).toEqual({ conversation, at, content: { text: 'late' } })
  expect(await write(at - 1, 'early')).toEqual({ conversation, at, content: { text: 'late' } })
  expect(await write(at, 'at the same time')).toMatchObject({ content: { text: 'late' } })
  expect(await texts()).toEqual(['late'])
  expect(await texts(bob)).toEqual([])
  expect(chat.emitted).toEqual([
    { class: 'signal', to: [alice], event: { event: 'draft.changed', conversation, at, content: { text: 'late' } } },
  ])
})

test('a clock that is ahead wins nothing: what it writes counts as written now', async () => {
  const { at } = await write(now() + 86_400_000, 'from tomorrow')
  expect(at).toBeLessThanOrEqual(now() + 60_000)
  await expect.poll(async () => (await write(now() + 3_600_000, 'after it')).content?.text).toBe('after it')
})

test('an emptied draft is gone, and no older one brings it back', async () => {
  const at = now() - 60_000
  await write(at, 'x')
  expect(await write(at + 2, null)).toEqual({ conversation, at: at + 2, content: null })
  expect(await texts()).toEqual([])
  expect(await write(at + 1, 'typed offline, before')).toMatchObject({ at: at + 2, content: null })
  await write(at + 3, 'anew')
  expect(await texts()).toEqual(['anew'])
})

test('what is written lies sealed, for its person and place alone', async () => {
  await write(now(), 'a secret of mine')
  const { rows } = await ctx.pool.query<{ body: Buffer; key_id: number }>('SELECT body, key_id FROM drafts')
  expect(rows.every(row => !row.body?.includes('secret'))).toBe(true)
  await ctx.pool.query('UPDATE drafts SET user_id = $2 WHERE user_id = $1', [alice, bob])
  await expect(list(ctx, bob, {})).rejects.toThrow()
  await ctx.pool.query('DELETE FROM drafts')
})

test('only members write, their drafts go with the membership, and what is no text is refused', async () => {
  const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code })
  await refused(write(now(), 'x', stranger), 'not_a_member')
  await refused(write(now(), 'x', alice, randomUUID()), 'conversation_unknown')
  await refused(write(now(), 'half \ud83d'), 'field_invalid')
  await refused(list(ctx, alice, { after: 'nothing' }), 'field_invalid')
  await write(now(), 'x', bob)
  await removeMember(ctx, alice, { conversation, user: bob })
  expect(await texts(bob)).toEqual([])
})

test('pages go on, and the year over, upkeep ends a draft', async () => {
  const others = await Promise.all(Array.from({ length: 101 }, () => makeConversation(ctx.pool, [alice])))
  await Promise.all(others.map(where => write(now(), 'x', alice, where)))
  const first = await list(ctx, alice, {})
  expect(first.drafts.length).toBe(100)
  expect((await list(ctx, alice, { after: first.next })).drafts.length).toBe(1)
  await ctx.pool.query("UPDATE drafts SET at = now() - interval '366 days' WHERE conversation_id = ANY($1)", [
    others.slice(1),
  ])
  expect(await upkeep(ctx)).toMatchObject({ drafts: 100 })
  expect(await texts()).toEqual(['x'])
})
