/** What a person's doings cost, and what becomes of those that are not paid for. */
import { randomUUID } from 'node:crypto'
import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
  until,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Charge } from '../ports.ts'
import { createGroup, handOnAll, leave, members, removeMember, rename } from './conversations/index.ts'
import { post } from './messages/index.ts'
import { read } from './receipts/index.ts'
import { tell } from './typing/index.ts'

let database: TestDatabase
let chat: TestChat
let [alice, bob, carol] = ['', '', '']
let group = ''
/** The budget in which there is nothing, if any. */
let lacking: string | undefined
let charged: Charge[] = []

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, {
    settings: { receiptWindowMs: 1 },
    connectionsOf: user => (user === alice ? 3 : 0),
    spendAll(charges) {
      const lack = charges.find(({ budget }) => budget.name === lacking)
      if (lack !== undefined) return { budget: lack.budget, retryMs: 700 }
      charged.push(...charges)
      return undefined
    },
  })
  ;[alice, bob, carol] = (await makeUsers(chat.ctx.pool, 3)) as [string, string, string]
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  lacking = undefined
  group = await makeConversation(chat.ctx.pool, [alice, bob, carol])
  charged = []
  chat.emitted.length = 0
})

const message = (text = 'hello') => ({ conversation: group, clientId: randomUUID(), body: { text } })
const costs = () => charged.map(({ budget, who, count }) => [budget.name, who, count])
const rows = async () =>
  (await chat.ctx.pool.query('SELECT seq FROM messages WHERE conversation_id = $1', [group])).rowCount

test('a message costs one in its conversation, whom it tells with the own connections, and its bytes', async () => {
  await post(chat.ctx, alice, message('ä'))
  expect(costs()).toEqual([
    ['messages', alice + group, 1],
    ['fanout', alice, 3 + 3],
    ['stored', alice, 200 + Buffer.byteLength('{"body":{"text":"ä"}}')],
  ])
})

test('a long message tells each of its people several times', async () => {
  await post(chat.ctx, alice, message('語'.repeat(4_000)))
  expect(costs()[1]).toEqual(['fanout', alice, (3 + 3) * 6])
})

test('a message that is decided anew is paid for once', async () => {
  await post(chat.ctx, alice, message())
  await chat.ctx.pool.query('UPDATE conversations SET version = version + 1 WHERE id = $1', [group])
  charged = []
  await post(chat.ctx, alice, message())
  expect(costs().map(([name]) => name)).toEqual(['messages', 'fanout', 'stored'])
})

test.each([
  ['messages', 'rate_limited', 'messagesPerSecond 20'],
  ['fanout', 'rate_limited', 'fanoutPerSecond 10000'],
  ['stored', 'quota_exceeded', 'storedBytesPerDayMax 100000000'],
])('without %s a message is refused with %s before anything is written', async (budget, code, rule) => {
  lacking = budget
  const refused = await post(chat.ctx, alice, message()).catch((error: unknown) => error)
  expect(refused).toMatchObject({ code, detail: { retryMs: 700, rule } })
  expect([await rows(), chat.emitted]).toEqual([0, []])
  lacking = undefined
  expect(await post(chat.ctx, alice, message())).toMatchObject({ seq: 1 })
})

test('a receipt for which there is nothing left is stored and not told, and the next one is', async () => {
  await post(chat.ctx, alice, message())
  await post(chat.ctx, alice, message())
  chat.emitted.length = 0
  lacking = 'notices'
  await read(chat.ctx, bob, { conversation: group, seq: 1 })
  const found = await chat.ctx.pool.query('SELECT read_seq FROM members WHERE conversation_id = $1 AND user_id = $2', [
    group,
    bob,
  ])
  expect([found.rows, chat.emitted]).toEqual([[{ read_seq: 1 }], []])
  lacking = undefined
  await read(chat.ctx, bob, { conversation: group, seq: 2 })
  await until(() => chat.emitted.length > 0, { what: 'the receipt is told' })
  expect(costs().at(-1)).toEqual(['notices', bob, 3])
})

test('typing for which there is nothing left is told to nobody', async () => {
  lacking = 'notices'
  await tell(chat.ctx, alice, { conversation: group, typing: true })
  expect(chat.emitted).toEqual([])
  lacking = undefined
  await tell(chat.ctx, alice, { conversation: group, typing: true })
  expect(costs()).toEqual([['notices', alice, 6]])
  expect(chat.emitted).toHaveLength(1)
})

test('changes of a group are paid for as messages are; leaving and sending away never fail for it', async () => {
  const { id: conversation } = await createGroup(chat.ctx, alice, { name: 'Crew', members: [bob, carol] })
  await rename(chat.ctx, alice, { conversation, name: 'Sailors' })
  expect(costs()).toEqual([
    ['messages', alice + conversation, 1],
    ['fanout', alice, 6],
  ])
  lacking = 'fanout'
  await expect(rename(chat.ctx, alice, { conversation, name: 'Pirates' })).rejects.toMatchObject({
    code: 'rate_limited',
    detail: { retryMs: 700 },
  })
  await removeMember(chat.ctx, alice, { conversation, user: bob })
  await leave(chat.ctx, carol, { conversation })
})

test('whoever is shut out for good pays nothing when their groups are handed on, which never fails for it', async () => {
  await chat.ctx.pool.query(`UPDATE users SET suspended_until = 'infinity' WHERE id = $1`, [alice])
  lacking = 'messages'
  await handOnAll(chat.ctx, alice)
  expect(costs()).toEqual([])
  const { members: left } = await members(chat.ctx, bob, { conversation: group, limit: 10 })
  expect(Object.fromEntries(left.map(({ user, role }) => [user.id, role]))).toMatchObject({ [alice]: 'member' })
  expect(left.filter(({ role }) => role === 'owner')).toHaveLength(1)
})
