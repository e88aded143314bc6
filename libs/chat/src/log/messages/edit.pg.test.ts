import { randomUUID } from 'node:crypto'
import { emptyConversation, type Entry, foldAll } from '@flotilla/protocol'
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
import { findFactsOf } from '../../push/facts.ts'
import { sweep } from '../../push/sweep.ts'
import { addMembers } from '../conversations/add-members.ts'
import { badge } from '../conversations/badge.ts'
import { get } from '../conversations/get.ts'
import { resume } from '../sync/resume.ts'
import { edit } from './edit.ts'
import { history } from './history.ts'
import { post } from './post.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob, carol] = ['', '', '']
let conversation = ''

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { presumedAbsent: users => users })
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

const say = (by: string, text: string, more: object = {}) =>
  post(ctx, by, { conversation, clientId: randomUUID(), body: { text, ...more } })
const change = (by: string, target: number, text: string, more: object = {}) =>
  edit(ctx, by, { conversation, clientId: randomUUID(), target, body: { text, ...more } })
const read = async (by = bob) => (await history(ctx, by, { conversation })).entries
const told = () => chat.emitted.flatMap(({ event }) => ('seq' in event ? [event as Entry] : []))
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code })

test('an edit is an entry that everybody is told, and history gives the message as it stands', async () => {
  const first = await say(alice, 'helo')
  const second = await change(alice, first.seq, 'hello')
  expect(second.seq).toBe(first.seq + 1)
  const [posted, edited] = await read()
  expect(posted).toMatchObject({
    event: 'message.new',
    seq: first.seq,
    at: first.at,
    body: { text: 'hello' },
    changedSeq: second.seq,
    editedAt: second.at,
  })
  expect(edited).toEqual(told().at(-1))
  expect(edited).toMatchObject({ event: 'message.edited', by: alice, target: first.seq, body: { text: 'hello' } })
  expect((await get(ctx, bob, conversation)).lastMessage).toEqual(posted)
})

test('what is no text is not edited', async () => {
  const fallback = 'Dam Square'
  const body = { type: 'location', latitude: 52.37, longitude: 4.89, fallback } as const
  const { seq } = await post(ctx, alice, { conversation, clientId: randomUUID(), body })
  await expect(change(alice, seq, 'elsewhere')).rejects.toMatchObject({
    code: 'field_invalid',
    detail: { field: 'target', rule: 'a message of text' },
  })
  // Of what is another's nothing is told.
  await refused(change(bob, seq, 'elsewhere'), 'message_unknown')
  expect((await read()).at(-1)).toMatchObject({ event: 'message.new', body })
})

test('what is folded live, from a page and from a replay is the same; what was edited away is gone from the log', async () => {
  const early = await say(alice, 'one')
  const other = await say(bob, 'untouched')
  for (const text of ['two', 'three', 'four']) await change(alice, early.seq, text)
  await change(bob, other.seq, 'touched')
  const replay = await resume(ctx, bob, { epoch: 1, cursors: [{ conversation, seq: 0 }], only: true })
  const replayed = replay.verdicts.flatMap(one => (one.verdict === 'replayed' ? one.entries : []))
  const page = await read()
  expect(page).toEqual(replayed)
  expect(foldAll(emptyConversation, page)).toEqual(foldAll(emptyConversation, told()))
  expect(foldAll(foldAll(emptyConversation, told()), page)).toEqual(foldAll(emptyConversation, told()))
  expect(page.map(entry => ('body' in entry ? entry.body : undefined))).toEqual([
    { text: 'four' },
    { text: 'touched' },
    undefined,
    undefined,
    { text: 'four' },
    { text: 'touched' },
  ])
})

test('only its sender edits a message, as long as it stands and they see it', async () => {
  const { seq } = await say(alice, 'mine')
  const edited = await change(alice, seq, 'still mine')
  await refused(change(bob, seq, 'yours'), 'message_unknown')
  await refused(change(carol, seq, 'theirs'), 'not_a_member')
  for (const target of [edited.seq, edited.seq + 1])
    await refused(change(alice, target, 'no message'), 'message_unknown')
  await refused(change(alice, seq, ' '), 'field_invalid')
  await removeMessage(ctx, { program: 'test' }, { conversation, seq, reason: 'Threats' })
  await refused(change(alice, seq, 'again'), 'message_unknown')
  expect((await read())[0]).toMatchObject({ body: { text: 'This message was removed.' }, removed: 'operator' })
})

