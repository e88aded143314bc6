import { randomBytes, randomUUID } from 'node:crypto'
import { type Notification, Refusal, textOf } from '@flotilla/protocol'
import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { list as listNotifications } from '../../notices/notifications/index.ts'
import { momentOf, zoneRules } from '../../text/zones.ts'
import { removeMember } from '../conversations/remove-member.ts'
import { history } from '../messages/history.ts'
import { post } from '../messages/post.ts'
import { readThread } from '../messages/read-threads.ts'
import { remove } from '../messages/delete.ts'
import { retime } from './retime.ts'
import { cancel, edit, list, schedule, sendDue, timedFigures } from './index.ts'

let database: TestDatabase
let chat: TestChat
let other: TestChat
let ctx: ChatContext
let [alice, bob] = ['', '']
let conversation = ''

beforeAll(async () => {
  database = await testDatabase()
  const masterKeys = [{ id: 'test', key: randomBytes(32) }]
  chat = await openTestChat(database.url, { masterKeys, settings: { scheduledMax: 3 } })
  // Another worker.
  other = await openTestChat(database.url, { masterKeys })
  ctx = chat.ctx
})
afterAll(async () => {
  await other.close()
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob] = (await makeUsers(ctx.pool, 2)) as [string, string]
  conversation = await makeConversation(ctx.pool, [alice, bob])
  chat.emitted.length = 0
})

const tomorrow = () => Date.now() + 86_400_000
const message = (text = 'later', more: object = {}) => ({
  conversation,
  clientId: randomUUID(),
  body: { text },
  at: tomorrow(),
  ...more,
})
const plan = (text?: string, more?: object, by = bob) => schedule(ctx, by, message(text, more))
const texts = async (by = alice) =>
  (await history(ctx, by, { conversation })).entries.flatMap(entry =>
    entry.event === 'message.new' ? [(entry.body as { text: string }).text] : [],
  )
/** As if it were that time now. */
const comes = (id: string) =>
  ctx.pool.query(
    `UPDATE scheduled_messages SET due_at = now() - interval '1 second', attempt_at = now() - interval '1 second' WHERE id = $1`,
    [id],
  )
/** As if it was due so many seconds ago. */
const cameBefore = (id: string, seconds: number) =>
  ctx.pool.query(
    `UPDATE scheduled_messages SET due_at = now() - $2 * interval '1 second', attempt_at = now() - interval '1 second' WHERE id = $1`,
    [id, seconds],
  )
/** As if the worker that has it had died so long ago. */
const leaseEnds = (id: string) => ctx.pool.query(`UPDATE scheduled_messages SET attempt_at = now() WHERE id = $1`, [id])
const mine = async (by = bob) => (await list(ctx, by, { limit: 50 })).scheduled
const told = () =>
  chat.emitted.flatMap(({ event, to }) => (event.event === 'scheduled.changed' ? [{ to, ...event }] : []))
const noticesOf = async (user: string): Promise<readonly Notification[]> =>
  (await listNotifications(ctx, user, { limit: 10 })).notifications
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code })

test('a message is kept sealed until its time, and only its sender and their devices know', async () => {
  const one = await plan('at nine', { replyTo: undefined })
  expect(one).toEqual({ id: one.id, conversation, body: { text: 'at nine' }, at: one.at, state: 'waiting' })
  expect(await mine()).toEqual([one])
  expect(await mine(alice)).toEqual([])
  expect(told()).toEqual([{ to: [bob], event: 'scheduled.changed', scheduled: one.id, message: one }])
  const { rows } = await ctx.pool.query<{ body: Buffer }>('SELECT body FROM scheduled_messages WHERE id = $1', [one.id])
  expect(rows[0]!.body.includes('nine')).toBe(false)
  expect(await sendDue(ctx, 10)).toEqual([])
  expect(await texts()).toEqual([])
})

test('scheduled once more with the same clientId it is the same, and so it is after it was sent', async () => {
  const input = message()
  const one = await schedule(ctx, bob, input)
  expect(await schedule(ctx, bob, { ...input, body: { text: 'other' } })).toEqual(one)
  expect(told()).toHaveLength(1)
  await comes(one.id)
  expect(await sendDue(ctx, 10)).toEqual(['sent'])
  await refused(schedule(ctx, bob, input), 'scheduled_unknown')
})

