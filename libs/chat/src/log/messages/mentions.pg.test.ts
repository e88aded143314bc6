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
import { list as listNotifications } from '../../notices/notifications/index.ts'
import { removeMessage } from '../../operators/remove-message.ts'
import { claim, done } from '../../store/jobs/index.ts'
import { block } from '../../people/blocks/index.ts'
import { addMembers } from '../conversations/add-members.ts'
import { changeRole } from '../conversations/change-role.ts'
import { removeMember } from '../conversations/remove-member.ts'
import { unread } from '../conversations/unread.ts'
import { toStatement } from '../insert-statements.ts'
import { owed } from '../offline/index.ts'
import { read } from '../receipts/index.ts'
import { edit } from './edit.ts'
import { post } from './post.ts'
import { tellEverybody } from './tell-mentioned.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob, carol, stranger] = ['', '', '', '']
let conversation = ''

beforeAll(async () => {
  database = await testDatabase()
  const settings = { receiptWindowMs: 1, mentionAllFreeMax: 3, mentionAllToldMax: 6, largeConversationMin: 4 }
  chat = await openTestChat(database.url, { settings, presumedAbsent: users => users })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob, carol, stranger] = (await makeUsers(ctx.pool, 4)) as [string, string, string, string]
  conversation = await makeConversation(ctx.pool, [alice, bob, carol])
  await ctx.pool.query('DELETE FROM jobs')
})

const say = (by: string, more: object = {}, where = conversation) =>
  post(ctx, by, { conversation: where, clientId: randomUUID(), body: { text: 'x', ...more } })
const change = (by: string, target: number, more: object = {}) =>
  edit(ctx, by, { conversation, clientId: randomUUID(), target, body: { text: 'y', ...more } })
/** Unread and mentions in the conversation. */
async function counts(user: string, where = conversation): Promise<[number, number]> {
  const found = (await unread(ctx, user, {})).conversations.find(one => one.conversation === where)
  return [found?.unread ?? 0, found?.mentions ?? 0]
}
const notified = async (user: string) =>
  (await listNotifications(ctx, user, { limit: 10 })).notifications.map(one => one.seq)
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code })
/** Does what workers would. */
async function doJobs(): Promise<number> {
  const claimed = await claim(ctx, { max: 10, leaseMs: 60_000 })
  for (const { job, id, attempt } of claimed) {
    if (job.kind === 'mention-all') await tellEverybody(ctx, job)
    await done(ctx, { id, attempt })
  }
  return claimed.length
}

test('who is mentioned counts it until they read it; the others, the sender and strangers do not', async () => {
  await say(alice)
  const { seq } = await say(alice, { mentions: [bob, alice, stranger] })
  await say(alice, { mentionsAll: true })
  expect(await counts(bob)).toEqual([3, 2])
  expect(await counts(carol)).toEqual([3, 1])
  expect(await counts(alice)).toEqual([0, 0])
  const { rows } = await ctx.pool.query('SELECT FROM mentions WHERE user_id = ANY($1)', [[stranger, alice]])
  expect(rows).toEqual([])
  await read(ctx, bob, { conversation, seq })
  expect(await counts(bob)).toEqual([1, 1])
  expect(await counts(carol)).toEqual([3, 1])
})

test('a repeated send counts once, and a message that mentions nobody writes nothing more than before', async () => {
  const input = { conversation, clientId: randomUUID(), body: { text: 'x', mentions: [bob] } }
  await post(ctx, alice, input)
  await post(ctx, alice, input)
  expect(await counts(bob)).toEqual([1, 1])
  const entry = {
    conversation,
    version: 1,
    sender: alice,
    clientId: randomUUID(),
    replyTo: undefined,
    kind: 1,
    sealed: { keyId: 1, body: Buffer.alloc(0) },
    absent: [],
  }
  expect(toStatement([entry])).toMatchObject({ name: 'insert-entries', values: { length: 14 } })
  expect(toStatement([entry, { ...entry, mentions: [bob] }]).name).toBe('insert-full-entries')
})

