import { createHash, randomUUID } from 'node:crypto'
import {
  makeConversation,
  makeSessions,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { chatDefaults, type ChatContext } from '../context.ts'
import { changeSettings } from '../log/conversations/settings.ts'
import { post, unfollowThread } from '../log/messages/index.ts'
import { note } from '../log/offline/index.ts'
import { delivered } from '../log/receipts/index.ts'
import { answered, claim, type Delivery, list, listDead, prepare, putBack, retry, sweep } from './index.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
/** Writes. */
let alice: string
/** Is away, with one device. */
let bob: string
let session: string
let device: string
let conversation: string

/** Long enough that nothing of a test happens by itself, on a machine that stands still too; `pass` makes time go by. */
const [delayMs, windowMs, retryMs] = [120_000, 1_200_000, 120_000]
/** What is not yet is looked for so long before its time. */
const marginMs = 60_000

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, {
    presumedAbsent: users => users,
    settings: {
      receiptWindowMs: 1,
      pushDelayMs: delayMs,
      pushCollapseMs: windowMs,
      pushAttemptsMax: 3,
      pushRetryMs: { first: retryMs, max: 10 * retryMs },
    },
  })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  await ctx.pool.query('TRUNCATE pushes, push_deliveries, offline_messages')
  ;[alice, bob] = (await makeUsers(ctx.pool, 2)) as [string, string]
  conversation = await makeConversation(ctx.pool, [alice, bob], 'direct')
  session = (await makeSessions(ctx.pool, [bob]))[0]!
  device = await addDevice(bob, session)
})

async function addDevice(user: string, session: string, provider = 'fcm'): Promise<string> {
  const id = randomUUID()
  const hash = createHash('sha256').update(id).digest()
  await ctx.pool.query(
    `INSERT INTO devices (id, user_id, session_id, name, platform, provider, token, token_hash)
     VALUES ($1, $2, $3, 'phone', 'android', $4, $5, $6)`,
    [id, user, session, provider, `token-${id}`, hash],
  )
  return id
}

const say = (by = alice, to = conversation) =>
  post(ctx, by, { conversation: to, clientId: randomUUID(), body: { text: 'a secret' } })

/** Makes so much time go by for everything that push waits for. */
const pass = async (ms: number) => {
  const past = (column: string) => `${column} = ${column} - ${ms} * interval '1 millisecond'`
  await ctx.pool.query(`UPDATE pushes SET ${past('due_at')}, ${past('pushed_at')}`)
  await ctx.pool.query(`UPDATE push_deliveries SET ${past('due_at')}, ${past('claimed_until')}, ${past('finished_at')}`)
}
const fcm = ['fcm'] as const
const prepareAll = () => prepare(ctx, { max: 100, providers: fcm })
const claimAll = () => claim(ctx, { provider: 'fcm', max: 100 })
const sent = (delivery: Delivery) => answered(ctx, delivery, { answer: 'sent', id: 'm1' }, 0.5)

/** From what was said to what is to be sent. */
async function gather(): Promise<readonly Delivery[]> {
  await sweep(ctx, 1_000)
  await pass(delayMs)
  await prepareAll()
  return (await claimAll()).deliveries
}
const states = async () => (await list(ctx, {}, { limit: 100 })).pushes.map(push => push.state).sort()
const reasons = async () =>
  (await list(ctx, {}, { limit: 100 })).pushes.map(push => push.attempts.at(-1)?.reason ?? push.attempts.at(-1)?.answer)