test('at its time it is posted as its sender, with its id as clientId, and gone from the list', async () => {
  const first = await post(ctx, alice, { conversation, clientId: randomUUID(), body: { text: 'what do you say?' } })
  const one = await plan('this', { replyTo: first.seq })
  await comes(one.id)
  chat.emitted.length = 0
  expect(await sendDue(ctx, 10)).toEqual(['sent'])
  const { entries } = await history(ctx, alice, { conversation })
  expect(entries.at(-1)).toMatchObject({ by: bob, clientId: one.id, body: { text: 'this' }, replyTo: first.seq })
  expect(await mine()).toEqual([])
  expect(told()).toEqual([{ to: [bob], event: 'scheduled.changed', scheduled: one.id }])
  expect(await sendDue(ctx, 10)).toEqual([])
})

test('into a thread: it is a reply there at its time, also shown in the conversation where that was asked', async () => {
  const { seq: thread } = await post(ctx, alice, { conversation, clientId: randomUUID(), body: { text: 'what?' } })
  const aside = await plan('this', { thread })
  const both = await plan('and that', { thread, alsoInConversation: true, replyTo: thread })
  expect(aside).toMatchObject({ thread, state: 'waiting' })
  expect(aside).not.toHaveProperty('alsoInConversation')
  expect(both).toMatchObject({ thread, alsoInConversation: true, replyTo: thread })
  expect(await mine()).toEqual([aside, both])
  expect(await edit(ctx, bob, { id: aside.id, body: { text: 'other' } })).toMatchObject({ thread })
  await comes(aside.id)
  expect(await sendDue(ctx, 10)).toEqual(['sent'])
  await comes(both.id)
  expect(await sendDue(ctx, 10)).toEqual(['sent'])
  const { root, messages } = await readThread(ctx, alice, { conversation, thread })
  expect(root.replies).toMatchObject({ count: 2, unread: 2 })
  expect(messages).toMatchObject([
    { by: bob, clientId: aside.id, body: { text: 'other' }, thread },
    { by: bob, clientId: both.id, thread, alsoInConversation: true, replyTo: thread },
  ])
  expect(messages[0]).not.toHaveProperty('alsoInConversation')
})

test('a thread whose message is gone by then takes no first reply, and one that has begun goes on', async () => {
  const says = async () =>
    (await post(ctx, alice, { conversation, clientId: randomUUID(), body: { text: 'what?' } })).seq
  const takeAway = (target: number) => remove(ctx, alice, { conversation, clientId: randomUUID(), target })
  const [empty, begun] = [await says(), await says()]
  await post(ctx, bob, { conversation, clientId: randomUUID(), body: { text: 'this' }, thread: begun })
  const [lost, going] = [await plan('lost', { thread: empty }), await plan('going', { thread: begun })]
  await takeAway(empty)
  await takeAway(begun)
  await comes(lost.id)
  expect(await sendDue(ctx, 10)).toEqual(['failed'])
  expect(await mine()).toMatchObject([
    { thread: empty, state: 'failed', failure: 'message_unknown' },
    { thread: begun, state: 'waiting' },
  ])
  expect(await noticesOf(bob)).toMatchObject([
    { kind: 'scheduled_failed', detail: { scheduled: lost.id, code: 'message_unknown' } },
  ])
  await comes(going.id)
  expect(await sendDue(ctx, 10)).toEqual(['sent'])
  // What would be refused now is not taken either.
  await refused(plan('x', { thread: empty }), 'message_unknown')
  expect(await plan('y', { thread: begun })).toMatchObject({ thread: begun })
})

test('what is due at the same time goes in the order of the times', async () => {
  const { seq } = await post(ctx, alice, { conversation, clientId: randomUUID(), body: { text: '0' } })
  // Of the first more has to be looked up.
  const all = [await plan('1', { replyTo: seq }), await plan('2'), await plan('3')]
  for (const [nth, { id }] of all.entries()) await cameBefore(id, 10 - nth)
  expect(await sendDue(ctx, 10)).toEqual(['sent', 'sent', 'sent'])
  expect(await texts()).toEqual(['0', '1', '2', '3'])
})

