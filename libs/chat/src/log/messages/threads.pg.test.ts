import { randomUUID } from 'node:crypto'
import { emptyConversation, type Entry, type EntryOf, foldAll, limits, mutedForEver } from '@flotilla/protocol'
import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
  until,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { removeMessage } from '../../operators/remove-message.ts'
import { addMembers } from '../conversations/add-members.ts'
import { badge } from '../conversations/badge.ts'
import { unread } from '../conversations/unread.ts'
import { changeGroup } from '../conversations/change-group.ts'
import { get } from '../conversations/get.ts'
import { leave } from '../conversations/leave.ts'
import { changeSettings } from '../conversations/settings.ts'
import { setTimer } from '../conversations/set-timer.ts'
import { read } from '../receipts/note.ts'
import { resume } from '../sync/resume.ts'
import { edit } from './edit.ts'
import { followThread, markThreadRead, unfollowThread } from './follow-thread.ts'
import { clear, hide } from './hide.ts'
import { history } from './history.ts'
import { post } from './post.ts'
import { listThreads, readThread } from './read-threads.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob, carol, dave] = ['', '', '', '']
let conversation = ''

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { presumedAbsent: users => users })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob, carol, dave] = (await makeUsers(ctx.pool, 4)) as [string, string, string, string]
  conversation = await makeConversation(ctx.pool, [alice, bob, carol])
  chat.emitted.length = 0
})

interface More {
  readonly mentions?: string[]
  readonly alsoInConversation?: true
  readonly clientId?: string
}
const say = async (by: string, thread?: number, { mentions, clientId = randomUUID(), ...more }: More = {}) => {
  const body = { text: 'hello', ...(mentions === undefined ? {} : { mentions }) }
  const place = thread === undefined ? {} : { thread }
  return (await post(ctx, by, { conversation, clientId, body, ...place, ...more })).seq
}
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code })
const told = () => chat.emitted.flatMap(({ event }) => ('seq' in event ? [event as Entry] : []))
const rootFor = async (by: string, thread: number) => (await readThread(ctx, by, { conversation, thread })).root.replies
const owed = async () =>
  (
    await ctx.pool.query<{ user: string; seq: number }>(
      'SELECT user_id AS user, seq FROM offline_messages WHERE conversation_id = $1 ORDER BY seq, user_id',
      [conversation],
    )
  ).rows

test('a reply is an entry of the log, and the message says what hangs on it: in pages, replays, lists, and folded', async () => {
  const root = await say(alice)
  const seqs = [await say(bob, root), await say(carol, root, { alsoInConversation: true })]
  expect(seqs).toEqual([root + 1, root + 2])
  expect(told().at(-2)).toMatchObject({ event: 'message.new', seq: root + 1, by: bob, thread: root })
  const { entries } = await history(ctx, alice, { conversation })
  expect(entries.slice(1)).toMatchObject([{ thread: root }, { thread: root, alsoInConversation: true }])
  expect(entries[1]).not.toHaveProperty('alsoInConversation')
  const replies = { seq: root + 2, count: 2, people: [carol, bob], following: true, readSeq: root, unread: 2 }
  expect(entries[0]).toMatchObject({ seq: root, replies: { ...replies, lastAt: entries[2]!.at } })
  const { verdicts } = await resume(ctx, alice, { epoch: 1, cursors: [{ conversation, seq: 0 }], only: true })
  expect(verdicts[0]).toMatchObject({ entries })
  const shown = (heard: readonly Entry[]) => {
    const message = foldAll(emptyConversation, heard).messages.get(root)
    return { ...message, replies: { ...message?.replies, known: 0, beyond: 0 } }
  }
  expect(shown(entries)).toEqual(shown(told()))
  expect((await readThread(ctx, alice, { conversation, thread: root })).messages).toEqual(entries.slice(1))
})