describe('what a push says', () => {
  test('it names who wrote and counts, and never holds what was written', async () => {
    await say()
    await say()
    const [delivery] = await gather()
    expect(delivery!.content).toEqual({
      conversation,
      uptoSeq: 2,
      kind: 'message',
      count: 2,
      badge: 2,
      names: { senders: [expect.stringMatching(/^Person/)] },
    })
    expect(delivery!.target).toMatchObject({ device, token: `token-${device}` })
    expect(JSON.stringify(delivery)).not.toContain('secret')
  })

  test('of a thread only those hear who follow it, whoever is owed the message', async () => {
    const { seq: thread } = await say()
    await delivered(ctx, bob, { conversation, seq: thread })
    const reply = { conversation, body: { text: 'aside' }, thread }
    const { seq } = await post(ctx, alice, { ...reply, clientId: randomUUID() })
    // A node that could not deliver it writes it down for everybody.
    await note(ctx, [{ user: bob, conversation, seq }])
    expect(await gather()).toEqual([])
    expect((await ctx.pool.query('SELECT FROM pushes WHERE user_id = $1', [bob])).rowCount).toBe(0)
    await post(ctx, alice, { ...reply, clientId: randomUUID(), body: { text: 'you', mentions: [bob] } })
    const [delivery] = await gather()
    expect(delivery!.content).toMatchObject({ uptoSeq: seq + 1, count: 2, badge: 2 })
    await sent(delivery!)
    // Whoever unfollows while a push waits is not pushed.
    await post(ctx, alice, { ...reply, clientId: randomUUID() })
    await sweep(ctx, 1_000)
    await unfollowThread(ctx, bob, { conversation, thread })
    await pass(2 * windowMs)
    await prepareAll()
    expect((await claimAll()).deliveries).toEqual([])
  })

  test('who is told of mentions alone is pushed what comes in their threads too, and nothing where they want nothing', async () => {
    const group = await makeConversation(ctx.pool, [alice, bob])
    const reply = (more: object = {}) =>
      post(ctx, alice, { conversation: group, clientId: randomUUID(), body: { text: 'x' }, thread: 1, ...more })
    const notify = (notify: 'mentions' | 'nothing') => changeSettings(ctx, bob, { conversation: group, notify })
    await say(bob, group)
    await notify('mentions')
    await say(alice, group)
    expect(await gather()).toEqual([])
    const { seq } = await reply()
    await pass(2 * windowMs)
    const [delivery] = await gather()
    expect(delivery!.content).toMatchObject({ uptoSeq: seq, kind: 'reply', thread: 1, count: 1, badge: 1 })
    await sent(delivery!)
    await pass(2 * windowMs)
    await reply({ alsoInConversation: true })
    // Of what is shown in the conversation too that is told.
    const [next] = await gather()
    expect(next!.content).toMatchObject({ kind: 'message', count: 2, badge: 2 })
    expect(next!.content).not.toHaveProperty('thread')
    await sent(next!)
    await pass(2 * windowMs)
    await notify('nothing')
    await reply()
    expect(await gather()).toEqual([])
  })

  test('of a group its name and the latest who wrote', async () => {
    const [carol] = (await makeUsers(ctx.pool, 1)) as [string]
    const group = await makeConversation(ctx.pool, [alice, bob, carol])
    await ctx.pool.query(
      `UPDATE users SET display_name = CASE id WHEN $1 THEN 'Alice' ELSE 'Carol' END WHERE id IN ($1, $2)`,
      [alice, carol],
    )
    await say(alice, group)
    await say(carol, group)
    const [delivery] = await gather()
    expect(delivery!.content).toMatchObject({ count: 2, names: { senders: ['Carol', 'Alice'], group: 'Group' } })
  })

  test('it names nobody when the person does not want that, or the deployment', async () => {
    await ctx.pool.query('UPDATE users SET push_names = false WHERE id = $1', [bob])
    await say()
    expect((await gather())[0]!.content).not.toHaveProperty('names')
    await ctx.pool.query('UPDATE users SET push_names = true WHERE id = $1', [bob])
    await pass(3 * windowMs)
    const [delivery] = (
      await claim({ ...ctx, settings: { ...ctx.settings, pushNames: false } }, { provider: 'fcm', max: 1 })
    ).deliveries
    expect(delivery!.content).not.toHaveProperty('names')
  })
})