test('what comes after a message that a dead worker holds waits for it, and nothing else does', async () => {
  const [first, second] = [await plan('1'), await plan('2')]
  const elsewhere = await makeConversation(ctx.pool, [alice, bob])
  const apart = await plan('apart', { conversation: elsewhere })
  for (const [nth, { id }] of [first, second, apart].entries()) await cameBefore(id, 10 - nth)
  const held = `UPDATE scheduled_messages SET claimed_at = now(), attempt_count = 1, attempt_at = now() + interval '1 minute' WHERE id = $1`
  await ctx.pool.query(held, [first.id])
  expect(await sendDue(ctx, 10)).toEqual(['sent'])
  expect((await mine()).map(({ id }) => id)).toEqual([first.id, second.id])
  await leaseEnds(first.id)
  expect(await sendDue(ctx, 1)).toEqual(['sent', 'sent'])
  expect(await texts()).toEqual(['1', '2'])
})

test('what comes after a message that is tried again later waits as long, and goes when that one has failed', async () => {
  const [first, second] = [await plan('1'), await plan('2')]
  for (const [nth, { id }] of [first, second].entries()) await cameBefore(id, 10 - nth)
  const refusing = vi.spyOn(ctx.inserts, 'add').mockImplementation(() => {
    throw new Refusal('overloaded')
  })
  try {
    expect(await sendDue(ctx, 10)).toEqual(['later'])
  } finally {
    refusing.mockRestore()
  }
  await leaseEnds(second.id)
  expect(await sendDue(ctx, 10)).toEqual([])
  expect((await timedFigures(ctx)).lateMs.scheduled).toBeLessThan(1_000)
  await ctx.pool.query('UPDATE scheduled_messages SET reply_to = 1000, attempt_at = now() WHERE id = $1', [first.id])
  expect(await sendDue(ctx, 10)).toEqual(['failed', 'sent'])
  expect(await texts()).toEqual(['2'])
})

test('workers at once send what one person wants said there in its order', async () => {
  const count = 30
  const all = await Promise.all(
    Array.from({ length: count }, (_, nth) => schedule(other.ctx, bob, { ...message(`${nth}`) })),
  )
  for (const [nth, { id }] of all.entries()) await cameBefore(id, count - nth)
  const outcomes: string[] = []
  while (outcomes.length < count)
    outcomes.push(...(await Promise.all([ctx, other.ctx, ctx, other.ctx].map(one => sendDue(one, 5)))).flat())
  expect(outcomes).toEqual(all.map(() => 'sent'))
  expect(await texts()).toEqual(all.map((_, nth) => `${nth}`))
})

test('a worker that died after it had posted: the next finds the message there, and it is sent once', async () => {
  const one = await plan('once')
  await comes(one.id)
  // All that the first does before it dies.
  await ctx.pool.query('UPDATE scheduled_messages SET claimed_at = now(), attempt_count = 1 WHERE id = $1', [one.id])
  await post(other.ctx, bob, { conversation, clientId: one.id, body: { text: 'once' } })
  expect(await sendDue(ctx, 10)).toEqual(['sent'])
  expect(await texts()).toEqual(['once'])
  expect(await mine()).toEqual([])
})

test('the same, and its sender was suspended meanwhile: it was sent, and nobody is told otherwise', async () => {
  const one = await plan('once')
  await comes(one.id)
  await ctx.pool.query('UPDATE scheduled_messages SET claimed_at = now(), attempt_count = 1 WHERE id = $1', [one.id])
  await post(other.ctx, bob, { conversation, clientId: one.id, body: { text: 'once' } })
  await ctx.pool.query(`UPDATE users SET suspended_until = 'infinity' WHERE id = $1`, [bob])
  expect(await sendDue(ctx, 10)).toEqual(['sent'])
  expect(await noticesOf(bob)).toEqual([])
})

