import { randomUUID } from 'node:crypto'
import { makeUsers, openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { addMembers } from '../../log/conversations/add-members.ts'
import { createGroup } from '../../log/conversations/create-group.ts'
import { removeMember } from '../../log/conversations/remove-member.ts'
import { post } from '../../log/messages/index.ts'
import { decide, file, list } from './index.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob, carol, operator] = ['', '', '', '']
let conversation: string

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
/** Alice and Bob are in a group, Carol is not. */
beforeEach(async () => {
  await ctx.pool.query('DELETE FROM reports')
  ;[alice, bob, carol, operator] = (await makeUsers(ctx.pool, 4)) as [string, string, string, string]
  conversation = (await createGroup(ctx, alice, { name: 'Crew', members: [bob] })).id
})

const say = (by: string, text: string) => post(ctx, by, { conversation, clientId: randomUUID(), body: { text } })
const refused = (promise: Promise<unknown>, code: string, field?: string) =>
  expect(promise).rejects.toMatchObject({ code, ...(field === undefined ? {} : { detail: { field } }) })
const open = async () => (await list(ctx, { limit: 100 })).reports

test('a person is reported, and nobody but the operators hears of it', async () => {
  chat.emitted.length = 0
  const { id, created } = await file(ctx, alice, { user: carol, reason: 'spam', comment: ' again\nand again ' })
  expect(created).toBe(true)
  expect(chat.emitted).toEqual([])
  expect(await open()).toEqual([
    {
      id,
      at: expect.any(Number),
      reporter: expect.objectContaining({ id: alice }),
      user: expect.objectContaining({ id: carol }),
      reason: 'spam',
      comment: 'again\nand again',
    },
  ])
})

test('of a reported message a copy is kept, sealed, that outlives the message', async () => {
  const { seq, at } = await say(bob, 'something vile')
  await file(ctx, alice, { user: bob, reason: 'harassment', conversation, seq })
  const stored = await ctx.pool.query<{ body: Buffer }>('SELECT body FROM reports')
  expect(stored.rows[0]!.body.toString('latin1')).not.toContain('vile')
  await ctx.pool.query('DELETE FROM messages WHERE conversation_id = $1', [conversation])
  expect(await open()).toMatchObject([{ message: { conversation, seq, at, body: { text: 'something vile' } } }])
})

test('only a message of the person that the caller may see is reported', async () => {
  const early = await say(bob, 'before Carol')
  await addMembers(ctx, alice, { conversation, users: [carol] })
  const own = await say(alice, 'of somebody else')
  const about = (by: string, seq: number, more: object = {}) =>
    file(ctx, by, { user: bob, reason: 'other', conversation, seq, ...more })
  await refused(about(carol, early.seq), 'message_unknown', 'seq')
  await refused(about(carol, own.seq), 'message_unknown', 'seq')
  // The beginning of the conversation is an entry, but no message.
  await refused(file(ctx, bob, { user: alice, reason: 'other', conversation, seq: 1 }), 'message_unknown', 'seq')
  await refused(about(carol, 1_000), 'message_unknown', 'seq')
  const late = await say(bob, 'for Carol too')
  await refused(about(operator, late.seq), 'not_a_member')
  await refused(about(carol, late.seq, { conversation: randomUUID() }), 'conversation_unknown')
  expect((await about(carol, late.seq)).created).toBe(true)
  await removeMember(ctx, alice, { conversation, user: carol })
  await refused(about(carol, late.seq), 'not_a_member')
})

test('oneself, nobody, half a message and too long a comment are refused', async () => {
  await refused(file(ctx, alice, { user: alice, reason: 'other' }), 'field_invalid', 'user')
  await refused(file(ctx, alice, { user: randomUUID(), reason: 'other' }), 'user_unknown', 'user')
  await refused(file(ctx, alice, { user: bob, reason: 'other', conversation }), 'field_invalid', 'seq')
  await refused(file(ctx, alice, { user: bob, reason: 'other', seq: 1 }), 'field_invalid', 'conversation')
  await refused(
    file(ctx, alice, { user: bob, reason: 'other', comment: 'x'.repeat(1_001) }),
    'field_invalid',
    'comment',
  )
  expect(await open()).toEqual([])
})

test('the same thing is one open report of one person, also when it is reported twice at once', async () => {
  const { seq } = await say(bob, 'vile')
  const reports = await Promise.all([
    file(ctx, alice, { user: bob, reason: 'other' }),
    file(ctx, alice, { user: bob, reason: 'spam' }),
    file(ctx, alice, { user: bob, reason: 'other', conversation, seq }),
    file(ctx, carol, { user: bob, reason: 'other' }),
  ])
  expect(new Set(reports.map(one => one.id)).size).toBe(3)
  expect(reports.filter(one => one.created)).toHaveLength(3)
  expect(reports[0]!.id).toBe(reports[1]!.id)
  await decide(ctx, operator, { report: reports[0]!.id, decision: 'dismissed' })
  expect(await file(ctx, alice, { user: bob, reason: 'spam' })).toMatchObject({ created: true })
})

test('a decision takes a report out of the queue, once', async () => {
  const { id } = await file(ctx, alice, { user: bob, reason: 'other' })
  const both = await Promise.allSettled([
    decide(ctx, operator, { report: id, decision: 'upheld', note: ' warned ' }),
    decide(ctx, operator, { report: id, decision: 'upheld', note: ' warned ' }),
  ])
  expect(both.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(both.find(one => one.status === 'rejected')?.reason).toMatchObject({ code: 'report_unknown' })
  expect(await open()).toEqual([])
  const stored = await ctx.pool.query('SELECT decision, decision_note, decided_by FROM reports')
  expect(stored.rows).toEqual([{ decision: 'upheld', decision_note: 'warned', decided_by: operator }])
  await refused(decide(ctx, operator, { report: randomUUID(), decision: 'dismissed' }), 'report_unknown')
})

test('the queue is read page by page, the oldest first', async () => {
  const people = await makeUsers(ctx.pool, 5)
  const ids: string[] = []
  for (const user of people) ids.push((await file(ctx, alice, { user, reason: 'other' })).id)
  const seen: string[] = []
  let after: string | undefined
  do {
    const page = await list(ctx, { limit: 2, after })
    seen.push(...page.reports.map(one => one.id))
    after = page.next
  } while (after !== undefined)
  expect(seen).toEqual(ids)
})
