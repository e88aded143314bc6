import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { accept, list as listContacts, request, requests } from '../contacts/index.ts'
import type { ChatContext } from '../../context.ts'
import { addMembers } from '../../log/conversations/add-members.ts'
import { create } from '../../log/conversations/change.ts'
import { createDirect } from '../../log/conversations/create-direct.ts'
import { createGroup } from '../../log/conversations/create-group.ts'
import { get } from '../../log/conversations/get.ts'
import { history, post } from '../../log/messages/index.ts'
import { transaction } from '../../store/transaction.ts'
import { holdUsers } from '../../users/hold.ts'
import { between, blockers } from '../../privacy/index.ts'
import { block, list, unblock } from './index.ts'

const masterKeys = [{ id: 'test', key: randomBytes(32) }]
let database: TestDatabase
/** Three processes; the first one blocks. */
let chats: TestChat[]
let ctx: ChatContext
let elsewhere: ChatContext
let [alice, bob, carol] = ['', '', '']

beforeAll(async () => {
  database = await testDatabase()
  chats = [await openTestChat(database.url, { masterKeys })]
  for (let n = 0; n < 2; n++) chats.push(await openTestChat(database.url, { masterKeys }))
  ctx = chats[0]!.ctx
  elsewhere = chats[1]!.ctx
})
afterAll(async () => {
  await Promise.all(chats.map(chat => chat.close()))
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob, carol] = (await makeUsers(ctx.pool, 3)) as [string, string, string]
  for (const chat of chats) chat.emitted.length = 0
})

const openDirect = async () => (await createDirect(ctx, alice, bob)).conversation.id
const say = (from: ChatContext, by: string, conversation: string, clientId: string = randomUUID()) =>
  post(from, by, { conversation, clientId, body: { text: 'hi' } })
const refused = (promise: Promise<unknown>, code: string, field?: string) =>
  expect(promise).rejects.toMatchObject({ code, ...(field === undefined ? {} : { detail: { field } }) })
const told = (event: string) =>
  chats[0]!.emitted.filter(one => one.event.event === event).map(({ to, event }) => ({ to, ...event }))

async function row(conversation: string) {
  const found = await ctx.pool.query<{ head: number; version: number }>(
    'SELECT head_seq AS head, version FROM conversations WHERE id = $1',
    [conversation],
  )
  return found.rows[0]!
}

describe('a block closes the direct conversation', () => {
  test('both ways, in processes that do not know of it too, until it is taken back', async () => {
    const conversation = await openDirect()
    for (const chat of chats) await chat.ctx.memberships.of(conversation)
    const before = await say(ctx, bob, conversation)
    await block(ctx, alice, bob)
    for (const { ctx: from } of chats)
      for (const by of [alice, bob]) await refused(say(from, by, conversation), 'blocked')
    expect((await row(conversation)).head).toBe(before.seq)
    await unblock(ctx, alice, bob)
    for (const { ctx: from } of chats)
      for (const by of [alice, bob]) expect(await say(from, by, conversation)).toMatchObject({ epoch: 1 })
  })

  test('it stays closed while the other block stands', async () => {
    const conversation = await openDirect()
    await block(ctx, alice, bob)
    await block(elsewhere, bob, alice)
    await unblock(ctx, alice, bob)
    await refused(say(ctx, alice, conversation), 'blocked')
    await unblock(ctx, bob, alice)
    await say(ctx, alice, conversation)
  })

  test('a reply is refused as well, and what was said before stays readable', async () => {
    const conversation = await openDirect()
    const { seq } = await say(ctx, bob, conversation)
    await block(ctx, alice, bob)
    const reply = { conversation, clientId: randomUUID(), body: { text: 'hi' }, replyTo: seq }
    await refused(post(ctx, bob, reply), 'blocked')
    for (const by of [alice, bob]) {
      expect((await history(ctx, by, { conversation })).entries.at(-1)).toMatchObject({ seq })
      expect(await createDirect(ctx, by, by === alice ? bob : alice)).toMatchObject({
        created: false,
        conversation: { id: conversation },
      })
    }
  })

  test('a message that was committed before is still answered with its first result (P2)', async () => {
    const conversation = await openDirect()
    const clientId = randomUUID()
    const first = await say(elsewhere, bob, conversation, clientId)
    await block(ctx, alice, bob)
    for (const { ctx: from } of chats) expect(await say(from, bob, conversation, clientId)).toEqual(first)
    expect((await row(conversation)).head).toBe(first.seq)
  })

  test('groups that both are in go on', async () => {
    const group = await createGroup(ctx, carol, { name: 'Crew', members: [alice, bob] })
    await block(ctx, alice, bob)
    for (const by of [alice, bob]) expect(await say(ctx, by, group.id)).toMatchObject({ epoch: 1 })
  })
})