test('two workers at once send each message once', async () => {
  const all = await Promise.all(
    Array.from({ length: 40 }, (_, nth) => schedule(other.ctx, bob, { ...message(`m${nth}`), clientId: randomUUID() })),
  )
  for (const { id } of all) await comes(id)
  const outcomes = await Promise.all([
    sendDue(ctx, 30),
    sendDue(other.ctx, 30),
    sendDue(ctx, 30),
    sendDue(other.ctx, 30),
  ])
  const rest = await sendDue(ctx, 100)
  expect([...outcomes.flat(), ...rest]).toEqual(all.map(() => 'sent'))
  expect((await texts()).sort()).toEqual(all.map(one => textOf(one.body)).sort())
})

test('who was removed by then sends nothing, is told once, and keeps the text', async () => {
  const one = await plan('too late')
  await comes(one.id)
  await removeMember(ctx, alice, { conversation, user: bob })
  expect(await sendDue(ctx, 10)).toEqual(['failed'])
  expect(await texts()).toEqual([])
  expect(await mine()).toEqual([{ ...one, at: expect.any(Number), state: 'failed', failure: 'not_a_member' }])
  const detail = { scheduled: one.id, conversation, code: 'not_a_member' }
  expect(await noticesOf(bob)).toMatchObject([{ kind: 'scheduled_failed', detail, read: false }])
  expect(told().at(-1)).toMatchObject({ to: [bob], message: { state: 'failed', failure: 'not_a_member' } })
  expect(await sendDue(ctx, 10)).toEqual([])
  await cancel(ctx, bob, one.id)
  expect(await mine()).toEqual([])
})

test.each([
  ['blocked', 'blocked'],
  ['suspended', 'account_suspended'],
] as const)('who is %s by then sends nothing, and is told', async (what, code) => {
  conversation = await makeConversation(ctx.pool, [alice, bob], 'direct')
  const one = await plan('no more')
  await comes(one.id)
  if (what === 'blocked') {
    await ctx.pool.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)', [alice, bob])
    await ctx.pool.query('UPDATE conversations SET version = version + 1 WHERE id = $1', [conversation])
  } else await ctx.pool.query(`UPDATE users SET suspended_until = now() + interval '1 day' WHERE id = $1`, [bob])
  expect(await sendDue(ctx, 10)).toEqual(['failed'])
  expect(await noticesOf(bob)).toMatchObject([{ kind: 'scheduled_failed', detail: { code } }])
  expect((await history(ctx, alice, { conversation })).entries).toEqual([])
})

test('due while its sender is removed: it was sent before that, or it was not and they are told', async () => {
  for (let round = 0; round < 15; round++) {
    const [one] = await makeUsers(ctx.pool, 1)
    conversation = await makeConversation(ctx.pool, [alice, one!])
    const { id } = await plan('in time?', {}, one)
    await comes(id)
    const removing = removeMember(ctx, alice, { conversation, user: one! })
    const [outcomes] = await Promise.all([sendDue(other.ctx, 10), removing])
    const { entries } = await history(ctx, alice, { conversation })
    const posted = entries.findIndex(entry => entry.event === 'message.new')
    const removed = entries.findIndex(entry => entry.event === 'member.removed')
    if (outcomes[0] === 'sent') expect(posted).toBeLessThan(removed)
    expect({ outcomes, posted: posted >= 0, told: (await noticesOf(one!)).length }).toEqual(
      posted >= 0 ? { outcomes: ['sent'], posted: true, told: 0 } : { outcomes: ['failed'], posted: false, told: 1 },
    )
  }
})

test('cancel against send: what was cancelled is not sent, and what is sent was not cancelled', async () => {
  for (let round = 0; round < 25; round++) {
    const { id } = await plan(`round ${round}`)
    await comes(id)
    const cancelling = cancel(ctx, bob, id).then(
      () => 'cancelled',
      (error: { code: string }) => error.code,
    )
    const [outcome] = await Promise.all([cancelling, sendDue(other.ctx, 10)])
    expect(outcome === 'cancelled').toBe(!(await texts()).includes(`round ${round}`))
    expect(['cancelled', 'scheduled_unknown']).toContain(outcome)
  }
})