test('a thread counts apart: not for the conversation, and for those who follow until they have read it there', async () => {
  const root = await say(alice)
  await read(ctx, bob, { conversation, seq: root })
  await read(ctx, carol, { conversation, seq: root })
  await say(bob, root)
  const last = await say(bob, root)
  for (const user of [alice, bob, carol]) expect((await get(ctx, user, conversation)).unread).toBe(0)
  expect((await get(ctx, carol, conversation)).lastMessage?.seq).toBe(root)
  expect(await rootFor(alice, root)).toMatchObject({ following: true, unread: 2 })
  expect(await rootFor(bob, root)).toMatchObject({ following: true, unread: 0 })
  const forCarol = await rootFor(carol, root)
  expect(forCarol).toMatchObject({ count: 2, following: false })
  expect(forCarol).not.toHaveProperty('unread')
  expect(await Promise.all([alice, bob, carol].map(user => badge(ctx, user)))).toEqual([2, 0, 0])
  const counted = { unread: 0, mentions: 0, replies: 2 }
  expect(await unread(ctx, alice, {})).toEqual({ conversations: [{ conversation, ...counted }], ...counted, badge: 2 })
  expect(await unread(ctx, bob, {})).toEqual({ conversations: [], unread: 0, mentions: 0, replies: 0, badge: 0 })
  // The cursor of the conversation is another one.
  await read(ctx, alice, { conversation, seq: last })
  expect((await rootFor(alice, root))?.unread).toBe(2)
  chat.emitted.length = 0
  await markThreadRead(ctx, alice, { conversation, thread: root, seq: last + 9 })
  expect(chat.emitted.map(({ to, event }) => ({ to, event }))).toEqual([
    { to: [alice], event: { event: 'thread.changed', conversation, thread: root, following: true, readSeq: last } },
    { to: [alice], event: { event: 'notification.read', notification: expect.any(String), unread: 0 } },
  ])
  await markThreadRead(ctx, alice, { conversation, thread: root, seq: root + 1 })
  expect(await rootFor(alice, root)).toMatchObject({ readSeq: last, unread: 0 })
  // What is said in the conversation as well is unread in both, and one message for the badge.
  await say(bob, root, { alsoInConversation: true })
  expect((await get(ctx, alice, conversation)).unread).toBe(1)
  expect((await rootFor(alice, root))?.unread).toBe(1)
  expect(await unread(ctx, alice, {})).toMatchObject({ unread: 1, replies: 0, badge: 1 })
})

test('what waits in threads is summed up by conversation, also of what is muted, which no badge shows', async () => {
  const other = await makeConversation(ctx.pool, [alice, bob])
  const write = async (by: string, thread?: number) =>
    (
      await post(ctx, by, {
        conversation: other,
        clientId: randomUUID(),
        body: { text: 'x' },
        ...(thread === undefined ? {} : { thread }),
      })
    ).seq
  const roots = [await say(alice), await say(alice)]
  for (const root of [...roots, ...roots, roots[0]!]) await say(bob, root)
  const elsewhere = await write(alice)
  await write(bob, elsewhere)
  await write(bob)
  const counts = await unread(ctx, alice, {})
  expect(counts).toMatchObject({ unread: 1, replies: 6, badge: 7 })
  expect(new Map(counts.conversations.map(one => [one.conversation, [one.unread, one.replies]]))).toEqual(
    new Map([
      [conversation, [0, 5]],
      [other, [1, 1]],
    ]),
  )
  const [first] = counts.conversations
  expect((await unread(ctx, alice, { after: first!.conversation })).conversations).toEqual(
    counts.conversations.slice(1),
  )
  await changeSettings(ctx, alice, { conversation, mutedUntil: mutedForEver })
  await unfollowThread(ctx, alice, { conversation: other, thread: elsewhere })
  expect(await unread(ctx, alice, {})).toMatchObject({ unread: 1, replies: 5, badge: 1 })
})