describe('who is pushed', () => {
  test('everybody who is away, on each of their devices, and not who wrote it', async () => {
    const second = await addDevice(bob, session)
    await addDevice(alice, (await makeSessions(ctx.pool, [alice]))[0]!)
    await say()
    expect((await gather()).map(one => one.target.device).sort()).toEqual([device, second].sort())
    expect((await ctx.pool.query('SELECT user_id FROM pushes')).rows).toEqual([{ user_id: bob }])
  })

  test.each([
    ['nobody without a device', 'DELETE FROM devices WHERE user_id = $1'],
    ['nobody whose session has ended', 'UPDATE sessions SET revoked_at = now() WHERE user_id = $1'],
    ['nobody whose session has expired', 'UPDATE sessions SET expires_at = now() WHERE user_id = $1'],
  ])('%s: what waits is looked at once and no row is kept', async (_who, change) => {
    await ctx.pool.query(change, [bob])
    await say()
    expect(await sweep(ctx, 100)).toBe(2)
    expect(await sweep(ctx, 100)).toBe(0)
    expect((await ctx.pool.query('SELECT FROM pushes')).rowCount).toBe(0)
  })

  const changes: [string, string, string][] = [
    ['who has left', 'not_a_member', 'DELETE FROM members WHERE user_id = $1'],
    [
      'who has muted the conversation',
      'muted',
      `UPDATE members SET muted_until = now() + interval '1 hour' WHERE user_id = $1`,
    ],
    ['who has had it elsewhere', 'nothing_waits', 'UPDATE members SET delivered_seq = 1 WHERE user_id = $1'],
    [
      'who has blocked the sender',
      'nothing_waits',
      'INSERT INTO blocks (user_id, blocked_id) SELECT $1, user_id FROM members WHERE user_id <> $1 AND conversation_id IN (SELECT conversation_id FROM members WHERE user_id = $1)',
    ],
    ['whose account is gone', 'erased', 'UPDATE users SET erased_at = now() WHERE id = $1'],
    ['whose session has ended', 'no_device', 'UPDATE sessions SET revoked_at = now() WHERE user_id = $1'],
  ]
  test.each(changes)('not %s (%s) after it was looked at', async (_who, _reason, change) => {
    await say()
    await sweep(ctx, 100)
    await pass(delayMs)
    await ctx.pool.query(change, [bob])
    expect(await prepareAll()).toEqual({ looked: 1, deliveries: 0 })
    expect(await prepareAll()).toEqual({ looked: 0, deliveries: 0 })
  })

  test.each(changes)('not %s in the moment before it is sent: skipped, %s', async (_who, reason, change) => {
    await say()
    await sweep(ctx, 100)
    await pass(delayMs)
    expect(await prepareAll()).toEqual({ looked: 1, deliveries: 1 })
    await ctx.pool.query(change, [bob])
    expect(await claimAll()).toEqual({ deliveries: [], unsent: ['skipped'], looked: 1 })
    expect(await states()).toEqual(['skipped'])
    expect(await reasons()).toEqual([reason])
  })

  test('what was delivered by a receipt is not pushed', async () => {
    const { seq } = await say()
    await sweep(ctx, 100)
    await delivered(ctx, bob, { conversation, seq })
    await pass(delayMs)
    expect(await prepareAll()).toEqual({ looked: 1, deliveries: 0 })
  })

  test('in a group only messages of those who are not blocked count', async () => {
    const [carol] = (await makeUsers(ctx.pool, 1)) as [string]
    const group = await makeConversation(ctx.pool, [alice, bob, carol])
    await ctx.pool.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)', [bob, carol])
    await say(carol, group)
    await say(alice, group)
    expect((await gather())[0]!.content).toMatchObject({ count: 1, names: { senders: [expect.any(String)] } })
  })

  test('quiet hours put a push off until their end, also one that was prepared before they began', async () => {
    await say()
    await sweep(ctx, 100)
    await pass(delayMs)
    await prepareAll()
    const now = new Date()
    const minutes = now.getUTCHours() * 60 + now.getUTCMinutes()
    await ctx.pool.query(`UPDATE users SET quiet_from = $2, quiet_until = $3, quiet_zone = 'UTC' WHERE id = $1`, [
      bob,
      (minutes + 1_438) % 1_440,
      (minutes + 60) % 1_440,
    ])
    expect(await claimAll()).toMatchObject({ deliveries: [], looked: 1 })
    const [traced] = (await list(ctx, {}, { limit: 1 })).pushes
    expect(traced).toMatchObject({ state: 'waiting', attempts: [] })
    expect(traced!.dueAt! - Date.now()).toBeGreaterThan(58 * 60_000)

    await say()
    await sweep(ctx, 100)
    await pass(windowMs)
    expect(await prepareAll()).toEqual({ looked: 1, deliveries: 0 })
    await pass(61 * 60_000)
    await ctx.pool.query('UPDATE users SET quiet_from = NULL, quiet_until = NULL, quiet_zone = NULL')
    expect(await prepareAll()).toEqual({ looked: 1, deliveries: 1 })
  })
})