test('edit against send: what was sent is what was said last', async () => {
  for (let round = 0; round < 25; round++) {
    const { id } = await plan(`old ${round}`)
    await comes(id)
    const editing = edit(ctx, bob, { id, body: { text: `new ${round}` } }).then(
      () => 'new',
      () => 'old',
    )
    const [said] = await Promise.all([editing, sendDue(other.ctx, 10)])
    await sendDue(ctx, 10)
    expect((await texts()).at(-1)).toBe(`${said} ${round}`)
  }
})

test('once it is claimed, nobody edits or cancels it, though its worker has died', async () => {
  const one = await plan()
  await comes(one.id)
  await ctx.pool.query(
    `UPDATE scheduled_messages SET claimed_at = now(), attempt_count = 1, attempt_at = now() + interval '1 minute' WHERE id = $1`,
    [one.id],
  )
  expect(await mine()).toMatchObject([{ state: 'sending' }])
  await refused(cancel(ctx, bob, one.id), 'scheduled_unknown')
  await refused(edit(ctx, bob, { id: one.id, body: { text: 'x' } }), 'scheduled_unknown')
  expect(await sendDue(ctx, 10)).toEqual([])
  await leaseEnds(one.id)
  expect(await sendDue(ctx, 10)).toEqual(['sent'])
})

test('what passes is tried again later, and can be changed until then', async () => {
  const one = await plan('patient')
  await comes(one.id)
  const add = ctx.inserts.add
  ;(ctx.inserts as { add: typeof add }).add = () => {
    throw new Refusal('overloaded', undefined, { retryMs: 5_000 })
  }
  try {
    expect(await sendDue(ctx, 10)).toEqual(['later'])
  } finally {
    ;(ctx.inserts as { add: typeof add }).add = add
  }
  expect(await sendDue(ctx, 10)).toEqual([])
  expect(await mine()).toMatchObject([{ state: 'waiting' }])
  expect(await edit(ctx, bob, { id: one.id, body: { text: 'changed' } })).toMatchObject({ body: { text: 'changed' } })
  await leaseEnds(one.id)
  expect(await sendDue(ctx, 10)).toEqual(['sent'])
  expect(await texts()).toEqual(['changed'])
})

test('it is tried again after as long as it is late, whether or not it could be changed meanwhile', async () => {
  const one = await plan('patient')
  const clock = async () =>
    (await ctx.pool.query<{ ms: number }>('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms'))
      .rows[0]!.ms
  for (const [lateMs, waitMs] of [
    [0, 2_000],
    [8_000, 8_000],
    [60_000, 60_000],
    [3_600_000, 300_000],
  ] as const) {
    const setAt = await clock()
    await ctx.pool.query(
      `UPDATE scheduled_messages SET due_at = now() - $2 * interval '1 millisecond', attempt_at = now() WHERE id = $1`,
      [one.id, lateMs],
    )
    const before = await clock()
    const refusing = vi.spyOn(ctx.inserts, 'add').mockImplementation(() => {
      throw new Refusal('overloaded')
    })
    try {
      expect(await sendDue(ctx, 10)).toEqual(['later'])
    } finally {
      refusing.mockRestore()
    }
    const { rows } = await ctx.pool.query<{ ms: number }>(
      'SELECT (extract(epoch FROM attempt_at) * 1000)::float8 AS ms FROM scheduled_messages WHERE id = $1',
      [one.id],
    )
    const after = await clock()
    expect(rows[0]!.ms - before).toBeGreaterThanOrEqual(waitMs)
    // By then it is so much later, at most.
    expect(rows[0]!.ms - after).toBeLessThanOrEqual(waitMs + after - setAt)
  }
  await cancel(ctx, bob, one.id)
})

test('one that failed is scheduled anew by another time', async () => {
  const one = await plan('second try')
  await comes(one.id)
  await ctx.pool.query(`UPDATE users SET suspended_until = now() + interval '1 day' WHERE id = $1`, [bob])
  expect(await sendDue(ctx, 10)).toEqual(['failed'])
  await ctx.pool.query('UPDATE users SET suspended_until = NULL WHERE id = $1', [bob])
  const again = await edit(ctx, bob, { id: one.id, at: tomorrow() })
  expect(again).toEqual({ ...one, at: again.at, state: 'waiting' })
  await comes(one.id)
  expect(await sendDue(ctx, 10)).toEqual(['sent'])
})

