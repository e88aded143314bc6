import { randomUUID } from 'node:crypto'
import { mutedForEver } from '@flotilla/protocol'
import {
  makeConversation,
  makeLarge,
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
import { block } from '../../people/blocks/block.ts'
import { claim } from '../../store/jobs/index.ts'
import { badge } from '../conversations/badge.ts'
import { get } from '../conversations/get.ts'
import { leave } from '../conversations/leave.ts'
import { changeSettings } from '../conversations/settings.ts'
import { read } from '../receipts/note.ts'
import { followThread, markThreadRead, unfollowThread } from './follow-thread.ts'
import { clear, hide } from './hide.ts'
import { post } from './post.ts'
import { tellFollowers } from './tell-replied.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob, carol] = ['', '', '']
let conversation = ''

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { settings: { receiptWindowMs: 1 }, presumedAbsent: users => users })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob, carol] = (await makeUsers(ctx.pool, 3)) as [string, string, string]
  conversation = await makeConversation(ctx.pool, [alice, bob, carol])
  await ctx.pool.query('DELETE FROM jobs')
  chat.emitted.length = 0
})

const say = async (by: string, thread?: number, more: object = {}) => {
  const {
    clientId = randomUUID(),
    alsoInConversation,
    ...said
  } = more as { clientId?: string; alsoInConversation?: true }
  const body = { text: 'x', ...said }
  const place = { ...(thread === undefined ? {} : { thread }), ...(alsoInConversation ? { alsoInConversation } : {}) }
  return (await post(ctx, by, { conversation, clientId, body, ...place })).seq
}
const noticesOf = async (user: string) => (await listNotifications(ctx, user, { limit: 50 })).notifications
/** The replies that somebody was told of: the seq, and whether it waits. */
const toldOf = async (user: string) =>
  (await noticesOf(user))
    .filter(one => one.kind === 'thread_reply')
    .map(({ detail, read: isRead }) => [Number(detail['seq']), isRead ? 'read' : 'waits'])
const notify = (user: string, rule: 'all' | 'mentions' | 'nothing') =>
  changeSettings(ctx, user, { conversation, notify: rule })

test('followers are told of a reply, once for a thread: the author of the root, who has answered, and not who wrote it', async () => {
  const root = await say(alice)
  const first = await say(bob, root)
  expect(await noticesOf(alice)).toMatchObject([
    { kind: 'thread_reply', actor: { id: bob }, conversation, detail: { thread: String(root), seq: String(first) } },
  ])
  expect(await toldOf(bob)).toEqual([])
  const second = await say(carol, root, { alsoInConversation: true })
  expect(await toldOf(alice)).toEqual([[second, 'waits']])
  expect((await noticesOf(alice))[0]).toMatchObject({ actor: { id: carol }, read: false })
  expect(await toldOf(bob)).toEqual([[second, 'waits']])
  expect(await toldOf(carol)).toEqual([])
  const heard = chat.emitted.filter(({ event }) => event.event === 'notification.new')
  expect(heard.map(({ to }) => to).flat()).toEqual(expect.arrayContaining([alice, bob]))
  expect(heard).toHaveLength(3)
})

test('neither a message beside the thread nor one that is said again tells anybody anew', async () => {
  const root = await say(alice)
  const clientId = randomUUID()
  const seq = await say(bob, root, { clientId })
  await say(bob)
  await markThreadRead(ctx, alice, { conversation, thread: root, seq })
  expect(await say(bob, root, { clientId })).toBe(seq)
  expect(await toldOf(alice)).toEqual([[seq, 'read']])
})

test('where mentions are wanted followers are told, and where nothing is, or it is muted, they are not', async () => {
  const root = await say(alice)
  await notify(alice, 'mentions')
  const seq = await say(bob, root)
  expect(await toldOf(alice)).toEqual([[seq, 'waits']])
  expect(await badge(ctx, alice)).toBe(1)
  await notify(alice, 'nothing')
  await say(bob, root)
  await notify(alice, 'all')
  await changeSettings(ctx, alice, { conversation, mutedUntil: mutedForEver })
  await say(bob, root)
  expect(await toldOf(alice)).toEqual([[seq, 'waits']])
})

test('a badge for mentions counts each once: in a thread, in both, and who is mentioned there', async () => {
  const root = await say(alice)
  await notify(alice, 'mentions')
  await say(bob, root)
  await say(bob, root, { alsoInConversation: true })
  await say(bob, root, { mentions: [alice] })
  await say(bob)
  expect(await badge(ctx, alice)).toBe(3)
})

test('what was put away comes back with a reply in a thread that one follows, where mentions are wanted', async () => {
  const root = await say(alice)
  await say(alice, root)
  await notify(alice, 'mentions')
  await changeSettings(ctx, alice, { conversation, archived: true })
  await say(bob)
  await say(alice, root)
  expect((await get(ctx, alice, conversation)).settings.archived).toBe(true)
  await say(bob, root)
  expect((await get(ctx, alice, conversation)).settings.archived).toBe(false)
})

test('who is mentioned in a reply is told of that alone', async () => {
  const root = await say(alice)
  const seq = await say(bob, root, { mentions: [alice] })
  expect(await noticesOf(alice)).toMatchObject([{ kind: 'mention', seq }])
  await say(bob, root, { mentionsAll: true })
  expect(await toldOf(alice)).toEqual([])
})