describe('the collapse window', () => {
  test('nothing is pushed before somebody had the time to reconnect', async () => {
    await say()
    await sweep(ctx, 100)
    expect(await prepareAll()).toMatchObject({ looked: 0 })
    await pass(delayMs)
    expect(await prepareAll()).toMatchObject({ looked: 1 })
  })

  test('what comes meanwhile is gathered into one push after it', async () => {
    await say()
    await sent((await gather())[0]!)
    await say()
    await say()
    expect(await gather()).toEqual([])
    expect(await states()).toEqual(['sent'])
    await pass(windowMs - delayMs - marginMs)
    expect(await prepareAll()).toMatchObject({ looked: 0 })
    await pass(marginMs)
    await prepareAll()
    const [second] = (await claimAll()).deliveries
    expect(second!.content).toMatchObject({ uptoSeq: 3, count: 3 })
    const { pushes } = await list(ctx, { state: 'sent' }, { limit: 10 })
    expect(pushes).toMatchObject([{ fromSeq: 1, uptoSeq: 1 }])
  })

  test('what was sent late counts from when it was sent', async () => {
    await say()
    const [first] = await gather()
    await pass(windowMs - marginMs)
    await sent(first!)
    await say()
    await gather()
    await pass(windowMs - delayMs - marginMs)
    await prepareAll()
    expect((await claimAll()).looked).toBe(0)
    await pass(2 * marginMs)
    expect((await claimAll()).deliveries).toHaveLength(1)
  })

  test('what joins a push that is under way comes as one of its own after the window', async () => {
    await say()
    const [first] = await gather()
    await say()
    await sweep(ctx, 100)
    await pass(windowMs)
    expect(await prepareAll()).toEqual({ looked: 1, deliveries: 1 })
    await sent(first!)
    expect(await states()).toEqual(['sent', 'waiting'])
    expect((await claimAll()).looked).toBe(0)
    await pass(windowMs)
    const [second] = (await claimAll()).deliveries
    expect(second!.content).toMatchObject({ uptoSeq: 2 })
    expect((await list(ctx, { state: 'waiting' }, { limit: 1 })).pushes).toMatchObject([{ fromSeq: 2, uptoSeq: 2 }])
  })

  test('an answer that nobody got is repeated after the window, not before', async () => {
    await say()
    const [first] = await gather()
    expect(await answered(ctx, first!, { answer: 'unclear', reason: 'timeout' }, 0)).toBe('waiting')
    await pass(windowMs)
    expect((await claimAll()).looked).toBe(0)
    await pass(retryMs)
    expect((await claimAll()).deliveries).toMatchObject([{ id: first!.id, attempt: 2 }])
  })

  test('the push of a worker that died is taken by another after two sends and the window', async () => {
    await say()
    const [first] = await gather()
    const leaseMs = windowMs + 2 * chatDefaults.pushSendMs
    await pass(leaseMs - marginMs)
    expect((await claimAll()).looked).toBe(0)
    await pass(marginMs)
    const [again] = (await claimAll()).deliveries
    expect(again).toMatchObject({ id: first!.id, attempt: 2 })
    // The first one comes back to life: it has no say any more.
    expect(await sent(first!)).toBeUndefined()
    expect(await sent(again!)).toBe('sent')
    expect((await list(ctx, {}, { limit: 1 })).pushes[0]!.attempts.map(one => one.answer)).toEqual([
      'unanswered',
      'sent',
    ])
  })

  test('conversations do not wait for each other', async () => {
    const other = await makeConversation(ctx.pool, [alice, bob])
    await say()
    await sent((await gather())[0]!)
    await say(alice, other)
    expect((await gather()).map(one => one.content.conversation)).toEqual([other])
  })
})