test('whoever comes back does not edit what they wrote before', async () => {
  const group = await makeConversation(ctx.pool, [alice, bob])
  const { seq } = await post(ctx, bob, { conversation: group, clientId: randomUUID(), body: { text: 'before' } })
  await ctx.pool.query('DELETE FROM members WHERE conversation_id = $1 AND user_id = $2', [group, bob])
  await ctx.pool.query('UPDATE conversations SET version = version + 1 WHERE id = $1', [group])
  ctx.memberships.clear()
  await ctx.pool.query('UPDATE members SET role = 3 WHERE conversation_id = $1 AND user_id = $2', [group, alice])
  await addMembers(ctx, alice, { conversation: group, users: [bob] })
  const again = edit(ctx, bob, { conversation: group, clientId: randomUUID(), target: seq, body: { text: 'after' } })
  await refused(again, 'message_unknown')
})

test('a repetition gets the first result and changes nothing, also when another edit or a removal came after it', async () => {
  const { seq } = await say(alice, 'one')
  const input = { conversation, clientId: randomUUID(), target: seq, body: { text: 'two' } }
  const first = await edit(ctx, alice, input)
  expect(await edit(ctx, alice, input)).toEqual(first)
  await change(alice, seq, 'three')
  expect(await edit(ctx, alice, { ...input, body: { text: 'another' } })).toEqual(first)
  expect((await read())[0]).toMatchObject({ body: { text: 'three' } })
  await removeMessage(ctx, { program: 'test' }, { conversation, seq, reason: 'Threats' })
  expect(await edit(ctx, alice, input)).toEqual(first)
  expect((await read())[0]).toMatchObject({ removed: 'operator' })
})

test('of edits at the same time each is stored, and the last one stands', async () => {
  const { seq } = await say(alice, 'zero')
  const results = await Promise.all(['a', 'b', 'c', 'd'].map(text => change(alice, seq, text)))
  expect(results.map(one => one.seq).sort((a, b) => a - b)).toEqual([2, 3, 4, 5].map(nth => seq - 1 + nth))
  const page = await read()
  const last = page.at(-1)!
  expect(page[0]).toMatchObject({ changedSeq: last.seq, editedAt: last.at, body: (last as { body: object }).body })
  expect(foldAll(emptyConversation, told())).toEqual(foldAll(emptyConversation, page))
})

test('nothing of an edit is unread, and no push tells of it', async () => {
  const { seq } = await say(alice, 'one')
  const before = [await badge(ctx, bob), (await get(ctx, bob, conversation)).unread]
  await sweep(ctx, 100)
  await change(alice, seq, 'two')
  expect([await badge(ctx, bob), (await get(ctx, bob, conversation)).unread]).toEqual(before)
  const owed = await ctx.pool.query('SELECT seq FROM offline_messages WHERE conversation_id = $1 AND user_id = $2', [
    conversation,
    bob,
  ])
  expect(owed.rows).toEqual([{ seq }])
  const [facts] = await findFactsOf(ctx.pool, [{ user: bob, conversation, uptoSeq: seq + 1, since: 0 }])
  expect(facts).toMatchObject({ count: 1 })
})

test('an edit points the message out to whom it newly mentions, and to nobody twice', async () => {
  const { seq } = await say(alice, 'hello', { mentions: [bob] })
  await change(alice, seq, 'hello both', { mentions: [bob] })
  const { notifications } = await listNotifications(ctx, bob, { limit: 10 })
  const mine = notifications.filter(one => one.conversation === conversation)
  expect(mine).toMatchObject([{ kind: 'mention', seq }])
  const other = await say(alice, 'nobody')
  await change(alice, other.seq, 'you', { mentions: [bob] })
  const after = await listNotifications(ctx, bob, { limit: 10 })
  expect(after.notifications.filter(one => one.conversation === conversation).map(one => one.seq)).toEqual([
    other.seq,
    seq,
  ])
})

test('a removal is an entry, and takes away what the edits said', async () => {
  const { seq } = await say(alice, 'one')
  const edited = await change(alice, seq, 'two')
  const before = foldAll(emptyConversation, told())
  await removeMessage(ctx, { program: 'test' }, { conversation, seq, reason: 'Threats' })
  const removed = told().at(-1)!
  expect(removed).toMatchObject({ event: 'message.removed', seq: edited.seq + 1, target: seq, by: alice })
  const page = await read()
  expect(JSON.stringify(page)).not.toContain('two')
  expect(page.at(-1)).toEqual(removed)
  expect(foldAll(before, [removed])).toEqual(foldAll(emptyConversation, page))
  // Once more changes nothing.
  await removeMessage(ctx, { program: 'test' }, { conversation, seq, reason: 'Twice' })
  expect(await read()).toEqual(page)
})
