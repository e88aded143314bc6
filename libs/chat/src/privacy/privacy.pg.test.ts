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
import type { QueryConfig } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { block, unblock } from '../people/blocks/index.ts'
import { accept, remove, request } from '../people/contacts/index.ts'
import type { ChatContext } from '../context.ts'
import { members } from '../log/conversations/members.ts'
import { post } from '../log/messages/index.ts'
import { delivered, read } from '../log/receipts/index.ts'
import { tell as tellTyping } from '../log/typing/index.ts'
import { audience, visible } from './index.ts'
import { createRestrictions, unrestricted } from '../users/restrictions.ts'

const masterKeys = [{ id: 'test', key: randomBytes(32) }]
let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob, carol] = ['', '', '']

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { masterKeys, settings: { receiptWindowMs: 5, pulseMs: 30 } })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob, carol] = (await makeUsers(ctx.pool, 3)) as [string, string, string]
  chat.emitted.length = 0
})

/** As the settings of a person do it. */
const set = (user: string, column: string, to: number) =>
  ctx.pool.query(`UPDATE users SET ${column} = $2, hidden_at = clock_timestamp() WHERE id = $1`, [user, to])
async function befriend(one: string, other: string) {
  const asked = await request(ctx, one, { user: other })
  await accept(ctx, other, 'request' in asked ? asked.request.id : '')
  chat.emitted.length = 0
}