describe('what a service answers', () => {
  test('a dead token costs the device, but not one that has a new token by now', async () => {
    await say()
    const [delivery] = await gather()
    await ctx.pool.query(`UPDATE devices SET token_hash = '\\x01' WHERE id = $1`, [device])
    expect(await answered(ctx, delivery!, { answer: 'gone', status: 404, reason: 'UNREGISTERED' }, 0)).toBe('gone')
    expect((await ctx.pool.query('SELECT FROM devices WHERE id = $1', [device])).rowCount).toBe(1)

    await say()
    await gather()
    await pass(windowMs)
    await prepareAll()
    const [next] = (await claimAll()).deliveries
    expect(await answered(ctx, next!, { answer: 'gone', status: 410, reason: 'HTTP 410' }, 0)).toBe('gone')
    expect((await ctx.pool.query('SELECT FROM devices WHERE id = $1', [device])).rowCount).toBe(0)
  })

  test('a refusal is the end at once; what may be tried again is, with longer pauses, until it is enough', async () => {
    await say()
    const [delivery] = await gather()
    let current = delivery!
    for (const waitMs of [retryMs / 2, retryMs]) {
      expect(await answered(ctx, current, { answer: 'later', status: 500, reason: 'INTERNAL' }, 0)).toBe('waiting')
      await pass(waitMs - marginMs / 2)
      expect((await claimAll()).looked).toBe(0)
      await pass(marginMs / 2)
      current = (await claimAll()).deliveries[0]!
    }
    expect(await answered(ctx, current, { answer: 'later', status: 500, reason: 'INTERNAL' }, 0)).toBe('dead')

    await say()
    await sweep(ctx, 100)
    await pass(windowMs)
    await prepareAll()
    const [second] = (await claimAll()).deliveries
    expect(await answered(ctx, second!, { answer: 'refused', status: 400, reason: 'INVALID_ARGUMENT' }, 0)).toBe('dead')
    expect((await listDead(ctx, { limit: 10 })).pushes).toHaveLength(2)
  })

  test('it is not tried before the service wants it', async () => {
    await say()
    const [delivery] = await gather()
    await answered(ctx, delivery!, { answer: 'later', status: 429, reason: 'QUOTA_EXCEEDED', retryMs: 600_000 }, 0)
    await pass(600_000 - marginMs)
    expect((await claimAll()).looked).toBe(0)
    await pass(marginMs)
    expect((await claimAll()).looked).toBe(1)
  })

  test('what is given back was no attempt', async () => {
    await say()
    const [delivery] = await gather()
    await putBack(ctx, delivery!, 5_000)
    await pass(5_000)
    expect((await claimAll()).deliveries).toMatchObject([{ id: delivery!.id, attempt: 1 }])
  })
})