test('who posted it, who answers and who is mentioned follow, and only these are owed a push; the others when it is theirs too', async () => {
  await addMembers(ctx, alice, { conversation, users: [dave] })
  await ctx.pool.query('DELETE FROM offline_messages')
  const root = await say(alice)
  await ctx.pool.query('DELETE FROM offline_messages')
  const first = await say(bob, root)
  expect((await owed()).map(row => row.user).sort()).toEqual([alice, bob].sort())
  const second = await say(alice, root, { mentions: [carol] })
  expect((await owed()).filter(row => row.seq === second).map(row => row.user)).toContain(carol)
  expect((await owed()).map(row => row.user)).not.toContain(dave)
  expect(await rootFor(carol, root)).toMatchObject({ following: true, readSeq: second - 1, unread: 1 })
  expect(chat.emitted.some(({ event }) => event.event === 'notification.new')).toBe(true)
  await unfollowThread(ctx, bob, { conversation, thread: root })
  const third = await say(alice, root)
  expect(
    (await owed())
      .filter(row => row.seq === third)
      .map(row => row.user)
      .sort(),
  ).toEqual([alice, carol].sort())
  // Whoever answers, or is mentioned, follows again; what they had not read stays so for who is mentioned.
  const fourth = await say(alice, root, { mentions: [bob] })
  expect(await rootFor(bob, root)).toMatchObject({ following: true, readSeq: fourth - 1, unread: 1 })
  const whole = await say(bob, root, { alsoInConversation: true })
  expect((await owed()).filter(row => row.seq === whole)).toHaveLength(4)
  expect((await rootFor(bob, root))?.unread).toBe(0)
  expect(first).toBe(root + 1)
})

test('following and its end are private; a message without replies can be followed; and there is a limit', async () => {
  const root = await say(alice)
  await followThread(ctx, carol, { conversation, thread: root })
  await followThread(ctx, carol, { conversation, thread: root })
  expect(told()).toHaveLength(1)
  await say(bob, root)
  expect(await rootFor(carol, root)).toMatchObject({ following: true, unread: 1 })
  await unfollowThread(ctx, carol, { conversation, thread: root })
  expect((await listThreads(ctx, carol, { limit: 9 })).threads).toEqual([])
  await ctx.pool.query(
    `INSERT INTO thread_follows (user_id, conversation_id, root_seq, following, read_seq)
     SELECT $1, $2, 1000 + n, true, 1 FROM generate_series(1, $3::int) n`,
    [carol, conversation, limits.threadsFollowedMax - 1],
  )
  const others = [await say(alice), await say(alice)]
  const both = await Promise.allSettled(others.map(thread => followThread(ctx, carol, { conversation, thread })))
  expect(both.filter(one => one.status === 'fulfilled')).toHaveLength(1)
  await refused(followThread(ctx, carol, { conversation, thread: root }), 'limit_reached')
  // An answer is said all the same.
  await say(carol, root)
  expect((await rootFor(carol, root))?.following).toBe(false)
})

test('a thread hangs on a message that one can see and that is in none', async () => {
  const root = await say(alice)
  const reply = await say(bob, root)
  await refused(say(bob, reply), 'message_unknown')
  await refused(say(bob, reply + 1), 'message_unknown')
  await refused(say(dave, root), 'not_a_member')
  await refused(followThread(ctx, alice, { conversation, thread: reply }), 'message_unknown')
  const added = await addMembers(ctx, alice, { conversation, users: [dave] })
  expect(added).toBeDefined()
  await refused(say(dave, root), 'message_unknown')
  await refused(readThread(ctx, dave, { conversation, thread: root }), 'message_unknown')
  // A mention there does not make them follow what they cannot see.
  await say(alice, root, { mentions: [dave] })
  expect((await listThreads(ctx, dave, { limit: 9 })).threads).toEqual([])
  const input = { conversation, clientId: randomUUID(), body: { text: 'hi' }, alsoInConversation: true }
  await refused(post(ctx, alice, input), 'field_invalid')
})

test('a deleted reply counts no more, a deleted message keeps its thread, an edit in a thread stays there', async () => {
  const root = await say(alice)
  const [one, two] = [await say(bob, root), await say(bob, root)]
  const operator = { program: 'test' }
  await removeMessage(ctx, operator, { conversation, seq: one, reason: 'Threats' })
  await removeMessage(ctx, operator, { conversation, seq: one, reason: 'Threats' })
  const head = (await history(ctx, alice, { conversation })).head
  expect(await rootFor(alice, root)).toMatchObject({ seq: head, count: 1, unread: 1 })
  await edit(ctx, bob, { conversation, clientId: randomUUID(), target: two, body: { text: 'other' } })
  await removeMessage(ctx, operator, { conversation, seq: root, reason: 'Threats' })
  await say(carol, root)
  const page = await readThread(ctx, alice, { conversation, thread: root })
  expect(page.root).toMatchObject({ removed: 'operator', replies: { count: 2 } })
  expect(page.messages).toMatchObject([
    { seq: one, thread: root, removed: 'operator' },
    { seq: two, thread: root, body: { text: 'other' } },
    { by: carol },
  ])
  const replies = (heard: readonly Entry[]) => foldAll(emptyConversation, heard).messages.get(root)?.replies?.count
  expect(replies(told())).toBe(2)
  expect(replies((await history(ctx, alice, { conversation })).entries)).toBe(2)
  // On what is gone nothing new begins.
  const gone = await say(alice)
  await removeMessage(ctx, operator, { conversation, seq: gone, reason: 'Threats' })
  await refused(say(bob, gone), 'message_unknown')
})