describe('what somebody shows', () => {
  test.each([
    ['last_seen', 'last_seen_to'],
    ['read_receipts', 'read_receipts_to'],
    ['found_by_email', 'found_by_email_to'],
  ] as const)('%s is seen by everyone, by contacts, or by nobody', async (what, column) => {
    await befriend(alice, carol)
    const seen = async () => [
      await visible(ctx, bob, [alice], what),
      await visible(ctx, carol, [alice], what),
      await audience(ctx, alice, [bob, carol], what),
    ]
    await set(alice, column, 1)
    expect(await seen()).toEqual([new Set([alice]), new Set([alice]), new Set([bob, carol])])
    await set(alice, column, 2)
    expect(await seen()).toEqual([new Set(), new Set([alice]), new Set([carol])])
    await set(alice, column, 3)
    expect(await seen()).toEqual([new Set(), new Set(), new Set()])
    expect(await visible(ctx, alice, [alice], what)).toEqual(new Set([alice]))
    expect(await audience(ctx, alice, [alice], what)).toEqual(new Set([alice]))
  })

  test('a block in either direction hides it', async () => {
    await block(ctx, alice, bob)
    for (const [one, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      expect(await visible(ctx, one, [other, carol], 'last_seen')).toEqual(new Set([carol]))
      expect(await audience(ctx, one, [other, carol], 'last_seen')).toEqual(new Set([carol]))
    }
  })

  test('nobody and the erased show nothing', async () => {
    await ctx.pool.query('UPDATE users SET erased_at = now() WHERE id = $1', [bob])
    expect(await visible(ctx, alice, [bob, randomUUID()], 'last_seen')).toEqual(new Set())
    expect(await audience(ctx, bob, [alice], 'last_seen')).toEqual(new Set())
  })
})

describe('receipts', () => {
  type Told = Readonly<Record<string, readonly string[]>>
  /** Alice writes, the others read: so much is told of Bob. */
  async function readBy(kind: 'direct' | 'group', expected: Told, verb = read): Promise<void> {
    const people = kind === 'direct' ? [alice, bob] : [alice, bob, carol]
    const conversation = await makeConversation(ctx.pool, people, kind)
    const { seq } = await post(ctx, alice, { conversation, clientId: randomUUID(), body: { text: 'hi' } })
    chat.emitted.length = 0
    await noted(conversation, seq, expected, verb)
  }
  async function noted(conversation: string, seq: number, expected: Told, verb = read) {
    const told = () =>
      Object.fromEntries(chat.emitted.map(({ to, event }) => [event.event, [...(to as string[])].sort()]))
    await verb(ctx, bob, { conversation, seq })
    // Those that are asked about are told a moment later, and nobody else after them.
    await until(() => isDeepStrictEqual(told(), expected), { what: `it is told to ${JSON.stringify(expected)}` }).catch(
      () => {},
    )
    await new Promise(resolve => setTimeout(resolve, Object.keys(expected).length === 0 ? 1_000 : 50))
    expect(told()).toEqual(expected)
    for (const { event } of chat.emitted) expect(event).toMatchObject({ conversation, user: bob, seq })
  }
  const sorted = (...users: string[]) => users.sort()

  test('of somebody who keeps nothing back go to everybody', async () => {
    await readBy('group', { 'message.read': sorted(alice, bob, carol) })
    await readBy('group', { 'message.delivered': sorted(alice, carol) }, delivered)
  })

  test('that are shown to nobody are told as delivered; one’s own devices know', async () => {
    await set(bob, 'read_receipts_to', 3)
    await readBy('group', { 'message.read': [bob], 'message.delivered': sorted(alice, carol) })
    await readBy('direct', { 'message.read': [bob], 'message.delivered': [alice] })
    await readBy('group', { 'message.delivered': sorted(alice, carol) }, delivered)
  })

  test('that are shown to contacts go to those, by what holds in that moment', async () => {
    await set(bob, 'read_receipts_to', 2)
    await befriend(bob, carol)
    await readBy('group', { 'message.read': sorted(bob, carol), 'message.delivered': [alice] })
    await befriend(bob, alice)
    await readBy('group', { 'message.read': sorted(alice, bob, carol) })
    await remove(ctx, carol, bob)
    await readBy('group', { 'message.read': sorted(alice, bob), 'message.delivered': [carol] })
  })

  test('of an arrival go to those who see when somebody is here: an arrival would tell', async () => {
    await set(bob, 'last_seen_to', 3)
    await readBy('direct', {}, delivered)
    await readBy('group', {}, delivered)
    // What is read is shown by a setting of its own.
    await readBy('group', { 'message.read': sorted(alice, bob, carol) })
    await set(bob, 'read_receipts_to', 3)
    ctx.restrictions.forget([bob])
    await readBy('group', { 'message.read': [bob] })
    await set(bob, 'last_seen_to', 2)
    ctx.restrictions.forget([bob])
    await befriend(bob, carol)
    await readBy('group', { 'message.delivered': [carol] }, delivered)
    await readBy('group', { 'message.read': [bob], 'message.delivered': [carol] })
  })

  test('do not cross a block, neither in the direct conversation nor in a group', async () => {
    const conversation = await makeConversation(ctx.pool, [alice, bob], 'direct')
    const { seq } = await post(ctx, alice, { conversation, clientId: randomUUID(), body: { text: 'hi' } })
    await block(ctx, alice, bob)
    chat.emitted.length = 0
    await noted(conversation, seq, { 'message.read': [bob] })
    await readBy('group', { 'message.read': sorted(bob, carol) })
    await readBy('group', { 'message.delivered': [carol] }, delivered)
  })

  test('that are shown to nobody do not tell by a second delivery when somebody reads', async () => {
    await set(bob, 'read_receipts_to', 3)
    const conversation = await makeConversation(ctx.pool, [alice, bob, carol])
    const { seq } = await post(ctx, alice, { conversation, clientId: randomUUID(), body: { text: 'hi' } })
    chat.emitted.length = 0
    await noted(conversation, seq, { 'message.delivered': sorted(alice, carol) }, delivered)
    chat.emitted.length = 0
    await noted(conversation, seq, { 'message.read': [bob] })
  })

  test('in the list of members are left out for whom they are not shown to', async () => {
    const conversation = await makeConversation(ctx.pool, [alice, bob, carol])
    const { seq } = await post(ctx, alice, { conversation, clientId: randomUUID(), body: { text: 'hi' } })
    await read(ctx, bob, { conversation, seq })
    const bobFor = async (by: string) =>
      (await members(ctx, by, { conversation, limit: 10 })).members.find(one => one.user.id === bob)
    expect(await bobFor(alice)).toMatchObject({ deliveredSeq: seq, readSeq: seq })
    await set(bob, 'read_receipts_to', 3)
    expect(await bobFor(alice)).not.toHaveProperty('readSeq')
    expect(await bobFor(bob)).toMatchObject({ readSeq: seq })
    await set(bob, 'read_receipts_to', 1)
    await set(bob, 'last_seen_to', 3)
    expect(await bobFor(alice)).not.toHaveProperty('deliveredSeq')
    expect(await bobFor(alice)).toMatchObject({ readSeq: seq })
    await set(bob, 'last_seen_to', 1)
    await block(ctx, carol, bob)
    expect(await bobFor(carol)).not.toHaveProperty('readSeq')
    expect(await bobFor(carol), 'it would tell when he is here').not.toHaveProperty('deliveredSeq')
    expect(await bobFor(bob)).toMatchObject({ deliveredSeq: seq })
    expect(await bobFor(alice)).toHaveProperty('readSeq')
  })

  test('are kept back after a pulse by a process that had it cached otherwise', async () => {
    const elsewhere = await openTestChat(database.url, { masterKeys, settings: { pulseMs: 30 } })
    try {
      const { restrictions } = elsewhere.ctx
      await restrictions.of(bob)
      expect(restrictions.of(bob)).toBe(unrestricted)
      await set(bob, 'read_receipts_to', 3)
      await until(async () => (await restrictions.of(bob)) !== unrestricted, { what: 'it is known there' })
    } finally {
      await elsewhere.close()
    }
  })

  test('are told again after a pulse by a process that had a block cached', async () => {
    const elsewhere = await openTestChat(database.url, { masterKeys, settings: { pulseMs: 30 } })
    try {
      const { restrictions, pulse } = elsewhere.ctx
      const named = new Promise<void>(resolve => pulse.onHidden(users => users.includes(bob) && resolve()))
      await block(ctx, alice, bob)
      // What is read before the block itself was named would be forgotten for that.
      await named
      for (const user of [alice, bob]) expect(await restrictions.of(user)).not.toBe(unrestricted)
      await unblock(ctx, alice, bob)
      for (const user of [alice, bob])
        await until(async () => (await restrictions.of(user)) === unrestricted, { what: 'it is known there' })
    } finally {
      await elsewhere.close()
    }
  })
})

describe('typing', () => {
  test('does not cross a block in the direct conversation; in a group it goes on', async () => {
    const direct = await makeConversation(ctx.pool, [alice, bob], 'direct')
    const group = await makeConversation(ctx.pool, [alice, bob])
    const typing = (by: string, conversation: string) => tellTyping(ctx, by, { conversation, typing: true })
    await typing(bob, direct)
    expect(chat.emitted).toHaveLength(1)
    await block(ctx, alice, bob)
    chat.emitted.length = 0
    await typing(bob, direct)
    await typing(alice, direct)
    expect(chat.emitted).toEqual([])
    await typing(bob, group)
    expect(chat.emitted.map(one => one.to)).toEqual([[alice]])
    await unblock(ctx, alice, bob)
    await typing(bob, direct)
    expect(chat.emitted.at(-1)).toMatchObject({
      to: [alice],
      event: { event: 'typing.start', conversation: direct },
      asOf: { conversation: direct, version: 3 },
    })
  })

  test('stays back where the membership is still cached as open', async () => {
    const direct = await makeConversation(ctx.pool, [alice, bob], 'direct')
    const open = (await ctx.memberships.of(direct))!
    await block(ctx, alice, bob)
    chat.emitted.length = 0
    const late = {
      ...ctx,
      memberships: { ...ctx.memberships, demand: () => ({ membership: open, member: open.members.get(bob)! }) },
    }
    await tellTyping(late, bob, { conversation: direct, typing: true })
    expect(chat.emitted).toEqual([])
  })
})

describe('the cache of what people keep back', () => {
  function watched() {
    const counted = { queries: 0, hold: undefined as Promise<void> | undefined }
    const pool = Object.create(ctx.pool) as ChatContext['pool']
    pool.query = (async (config: QueryConfig) => {
      counted.queries++
      const answer = await ctx.pool.query(config)
      await counted.hold
      return answer
    }) as unknown as typeof pool.query
    return { counted, cache: createRestrictions({ pool }) }
  }

  test('asks once for all that are asked for in one turn, and no more for those who keep back nothing', async () => {
    const { counted, cache } = watched()
    expect(await Promise.all([alice, bob, carol, alice].map(async user => cache.of(user)))).toEqual(
      Array.from({ length: 4 }, () => unrestricted),
    )
    expect(cache.of(bob)).toBe(unrestricted)
    expect(counted.queries).toBe(1)
  })

  test('holds what somebody keeps back until they are named', async () => {
    const { counted, cache } = watched()
    await block(ctx, alice, bob)
    expect(await cache.of(alice)).toEqual({
      readReceiptVisibility: 'everyone',
      lastSeenVisibility: 'everyone',
      blocked: new Set([bob]),
    })
    expect(await cache.of(bob)).toEqual({
      readReceiptVisibility: 'everyone',
      lastSeenVisibility: 'everyone',
      blocked: new Set([alice]),
    })
    expect(cache.of(alice)).toEqual({
      readReceiptVisibility: 'everyone',
      lastSeenVisibility: 'everyone',
      blocked: new Set([bob]),
    })
    expect(counted.queries).toBe(2)
    await ctx.pool.query('DELETE FROM blocks WHERE user_id = $1', [alice])
    cache.forget([alice])
    expect(await cache.of(alice)).toBe(unrestricted)
  })

  test('an answer from before somebody hid is not held', async () => {
    const { counted, cache } = watched()
    const held = Promise.withResolvers<void>()
    counted.hold = held.promise
    const early = cache.of(bob)
    await until(() => counted.queries === 1, { what: 'the query is under way' })
    await set(bob, 'read_receipts_to', 3)
    cache.forget([bob])
    held.resolve()
    await early
    expect(await cache.of(bob)).toMatchObject({ readReceiptVisibility: 'nobody' })
  })

  test('who is blocked by a crowd is asked about instead of held', async () => {
    const { cache } = watched()
    const crowd = await makeUsers(ctx.pool, 600)
    await ctx.pool.query('INSERT INTO blocks (user_id, blocked_id) SELECT id, $1 FROM unnest($2::uuid[]) AS c (id)', [
      alice,
      crowd,
    ])
    expect(await cache.of(alice)).toEqual({
      readReceiptVisibility: 'everyone',
      lastSeenVisibility: 'everyone',
      blocked: undefined,
    })
  })
})