describe('workers side by side', () => {
  test.each([
    ['entries', 'offline_messages', () => sweep(ctx, 10)],
    ['pushes', 'pushes', async () => (await prepareAll()).looked],
    ['deliveries', 'push_deliveries', async () => (await claimAll()).looked],
  ])('what one has in hand, the others pass over without waiting: %s', async (_what, table, take) => {
    const other = await makeConversation(ctx.pool, [alice, bob])
    await say()
    await say(alice, other)
    await ctx.pool.query('DELETE FROM offline_messages WHERE user_id = $1', [alice])
    if (table !== 'offline_messages') await sweep(ctx, 10)
    await pass(delayMs)
    if (table === 'push_deliveries') await prepareAll()
    const client = await ctx.pool.connect()
    try {
      await client.query('BEGIN')
      await client.query(`SELECT FROM ${table} WHERE conversation_id = $1 FOR UPDATE`, [other])
      expect(await take()).toBe(1)
    } finally {
      await client.query('ROLLBACK')
      client.release()
    }
    expect(await take()).toBe(1)
  })

  test('look at each entry once, prepare each push once, and claim each delivery once', async () => {
    const people = await makeUsers(ctx.pool, 40)
    const sessions = await makeSessions(ctx.pool, people)
    for (const [n, person] of people.entries()) await addDevice(person, sessions[n]!)
    const group = await makeConversation(ctx.pool, [alice, ...people])
    await say(alice, group)
    await say(alice, group)
    const looked = await Promise.all(Array.from({ length: 4 }, () => sweep(ctx, 30)))
    const rest = await sweep(ctx, 1_000)
    expect(looked.reduce((sum, one) => sum + one, rest)).toBe(82)
    await pass(delayMs)
    const prepared = await Promise.all(Array.from({ length: 4 }, () => prepare(ctx, { max: 20, providers: fcm })))
    await prepareAll()
    expect((await list(ctx, {}, { limit: 100 })).pushes).toHaveLength(40)
    expect(prepared.every(one => one.looked <= 20)).toBe(true)
    const claims = await Promise.all(Array.from({ length: 4 }, () => claim(ctx, { provider: 'fcm', max: 15 })))
    const ids = [...claims, await claimAll()].flatMap(one => one.deliveries.map(delivery => delivery.id))
    expect(new Set(ids).size).toBe(40)
    expect(ids).toHaveLength(40)
  })
})

describe('for operators', () => {
  test('pushes are listed by person, conversation and state, page by page, each with its trace', async () => {
    const other = await makeConversation(ctx.pool, [alice, bob])
    await say()
    await say(alice, other)
    for (const delivery of await gather()) await sent(delivery)
    const { pushes, next } = await list(ctx, { user: bob }, { limit: 1 })
    expect(pushes).toMatchObject([
      {
        user: bob,
        device,
        provider: 'fcm',
        fromSeq: 1,
        uptoSeq: 1,
        state: 'sent',
        attempts: [{ at: expect.any(Number), answer: 'sent', id: 'm1' }],
      },
    ])
    const rest = await list(ctx, { user: bob }, { limit: 1, after: next })
    expect(rest.pushes).toHaveLength(1)
    expect(rest.next).toBeUndefined()
    expect(rest.pushes[0]!.id).not.toBe(pushes[0]!.id)
    expect((await list(ctx, { conversation: other }, { limit: 9 })).pushes).toMatchObject([{ conversation: other }])
    expect((await list(ctx, { user: alice }, { limit: 9 })).pushes).toEqual([])
    expect((await list(ctx, { state: 'dead' }, { limit: 9 })).pushes).toEqual([])
    await expect(list(ctx, {}, { limit: 1, after: 'x' })).rejects.toMatchObject({ code: 'field_invalid' })
  })

  test('a dead push can be tried again; where a newer one waits, that one says it all', async () => {
    const kill = async (delivery: Delivery) => answered(ctx, delivery, { answer: 'refused', reason: 'X' }, 0)
    await say()
    const [first] = await gather()
    await kill(first!)
    await retry(ctx, first!.id)
    await pass(windowMs)
    const [again] = (await claimAll()).deliveries
    expect(again).toMatchObject({ id: first!.id, attempt: 1 })
    await kill(again!)

    await say()
    await sweep(ctx, 100)
    await pass(windowMs)
    await prepareAll()
    await retry(ctx, first!.id)
    expect(await states()).toEqual(['superseded', 'waiting'])
    await expect(retry(ctx, first!.id)).rejects.toMatchObject({ code: 'push_unknown' })
    await expect(retry(ctx, randomUUID())).rejects.toMatchObject({ code: 'push_unknown' })
  })
})
