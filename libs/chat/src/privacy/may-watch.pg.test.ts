import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accept, remove, request } from '../people/contacts/index.ts'
import { demandAcquainted } from './may-watch.ts'

let database: TestDatabase
let chat: TestChat
let alice: string
let bob: string
let carol: string
let dave: string

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  const [first, second, third, fourth] = await makeUsers(chat.ctx.pool, 4)
  alice = first!
  bob = second!
  carol = third!
  dave = fourth!
  await makeConversation(chat.ctx.pool, [alice, bob], 'direct')
  await makeConversation(chat.ctx.pool, [carol, alice])
  // Bob links them, but Alice and Dave share nothing.
  await makeConversation(chat.ctx.pool, [bob, dave])
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

test('those who share a conversation may watch each other, and everybody oneself', async () => {
  await demandAcquainted(chat.ctx, alice, [bob, carol, alice, bob])
  await demandAcquainted(chat.ctx, carol, [alice])
  const [hermit] = (await makeUsers(chat.ctx.pool, 1)) as [string]
  await demandAcquainted(chat.ctx, hermit, [hermit])
  await demandAcquainted(chat.ctx, dave, [])
})

test.each([
  ['a stranger', () => [dave]],
  ['a stranger among others', () => [bob, dave, carol]],
  ['somebody who does not exist', () => ['00000000-0000-4000-8000-000000000000']],
])('%s is not shown', async (_, users) => {
  await expect(demandAcquainted(chat.ctx, alice, users())).rejects.toMatchObject({
    code: 'no_shared_conversation',
    detail: { field: 'users' },
  })
})

test('whoever left is a stranger again', async () => {
  const [eve] = await makeUsers(chat.ctx.pool, 1)
  const conversation = await makeConversation(chat.ctx.pool, [alice, eve!])
  await demandAcquainted(chat.ctx, alice, [eve!])
  await chat.ctx.pool.query('DELETE FROM members WHERE conversation_id = $1 AND user_id = $2', [conversation, eve])
  await expect(demandAcquainted(chat.ctx, alice, [eve!])).rejects.toMatchObject({ code: 'no_shared_conversation' })
})

test('contacts may watch each other without a conversation, and as long as they are contacts', async () => {
  const [eve] = (await makeUsers(chat.ctx.pool, 1)) as [string]
  const asked = await request(chat.ctx, eve, { user: alice })
  const mayWatch = () =>
    Promise.all(
      [
        [eve, alice],
        [alice, eve],
      ].map(([by, user]) => demandAcquainted(chat.ctx, by!, [user!]).then(() => 'ok', codeOf)),
    )
  expect(await mayWatch()).toEqual(['no_shared_conversation', 'no_shared_conversation'])
  await accept(chat.ctx, alice, 'request' in asked ? asked.request.id : '')
  expect(await mayWatch()).toEqual(['ok', 'ok'])
  await remove(chat.ctx, eve, alice)
  expect(await mayWatch()).toEqual(['no_shared_conversation', 'no_shared_conversation'])
})

const codeOf = (error: { readonly code: string }) => error.code