test('an edit that mentions nobody any more takes the mention away, one that does so anew brings it', async () => {
  const { seq } = await say(alice, { mentions: [bob] })
  expect(await notified(bob)).toEqual([seq])
  await change(alice, seq, { mentions: [carol] })
  expect(await counts(bob)).toEqual([1, 0])
  expect(await counts(carol)).toEqual([1, 1])
  expect([await notified(bob), await notified(carol)]).toEqual([[], [seq]])
  await change(alice, seq)
  expect(await counts(carol)).toEqual([1, 0])
  await change(alice, seq, { mentions: [bob, carol], mentionsAll: true })
  // One message is one mention, however often it names somebody.
  expect([await counts(bob), await counts(carol), await counts(alice)]).toEqual([
    [1, 1],
    [1, 1],
    [0, 0],
  ])
})

test('a message that was taken away mentions nobody', async () => {
  const { seq } = await say(alice, { mentions: [bob], mentionsAll: true })
  await doJobs()
  await removeMessage(ctx, { program: 'test' }, { conversation, seq, reason: 'spam' })
  expect((await counts(bob))[1]).toBe(0)
  await expect.poll(() => Promise.all([notified(bob), notified(carol)])).toEqual([[], []])
})

test('who is removed and added again counts from there on; across a block nothing counts', async () => {
  await say(alice, { mentions: [bob] })
  await say(alice, { mentionsAll: true })
  await removeMember(ctx, alice, { conversation, user: bob })
  expect(await counts(bob)).toEqual([0, 0])
  await addMembers(ctx, alice, { conversation, users: [bob] })
  expect(await counts(bob)).toEqual([0, 0])
  await say(alice, { mentionsAll: true })
  expect(await counts(bob)).toEqual([1, 1])
  await block(ctx, bob, alice)
  expect(await counts(bob)).toEqual([1, 0])
})

test('in a large group owners and admins mention everybody, and nobody else, nor by an edit', async () => {
  const [dora, erik] = (await makeUsers(ctx.pool, 2)) as [string, string]
  conversation = await makeConversation(ctx.pool, [alice, bob, carol, dora, erik])
  await refused(say(bob, { mentionsAll: true }), 'role_insufficient')
  const { seq } = await say(bob)
  await refused(change(bob, seq, { mentionsAll: true }), 'role_insufficient')
  await changeRole(ctx, alice, { conversation, user: bob, role: 'admin' })
  const { seq: target } = await say(bob, { mentionsAll: true })
  await changeRole(ctx, alice, { conversation, user: bob, role: 'member' })
  await change(bob, target, { mentionsAll: true })
  expect(await counts(erik)).toEqual([2, 1])
})

test('everybody is told by a worker, and those who are away of a large conversation are owed it', async () => {
  const people = await makeUsers(ctx.pool, 3)
  const large = await makeConversation(ctx.pool, [alice, bob, ...people])
  await ctx.pool.query("UPDATE conversations SET large_since = now() - interval '1 day' WHERE id = $1", [large])
  const { seq } = await say(alice, { mentionsAll: true }, large)
  expect(await notified(bob)).toEqual([])
  expect(await owed(ctx, bob)).toEqual([])
  expect(await doJobs()).toBe(1)
  expect(await notified(bob)).toEqual([seq])
  expect(await notified(alice)).toEqual([])
  expect(await owed(ctx, bob)).toMatchObject([{ conversation: large, highest: seq }])
  // Done once more, it tells nobody twice.
  await tellEverybody(ctx, { conversation: large, seq, by: alice })
  expect(await notified(bob)).toEqual([seq])
  const said = await say(alice, { mentions: [people[0]] }, large)
  expect(await owed(ctx, people[0]!)).toMatchObject([{ highest: said.seq }])
})

test('where they are too many, the mention of everybody counts, and nobody is told of it apart', async () => {
  const crowd = await makeConversation(ctx.pool, [alice, bob, ...(await makeUsers(ctx.pool, 5))])
  await say(alice, { mentionsAll: true }, crowd)
  await doJobs()
  expect(await counts(bob, crowd)).toEqual([1, 1])
  expect(await notified(bob)).toEqual([])
})