test('it is read with the thread, on this device or by an answer, and not with the conversation', async () => {
  const root = await say(alice)
  const seq = await say(bob, root)
  await read(ctx, alice, { conversation, seq })
  expect(await toldOf(alice)).toEqual([[seq, 'waits']])
  chat.emitted.length = 0
  await markThreadRead(ctx, alice, { conversation, thread: root, seq })
  expect(await toldOf(alice)).toEqual([[seq, 'read']])
  expect(chat.emitted.map(({ event }) => event)).toContainEqual(
    expect.objectContaining({ event: 'notification.read', unread: 0 }),
  )
  const next = await say(bob, root)
  expect(await toldOf(alice)).toEqual([[next, 'waits']])
  await say(alice, root)
  expect(await toldOf(alice)).toEqual([[next, 'read']])
})

test('whoever unfollows, leaves, hides the message or clears the conversation is told no more', async () => {
  const root = await say(alice)
  const seq = await say(bob, root)
  await unfollowThread(ctx, alice, { conversation, thread: root })
  expect(await toldOf(alice)).toEqual([])
  await say(bob, root)
  expect(await toldOf(alice)).toEqual([])
  await followThread(ctx, carol, { conversation, thread: root })
  await say(alice, root)
  expect([await toldOf(carol), await toldOf(bob)]).toMatchObject([[{}], [{}]])
  await hide(ctx, carol, { conversation, seqs: [root] })
  await clear(ctx, bob, { conversation, upTo: seq })
  expect([await toldOf(carol), await toldOf(bob)]).toEqual([[], []])
  const other = await say(carol)
  await say(bob, other)
  expect(await toldOf(carol)).toHaveLength(1)
  await leave(ctx, carol, { conversation })
  expect(await toldOf(carol)).toEqual([])
})

test('a hidden reply takes along what pointed to it', async () => {
  const root = await say(alice)
  const seq = await say(bob, root)
  await hide(ctx, alice, { conversation, seqs: [seq] })
  expect(await toldOf(alice)).toEqual([])
})

test('of what was removed the one before it is told, and at last nothing', async () => {
  const root = await say(alice)
  const [first, second] = [await say(bob, root), await say(carol, root)]
  const remove = (seq: number) => removeMessage(ctx, { program: 'test' }, { conversation, seq, reason: 'Threats' })
  await remove(second)
  expect(await noticesOf(alice)).toMatchObject([{ actor: { id: bob }, detail: { seq: String(first) }, read: false }])
  chat.emitted.length = 0
  await remove(first)
  expect(await noticesOf(alice)).toEqual([])
  await expect
    .poll(() => chat.emitted.map(({ event }) => event))
    .toContainEqual(expect.objectContaining({ event: 'notification.read', unread: 0 }))
})

test('across a block nobody is told', async () => {
  const root = await say(alice)
  await block(ctx, alice, bob)
  await say(bob, root)
  expect(await toldOf(alice)).toEqual([])
})

test('a reply and the reading of its thread at the same moment: nothing waits that was read', async () => {
  const root = await say(alice)
  for (let nth = 0; nth < 5; nth++) {
    const seq = await say(bob, root)
    await Promise.all([say(bob, root), markThreadRead(ctx, alice, { conversation, thread: root, seq: seq + 1 })])
    await markThreadRead(ctx, alice, { conversation, thread: root, seq: seq + 1 })
    expect((await toldOf(alice)).map(([, state]) => state)).toEqual(['read'])
  }
})

test('in a large conversation followers who are away are owed the reply, and nobody else', async () => {
  await makeLarge(ctx.pool, conversation)
  const root = await say(alice)
  for (const more of [{}, { alsoInConversation: true }]) {
    const seq = await say(bob, root, more)
    const owed = await ctx.pool.query<{ user_id: string }>(
      'SELECT user_id FROM offline_messages WHERE conversation_id = $1 AND seq = $2',
      [conversation, seq],
    )
    expect(owed.rows.map(row => row.user_id)).toEqual([alice])
    expect(await toldOf(alice)).toEqual([[seq, 'waits']])
  }
})

test('those beyond the first many are told by a worker, once', async () => {
  const many = await makeUsers(ctx.pool, 520)
  conversation = await makeConversation(ctx.pool, [alice, bob, ...many])
  const root = await say(alice)
  await ctx.pool.query(
    `INSERT INTO thread_follows (user_id, conversation_id, root_seq, following, read_seq)
     SELECT u, $1, $2, true, $2 FROM unnest($3::uuid[]) u`,
    [conversation, root, many],
  )
  await say(bob, root)
  const told = async () =>
    (await ctx.pool.query('SELECT FROM notifications WHERE conversation_id = $1', [conversation])).rowCount
  expect(await told()).toBe(500)
  const jobs = await claim(ctx, { max: 10, leaseMs: 60_000 })
  for (let nth = 0; nth < 2; nth++)
    for (const { job } of jobs) if (job.kind === 'thread-reply') await tellFollowers(ctx, job)
  expect(await told()).toBe(521)
})
