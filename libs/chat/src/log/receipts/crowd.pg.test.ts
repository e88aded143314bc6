import { randomBytes, randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
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
import { changeSettings } from '../../users/settings.ts'
import { removeMember } from '../conversations/index.ts'
import { post } from '../messages/index.ts'
import { delivered, read } from './index.ts'

const settings = { receiptFanoutMax: 4, receiptWindowMs: 5, receiptsGatherMs: 200 }
const masterKeys = [{ id: 'test', key: randomBytes(32) }]
let database: TestDatabase
/** Two processes that serve the members of one conversation. */
let chats: readonly [TestChat, TestChat]
let members: string[] = []
let group = ''

beforeAll(async () => {
  database = await testDatabase()
  const open = () => openTestChat(database.url, { masterKeys, settings })
  chats = [await open(), await open()]
})
afterAll(async () => {
  await Promise.all(chats.map(chat => chat.close()))
  await database.drop()
})
beforeEach(async () => {
  members = await makeUsers(chats[0].ctx.pool, 10)
  group = await makeConversation(chats[0].ctx.pool, members)
  await chats[0].ctx.pool.query('UPDATE members SET role = 3 WHERE conversation_id = $1 AND user_id = $2', [
    group,
    members[0],
  ])
  for (const chat of chats) chat.emitted.length = 0
})

const write = async (by: string) =>
  (await post(chats[0].ctx, by, { conversation: group, clientId: randomUUID(), body: { text: 'hi' } })).seq

/** What each was told last, and how often anything was told. */
function told() {
  const all = chats.flatMap(chat => chat.emitted).filter(({ event }) => event.event === 'receipts.counted')
  return { count: all.length, last: new Map(all.map(({ to, event }) => [(to as string[]).join(), event])) }
}

test('senders of a crowd are told how many others have received and read their last message, and nobody who', async () => {
  const [alice, bob, ...others] = members as [string, string, ...string[]]
  await write(alice)
  const second = await write(alice)
  const last = await write(bob)
  // Whoever writes has read what there is, and does not count for oneself.
  await read(chats[0].ctx, alice, { conversation: group, seq: last })
  await read(chats[1].ctx, bob, { conversation: group, seq: last })
  for (const [nth, user] of others.entries())
    if (nth < 3) await read(chats[nth % 2]!.ctx, user, { conversation: group, seq: second })
    else if (nth < 5) await delivered(chats[nth % 2]!.ctx, user, { conversation: group, seq: last })
  const wanted = new Map([
    [alice, { event: 'receipts.counted', conversation: group, seq: second, delivered: 6, read: 4 }],
    [bob, { event: 'receipts.counted', conversation: group, seq: last, delivered: 3, read: 1 }],
  ])
  await until(() => isDeepStrictEqual(told().last, wanted), { what: 'both are told' })
  expect(chats.flatMap(chat => chat.emitted).filter(({ event }) => event.event.startsWith('message.r'))).toEqual([])
})

test('however many read at once, whoever serves them, rounds are few and the last says it exactly', async () => {
  const [alice, ...others] = members as [string, ...string[]]
  const seq = await write(alice)
  let isOver = false
  const reading = others.map(async (user, nth) => {
    for (let at = 1; at <= seq; at++) {
      await read(chats[nth % 2]!.ctx, user, { conversation: group, seq: at })
      await new Promise(resolve => setTimeout(resolve, 5 * nth))
    }
  })
  const beganAt = performance.now()
  void Promise.all(reading).then(() => (isOver = true))
  await until(() => isOver && (told().last.get(alice) as { read?: number } | undefined)?.read === others.length, {
    what: 'the last count is told',
  })
  const rounds = (performance.now() - beganAt) / (settings.receiptsGatherMs * 0.9)
  expect(told().count).toBeLessThanOrEqual(rounds + 1)
  expect(chats.every(chat => chat.ctx.receiptRounds.size <= 1)).toBe(true)
})

test('who hides what they read, and when they are here, is not counted; who was removed is told nothing', async () => {
  const [alice, bob, hides, shy, ...others] = members as [string, string, string, string, ...string[]]
  const { ctx } = chats[0]
  await changeSettings(ctx, hides, { readReceiptVisibility: 'nobody' })
  await changeSettings(ctx, shy, { readReceiptVisibility: 'contacts', lastSeenVisibility: 'nobody' })
  await write(bob)
  const seq = await write(alice)
  await removeMember(ctx, alice, { conversation: group, user: bob })
  for (const user of [hides, shy, others[0]!]) await read(ctx, user, { conversation: group, seq })
  // A round may have begun before the last of them.
  await until(() => (told().last.get(alice) as { read?: number } | undefined)?.read === 1, {
    what: 'the sender is told of the last',
  })
  expect(told().last.get(alice)).toMatchObject({ seq, delivered: 2, read: 1 })
  expect(told().last.has(bob)).toBe(false)
})
