import { randomBytes, randomUUID } from 'node:crypto'
import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
  until,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { removeMember } from '../conversations/index.ts'
import { post } from '../messages/index.ts'
import { read } from './index.ts'

const masterKeys = [{ id: 'test', key: randomBytes(32) }]
let database: TestDatabase
/** Two processes; each hears nothing of what the other does. */
let chat: TestChat
let elsewhere: TestChat
let [alice, bob, carol] = ['', '', '']
let group = ''

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { masterKeys })
  elsewhere = await openTestChat(database.url, { masterKeys })
})
afterAll(async () => {
  await Promise.all([chat.close(), elsewhere.close()])
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob, carol] = (await makeUsers(chat.ctx.pool, 3)) as [string, string, string]
  group = await makeConversation(chat.ctx.pool, [alice, bob, carol])
  await chat.ctx.pool.query(`UPDATE members SET role = 3 WHERE conversation_id = $1 AND user_id = $2`, [group, alice])
  elsewhere.emitted.length = 0
})

const write = () => post(chat.ctx, alice, { conversation: group, clientId: randomUUID(), body: { text: 'hi' } })
const removeCarol = () => removeMember(chat.ctx, alice, { conversation: group, user: carol })
async function told({ emitted } = elsewhere): Promise<readonly string[]> {
  await until(() => emitted.length > 0, { what: 'the receipt is told' })
  return [...(emitted[0]!.to as string[])].sort()
}

test('a receipt of what came after a removal is not told to the removed, however old the cache is (P8)', async () => {
  await elsewhere.ctx.memberships.of(group)
  await removeCarol()
  const { seq } = await write()
  await read(elsewhere.ctx, bob, { conversation: group, seq })
  expect(await told()).toEqual([alice, bob].sort())
})

test('a receipt that joins one from before a removal is told by the membership of after it (P8)', async () => {
  // Its window ends with it.
  const patient = await openTestChat(database.url, { masterKeys, settings: { receiptWindowMs: 600_000 } })
  const note = vi.spyOn(patient.ctx.receipts, 'note')
  const noted = async (times: number) => until(() => note.mock.calls.length === times, { what: 'it is noted' })
  const before = await write()
  const reading = [read(patient.ctx, bob, { conversation: group, seq: before.seq })]
  await noted(1)
  await removeCarol()
  const { seq } = await write()
  reading.push(read(patient.ctx, bob, { conversation: group, seq }))
  await noted(2)
  await patient.ctx.receipts.close()
  await Promise.all(reading)
  expect(await told(patient)).toEqual([alice, bob].sort())
  expect(patient.emitted[0]!.event).toMatchObject({ event: 'message.read', seq })
  await patient.close()
})
