import { randomBytes, randomUUID } from 'node:crypto'
import { emptyConversation, type Entry, foldAll, limits } from '@flotilla/protocol'
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
import { removeMessage } from '../../operators/remove-message.ts'
import { addMembers } from '../conversations/add-members.ts'
import { get } from '../conversations/get.ts'
import { removeMember } from '../conversations/remove-member.ts'
import { resume } from '../sync/resume.ts'
import { history } from './history.ts'
import { pin, unpin } from './pin.ts'
import { listPins } from './list-pins.ts'
import { post } from './post.ts'

const masterKeys = [{ id: 'test', key: randomBytes(32) }]
let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob, carol] = ['', '', '']
let conversation = ''

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { masterKeys })
  ctx = chat.ctx
  ;[alice, bob, carol] = (await makeUsers(ctx.pool, 3)) as [string, string, string]
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  conversation = await makeConversation(ctx.pool, [alice, bob])
  chat.emitted.length = 0
})

const say = async (text = 'hello') =>
  (await post(ctx, bob, { conversation, clientId: randomUUID(), body: { text } })).seq
const to = (target: number, clientId = randomUUID()) => ({ conversation, clientId, target })
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code })
const told = () => chat.emitted.flatMap(({ event }) => ('seq' in event ? [event as Entry] : []))
const seqsOf = async (by = bob) => (await listPins(ctx, by, conversation)).map(message => message.seq)

test('a pin is an entry, and stands in pages, replays, the list and the last message', async () => {
  const target = await say()
  const { seq } = await pin(ctx, alice, to(target))
  expect(seq).toBe(target + 1)
  expect(told().at(-1)).toMatchObject({ event: 'message.pinned', seq, by: alice, target })
  const pin1 = { seq, pinned: true }
  const { entries } = await history(ctx, bob, { conversation })
  expect(entries[0]).toMatchObject({ seq: target, pin: pin1 })
  const { verdicts } = await resume(ctx, bob, { epoch: 1, cursors: [{ conversation, seq: 0 }], only: true })
  expect(verdicts[0]).toMatchObject({ entries })
  expect((await get(ctx, bob, conversation)).lastMessage).toMatchObject({ seq: target, pin: pin1 })
  expect(await listPins(ctx, bob, conversation)).toEqual([entries[0]])
  expect(foldAll(emptyConversation, entries)).toEqual(foldAll(emptyConversation, told()))
  const gone = await unpin(ctx, alice, to(target))
  expect((await history(ctx, bob, { conversation })).entries[0]).toMatchObject({
    pin: { seq: gone.seq, pinned: false },
  })
  expect(await seqsOf()).toEqual([])
})

test('what stands already is answered with the entry that says so, and a repetition with the first result', async () => {
  const target = await say()
  const input = to(target)
  const first = await pin(ctx, alice, input)
  expect(await pin(ctx, alice, to(target))).toEqual(first)
  const gone = await unpin(ctx, alice, to(target))
  expect(await pin(ctx, alice, input)).toEqual(first)
  expect(await unpin(ctx, alice, to(target))).toEqual(gone)
  expect(await seqsOf()).toEqual([])
  expect((await history(ctx, bob, { conversation })).head).toBe(gone.seq)
})

test('pins at the same moment: one entry says so, and never more are pinned than may be', async () => {
  const target = await say()
  const both = await Promise.all([pin(ctx, alice, to(target)), pin(ctx, alice, to(target))])
  expect(new Set(both.map(one => one.seq)).size).toBe(1)
  const targets: number[] = []
  while (targets.length < limits.pinsMax + 1) targets.push(await say())
  for (const one of targets.slice(0, limits.pinsMax - 3)) await pin(ctx, alice, to(one))
  const last = await Promise.allSettled(targets.slice(limits.pinsMax - 3).map(one => pin(ctx, alice, to(one))))
  expect(last.filter(one => one.status === 'fulfilled')).toHaveLength(2)
  expect(await seqsOf()).toHaveLength(limits.pinsMax)
  await refused(pin(ctx, alice, to(targets.at(-1)!)), 'limit_reached')
})

test('owners and admins pin in a group, both in a direct conversation; what one cannot see is not there', async () => {
  const target = await say()
  await refused(pin(ctx, bob, to(target)), 'role_insufficient')
  await refused(pin(ctx, carol, to(target)), 'not_a_member')
  const entry = await pin(ctx, alice, to(target))
  for (const none of [entry.seq, entry.seq + 1]) await refused(pin(ctx, alice, to(none)), 'message_unknown')
  await refused(unpin(ctx, alice, to(entry.seq)), 'message_unknown')
  await addMembers(ctx, alice, { conversation, users: [carol] })
  expect(await seqsOf(carol)).toEqual([])
  await ctx.pool.query('UPDATE members SET role = 2 WHERE conversation_id = $1 AND user_id = $2', [conversation, carol])
  ctx.memberships.clear()
  await refused(pin(ctx, carol, to(target)), 'message_unknown')
  await refused(unpin(ctx, carol, to(target)), 'message_unknown')
  conversation = await makeConversation(ctx.pool, [alice, bob], 'direct')
  const direct = await say()
  await pin(ctx, bob, to(direct))
  expect(await seqsOf(alice)).toEqual([direct])
})

test('a pin is decided by the membership under the lock, and a lost answer finds the first result after a removal', async () => {
  const target = await say()
  await ctx.pool.query('UPDATE members SET role = 2 WHERE conversation_id = $1 AND user_id = $2', [conversation, bob])
  ctx.memberships.clear()
  const input = to(target)
  const first = await pin(ctx, bob, input)
  const held = await ctx.pool.connect()
  await held.query('BEGIN')
  await held.query('SELECT FROM conversations WHERE id = $1 FOR NO KEY UPDATE', [conversation])
  const waiting = refused(unpin(ctx, bob, to(target)), 'role_insufficient')
  await held.query('UPDATE conversations SET version = version + 1 WHERE id = $1', [conversation])
  await held.query('UPDATE members SET role = 1 WHERE conversation_id = $1 AND user_id = $2', [conversation, bob])
  await held.query('COMMIT')
  held.release()
  await waiting
  await removeMember(ctx, alice, { conversation, user: bob })
  expect(await pin(ctx, bob, input)).toEqual(first)
  await refused(pin(ctx, bob, to(target)), 'not_a_member')
})

test('many at once, of messages sealed by a key that is not here yet: none waits for a connection that all others have', async () => {
  await ctx.pool.query(`UPDATE data_keys SET created_at = created_at - interval '2 days'`)
  const other = await openTestChat(database.url, { masterKeys })
  const places = []
  for (let nth = 0; nth < 2 * ctx.pool.options.max; nth++) {
    const direct = await makeConversation(ctx.pool, [alice, bob])
    const said = { conversation: direct, clientId: randomUUID(), body: { text: 'hello' } }
    places.push({ conversation: direct, target: (await post(other.ctx, bob, said)).seq, clientId: randomUUID() })
  }
  await other.close()
  expect(await Promise.all(places.map(place => pin(ctx, alice, place)))).toHaveLength(places.length)
})

test('a message that an operator removes is pinned no more, and makes room', async () => {
  const target = await say()
  await pin(ctx, alice, to(target))
  await removeMessage(ctx, { program: 'test' }, { conversation, seq: target, reason: 'Threats' })
  expect(await seqsOf()).toEqual([])
  const { entries } = await history(ctx, bob, { conversation })
  expect(entries[0]).toMatchObject({ removed: 'operator', pin: { pinned: false, seq: entries.at(-1)!.seq } })
  await refused(pin(ctx, alice, to(target)), 'message_unknown')
})