test('replies at the same moment, and one again and again: each counts once', async () => {
  const root = await say(alice)
  const clientId = randomUUID()
  const seqs = await Promise.all([
    ...Array.from({ length: 8 }, (_, nth) => say(nth % 2 === 0 ? bob : carol, root)),
    ...Array.from({ length: 4 }, () => say(bob, root, { clientId })),
    ...Array.from({ length: 4 }, () => say(alice)),
  ])
  expect(new Set(seqs).size).toBe(13)
  expect(await rootFor(alice, root)).toMatchObject({ count: 9, unread: 9 })
  expect((await readThread(ctx, alice, { conversation, thread: root })).messages).toHaveLength(9)
})

test('pages of a thread, in both directions, and the list of those that one follows', async () => {
  const root = await say(alice)
  const seqs: number[] = []
  while (seqs.length < 5) seqs.push(await say(bob, root))
  const page = async (range: object) => {
    const { messages, more } = await readThread(ctx, alice, { conversation, thread: root, ...range })
    return [messages.map(message => message.seq), more === true]
  }
  expect(await page({})).toEqual([seqs, false])
  expect(await page({ limit: 2 })).toEqual([seqs.slice(3), true])
  expect(await page({ limit: 3, before: seqs[3] })).toEqual([seqs.slice(0, 3), false])
  expect(await page({ limit: 2, after: seqs[0] })).toEqual([seqs.slice(1, 3), true])
  expect(await page({ limit: 2, after: seqs[2] })).toEqual([seqs.slice(3), false])
  const long = { body: { text: 'x'.repeat(limits.textLengthMax) }, thread: root }
  for (let nth = 0; nth < 3; nth++) await post(ctx, bob, { conversation, clientId: randomUUID(), ...long })
  expect(await page({ after: seqs[4], bytesMax: limits.replyBytesMin })).toEqual([[seqs[4]! + 1], true])
  const others = [await say(alice), await say(alice)]
  for (const other of others) await say(bob, other)
  await say(carol, root)
  const first = await listThreads(ctx, alice, { limit: 2 })
  const second = await listThreads(ctx, alice, { limit: 2, after: first.next })
  expect([first, second].map(({ threads }) => threads.map(one => one.seq))).toEqual([[root, others[1]], [others[0]]])
  expect(second.next).toBeUndefined()
  expect(first.threads[0]).toMatchObject({ replies: { count: 9, unread: 9 } })
})

test('a thread keeps to the rules of its group: who may post, slow mode, and the timer', async () => {
  const root = await say(alice)
  await setTimer(ctx, alice, { conversation, timerMs: 86_400_000 })
  const seq = await say(bob, root)
  const { messages } = await readThread(ctx, alice, { conversation, thread: root })
  expect(messages).toMatchObject([{ seq, expiresAt: messages[0]!.at + 86_400_000 }])
  expect(told().at(-1)).toMatchObject({ seq, expiresAt: messages[0]!.at + 86_400_000 })
  const waiting = await ctx.pool.query('SELECT seq FROM expiring_messages WHERE conversation_id = $1', [conversation])
  expect(waiting.rows).toEqual([{ seq }])
  expect(await unread(ctx, alice, {})).toMatchObject({ replies: 1, badge: 1 })
  await ctx.pool.query("UPDATE expiring_messages SET expires_at = now() - interval '1 minute'")
  expect(await unread(ctx, alice, {})).toMatchObject({ replies: 0, badge: 0 })
  await changeGroup(ctx, alice, { conversation, slowModeMs: 60_000 })
  await say(bob, root)
  await refused(say(bob, root), 'rate_limited')
  await changeGroup(ctx, alice, { conversation, permissions: { post: 'admin' } })
  await refused(say(carol, root), 'role_insufficient')
  await say(alice, root)
})