describe('at the same time (P8)', () => {
  /** A transaction that waits for this process is not ended for it, however long that stands still. */
  const mayRest = 'SET LOCAL idle_in_transaction_session_timeout = 0'

  test('sends of both from several processes: nothing is stored after the block, whatever was under way', async () => {
    const conversation = await openDirect()
    for (const chat of chats) await chat.ctx.memberships.of(conversation)
    const outcomes: Promise<number | string>[] = []
    const burst = () => {
      for (let n = 0; n < 60; n++)
        outcomes.push(
          say(chats[n % 3]!.ctx, n % 2 === 0 ? alice : bob, conversation).then(
            posted => posted.seq,
            (error: { code: string }) => error.code,
          ),
        )
    }
    burst()
    await Promise.race(outcomes)
    const blocked = block(ctx, alice, bob).then(async () => (await row(conversation)).head)
    for (let n = 0; n < 5; n++) {
      burst()
      await sleep(3)
    }
    const head = await blocked
    burst()
    const settled = await Promise.all(outcomes)
    expect((await row(conversation)).head).toBe(head)
    const acknowledged = settled.filter(one => typeof one === 'number')
    expect(new Set(settled.filter(one => typeof one === 'string'))).toEqual(new Set(['blocked']))
    expect(acknowledged.length).toBeGreaterThan(0)
    // The first entry is the beginning of the conversation.
    expect(acknowledged.sort((a, b) => a - b)).toEqual(Array.from({ length: head - 1 }, (_, n) => n + 2))
  })

  test('a conversation that is being opened is not missed by a block', async () => {
    const [held, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const opening = create(ctx, alice, {
      kind: 'direct',
      members: [alice, bob].map(user => ({ user, role: 'member' })),
      decide: async client => {
        await client.query(mayRest)
        await holdUsers(client, [alice, bob])
        held.resolve()
        await goOn.promise
        return new Set()
      },
    })
    await held.promise
    const blocking = block(elsewhere, bob, alice)
    expect(await Promise.race([blocking, sleep(150, 'waits')])).toBe('waits')
    goOn.resolve()
    const { conversation } = (await opening)!
    await blocking
    expect((await row(conversation)).version).toBe(2)
    await refused(say(ctx, alice, conversation), 'blocked')
  })

  test('a block that is being made is not missed by the opening of a conversation', async () => {
    const group = await createGroup(ctx, alice, { name: 'Crew', members: [] })
    const [made, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const blocking = transaction(elsewhere, async client => {
      await client.query(mayRest)
      await holdUsers(client, [alice, bob])
      await client.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)', [bob, alice])
      made.resolve()
      await goOn.promise
    })
    await made.promise
    const openings = Promise.all(
      [
        createDirect(ctx, alice, bob),
        createGroup(ctx, alice, { name: 'Another', members: [bob] }),
        addMembers(ctx, alice, { conversation: group.id, users: [bob] }),
      ].map(opening => opening.catch((error: { code: string }) => error.code)),
    )
    expect(await Promise.race([openings, sleep(150, 'waits')])).toBe('waits')
    goOn.resolve()
    await blocking
    expect(await openings).toEqual(['blocked', 'blocked', 'blocked'])
  })

  test('two who block each other, again and again, never wait for each other', async () => {
    await openDirect()
    const turns = Array.from({ length: 10 }, () => [
      block(ctx, alice, bob),
      block(elsewhere, bob, alice),
      unblock(elsewhere, alice, bob),
      unblock(ctx, bob, alice),
    ])
    await Promise.all(turns.flat())
  })
})

describe('what a block takes away', () => {
  test('contacts, and the requests between the two; both sides hear that, and only oneself of the block', async () => {
    const asked = await request(ctx, alice, { user: bob })
    await accept(ctx, bob, 'request' in asked ? asked.request.id : '')
    chats[0]!.emitted.length = 0
    await block(ctx, alice, bob)
    expect((await listContacts(ctx, bob, { limit: 10 })).contacts).toEqual([])
    expect(told('block.changed')).toEqual([{ to: [alice], event: 'block.changed', user: bob, blocked: true }])
    expect(told('contact.removed')).toEqual([
      { to: [alice], event: 'contact.removed', user: bob },
      { to: [bob], event: 'contact.removed', user: alice },
    ])
  })

  test.each([
    ['that the caller sent is cancelled', () => [alice, bob], 'contact.cancelled'],
    ['that the caller got is rejected', () => [bob, alice], 'contact.declined'],
  ] as const)('a request %s', async (_, pair, event) => {
    const [from, to] = pair() as [string, string]
    const asked = await request(ctx, from, { user: to })
    const { id } = 'request' in asked ? asked.request : { id: '' }
    await block(ctx, alice, bob)
    expect(told(event)).toEqual([{ to: [alice, bob], event, request: id }])
    expect((await requests(ctx, from, { direction: 'sent', limit: 10 })).requests).toEqual([])
    await refused(request(ctx, from, { user: to }), 'blocked', 'user')
  })

  test('to block or unblock again changes nothing and tells nobody', async () => {
    const conversation = await openDirect()
    await block(ctx, alice, bob)
    const { version } = await row(conversation)
    chats[0]!.emitted.length = 0
    await block(ctx, alice, bob)
    expect(chats[0]!.emitted).toEqual([])
    await unblock(ctx, alice, bob)
    expect(told('block.changed')).toEqual([{ to: [alice], event: 'block.changed', user: bob, blocked: false }])
    await unblock(ctx, alice, bob)
    expect(chats[0]!.emitted).toHaveLength(1)
    expect((await row(conversation)).version).toBe(version + 1)
  })

  test('nobody opens a conversation with, or adds to a group, whom a block stands between', async () => {
    await block(ctx, bob, alice)
    for (const [by, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      await refused(createDirect(ctx, by, other), 'blocked', 'user')
      await refused(createGroup(ctx, by, { name: 'Crew', members: [carol, other] }), 'blocked', 'members')
      const group = await createGroup(ctx, by, { name: 'Crew', members: [carol] })
      await refused(addMembers(ctx, by, { conversation: group.id, users: [other] }), 'blocked', 'users')
      expect((await get(ctx, by, group.id)).memberCount).toBe(2)
    }
  })
})

test('who stands behind a block is told from both sides, who blocked only to whom it was done', async () => {
  await block(ctx, alice, bob)
  await block(ctx, carol, alice)
  expect(await between(ctx, alice, [bob, carol, alice])).toEqual(new Set([bob, carol]))
  expect(await between(ctx, bob, [alice, carol])).toEqual(new Set([alice]))
  expect(await blockers(ctx, alice, [bob, carol])).toEqual(new Set([carol]))
  expect(await blockers(ctx, bob, [alice, carol])).toEqual(new Set([alice]))
})

test('whom one has blocked is listed page by page', async () => {
  await Promise.all([bob, carol].map(user => block(ctx, alice, user)))
  const [low, high] = [bob, carol].sort() as [string, string]
  const first = await list(ctx, alice, { limit: 1 })
  expect(first).toMatchObject({ blocks: [{ user: { id: low }, at: expect.any(Number) }], next: low })
  const second = await list(ctx, alice, { limit: 1, after: first.next })
  expect(second.blocks.map(one => one.user.id)).toEqual([high])
  expect(second.next).toBeUndefined()
  expect((await list(ctx, bob, { limit: 10 })).blocks).toEqual([])
})

test('oneself and nobody cannot be blocked, and there is a limit', async () => {
  await refused(block(ctx, alice, alice), 'field_invalid', 'user')
  await refused(block(ctx, alice, randomUUID()), 'user_unknown', 'user')
  await ctx.pool.query(
    `WITH crowd AS (
       INSERT INTO users (id, username, display_name) SELECT id, 'c' || id, 'Crowd'
         FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 5000)) g RETURNING id
     ) INSERT INTO blocks (user_id, blocked_id) SELECT $1, id FROM crowd`,
    [alice],
  )
  await refused(block(ctx, alice, bob), 'limit_reached')
  expect(await between(ctx, alice, [bob])).toEqual(new Set())
})

test('a group is never closed', async () => {
  await block(ctx, alice, bob)
  const conversation = await makeConversation(ctx.pool, [alice, bob, carol])
  expect((await ctx.memberships.of(conversation))?.closed).toBe(false)
})