test.each([
  // The clock of the store is known as well as it was asked.
  ['a minute ago', () => ({ at: Date.now() - 60_000 }), 'field_invalid'],
  ['in two years', () => ({ at: Date.now() + 2 * 366 * 86_400_000 }), 'field_invalid'],
  ['at no time', () => ({ at: undefined }), 'field_invalid'],
  ['at two times', () => ({ local: { time: '2027-01-01T09:00', zone: 'UTC' } }), 'field_invalid'],
  ['in no zone', () => ({ at: undefined, local: { time: '2027-01-01T09:00', zone: '+02:00' } }), 'field_invalid'],
  ['to nobody', () => ({ conversation: randomUUID() }), 'conversation_unknown'],
  ['in answer to nothing', () => ({ replyTo: 99 }), 'message_unknown'],
  ['in a thread of nothing', () => ({ thread: 99 }), 'message_unknown'],
  ['in the conversation as well, without a thread', () => ({ alsoInConversation: true }), 'field_invalid'],
  ['saying nothing', () => ({ body: { text: ' ' } }), 'field_invalid'],
] as const)('%s nothing is scheduled', async (_when, more, code) => {
  await refused(plan('x', more()), code)
  expect(await mine()).toEqual([])
})

test('one person schedules so many, at whatever moment', async () => {
  const all = await Promise.allSettled(Array.from({ length: 6 }, () => plan()))
  expect(all.filter(one => one.status === 'fulfilled')).toHaveLength(3)
  await refused(plan(), 'limit_reached')
  const { scheduled, next } = await list(ctx, bob, { limit: 2 })
  const rest = await list(ctx, bob, { limit: 2, after: next })
  expect([...scheduled, ...rest.scheduled]).toEqual(await mine())
  expect((await list(ctx, bob, { limit: 9, conversation: randomUUID() })).scheduled).toEqual([])
})

test('by the clock of a place: when the rules of its zone change, it is sent by the new ones', async () => {
  const day = new Date(tomorrow()).toISOString().slice(0, 10)
  const local = { time: `${day}T09:00`, zone: 'Europe/Berlin' }
  const at = momentOf(local.time, local.zone)!
  const one = await plan('nine', { at: undefined, local })
  expect(one).toMatchObject({ at, local })
  // By the rules of before, Berlin was an hour behind.
  const before = () =>
    ctx.pool.query(
      `UPDATE scheduled_messages SET rules = '2001a', due_at = due_at - interval '1 hour', attempt_at = attempt_at - interval '1 hour' WHERE id = $1`,
      [one.id],
    )
  await before()
  chat.emitted.length = 0
  await retime(ctx)
  expect(await mine()).toEqual([one])
  expect(told()).toMatchObject([{ message: { at } }])
  const { rows } = await ctx.pool.query('SELECT rules FROM scheduled_messages WHERE id = $1', [one.id])
  expect(rows).toEqual([{ rules: zoneRules }])
  // The older of two workers takes nothing back.
  await ctx.pool.query(
    `UPDATE scheduled_messages SET rules = '9999z', due_at = due_at + interval '1 hour' WHERE id = $1`,
    [one.id],
  )
  await retime(ctx)
  expect(await mine()).toMatchObject([{ at: at + 3_600_000 }])
  // Due by the old rules, and nobody has reckoned it anew: it waits.
  await ctx.pool.query(`UPDATE scheduled_messages SET rules = '2001a', attempt_at = now() WHERE id = $1`, [one.id])
  expect(await sendDue(ctx, 10)).toEqual(['later'])
  expect(await mine()).toEqual([one])
  expect(await texts()).toEqual([])
})

test('the figures tell how late what is longest due is', async () => {
  const one = await plan()
  await ctx.pool.query(`UPDATE scheduled_messages SET attempt_at = now() - interval '1 minute' WHERE id = $1`, [one.id])
  const { lateMs } = await timedFigures(ctx)
  expect(lateMs.scheduled).toBeGreaterThanOrEqual(60_000)
  expect(lateMs).toMatchObject({ reminders: 0, expiring: 0 })
  await cancel(ctx, bob, one.id)
})