describe('in slow mode', () => {
  const slowModeMs = 60_000
  let root = 0
  beforeEach(async () => {
    root = await say(alice)
    await changeGroup(ctx, alice, { conversation, slowModeMs })
  })

  test('a reply that is refused takes no turn, nor does one that is repeated', async () => {
    await refused(say(bob, root + 99), 'message_unknown')
    const clientId = randomUUID()
    const seq = await say(bob, root, { clientId })
    await ctx.pool.query(`UPDATE slow_posts SET at = now() - interval '2 minutes' WHERE user_id = $1`, [bob])
    expect(await say(bob, root, { clientId })).toBe(seq)
    await say(bob)
    expect(await say(bob, root, { clientId })).toBe(seq)
  })

  test('of what is sent at once one goes, and one that is sent twice is one', async () => {
    const sends = [say(bob, root), say(bob), say(bob, root), say(bob)]
    const outcomes = await Promise.allSettled(sends)
    expect(outcomes.filter(one => one.status === 'fulfilled')).toHaveLength(1)
    const clientId = randomUUID()
    const [one, other] = await Promise.all([say(carol, root, { clientId }), say(carol, root, { clientId })])
    expect(one).toBe(other)
  })

  test('the pause begins when the reply is stored, however long it has waited for the conversation', async () => {
    const holder = await ctx.pool.connect()
    await holder.query('BEGIN')
    await holder.query('SELECT FROM conversations WHERE id = $1 FOR NO KEY UPDATE', [conversation])
    const replied = say(bob, root)
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    await until(async () => (await ctx.pool.query(waiting)).rowCount === 1, { what: 'the reply waits' })
    const { rows } = await holder.query<{ at: string }>('SELECT clock_timestamp()::text AS at')
    await holder.query('COMMIT')
    holder.release()
    await replied
    const begun = await ctx.pool.query(
      'SELECT FROM slow_posts WHERE conversation_id = $1 AND user_id = $2 AND at >= $3::timestamptz',
      [conversation, bob, rows[0]!.at],
    )
    expect(begun.rowCount).toBe(1)
  })
})

test('what one has hidden or cleared is not in a thread either, and counts no more', async () => {
  const root = await say(alice)
  const [one, other] = [await say(bob, root), await say(bob, root)]
  expect(await rootFor(alice, root)).toMatchObject({ unread: 2 })
  await hide(ctx, alice, { conversation, seqs: [one] })
  const { messages } = await readThread(ctx, alice, { conversation, thread: root })
  expect(messages.map(message => message.seq)).toEqual([other])
  expect(await rootFor(alice, root)).toMatchObject({ unread: 1 })
  expect((await readThread(ctx, bob, { conversation, thread: root })).messages).toHaveLength(2)
  expect(await unread(ctx, alice, {})).toMatchObject({ replies: 1, badge: 1 })
  // Of a thread that one cannot open any more nothing waits: it could not be read.
  const hidden = await say(alice)
  await say(bob, hidden)
  await hide(ctx, alice, { conversation, seqs: [hidden] })
  expect(await unread(ctx, alice, {})).toMatchObject({ replies: 1, badge: 1 })
  await clear(ctx, alice, { conversation, upTo: root })
  expect(await unread(ctx, alice, {})).toMatchObject({ replies: 0, badge: 0 })
  await refused(readThread(ctx, alice, { conversation, thread: root }), 'message_unknown')
  expect((await listThreads(ctx, alice, { limit: 10 })).threads.filter(message => message.seq === root)).toEqual([])
})

test('who leaves follows nothing any more', async () => {
  const root = await say(alice)
  await say(bob, root)
  await leave(ctx, bob, { conversation })
  expect((await listThreads(ctx, bob, { limit: 9 })).threads).toEqual([])
  await ctx.pool.query('DELETE FROM offline_messages')
  await say(carol, root)
  expect((await owed()).map(row => row.user)).not.toContain(bob)
  const { entries } = await history(ctx, alice, { conversation, limit: 1 })
  expect((entries[0] as EntryOf<'message.new'>).thread).toBe(root)
})
