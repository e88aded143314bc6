/** What authors are told of reactions to their messages. */
import { randomUUID } from 'node:crypto'
import type { EventOf } from '@flotilla/protocol'
import {
  makeConversation,
  makeLarge,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { count, list, read as readNotification } from '../../notices/notifications/index.ts'
import { removeMessage } from '../../operators/remove-message.ts'
import { leave } from '../conversations/leave.ts'
import { changeSettings, type SettingsChange } from '../conversations/settings.ts'
import { read } from '../receipts/note.ts'
import { clear, hide, post, react, remove } from './index.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob, carol, dave] = ['', '', '', '']
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
  ;[alice, bob, carol, dave] = (await makeUsers(ctx.pool, 4)) as [string, string, string, string]
  conversation = await makeConversation(ctx.pool, [alice, bob, carol, dave])
  chat.emitted.length = 0
})

const say = async (by = alice) =>
  (await post(ctx, by, { conversation, clientId: randomUUID(), body: { text: 'hello' } })).seq
const reacts = (by: string, target: number, emoji = '👍', on = true) =>
  react(ctx, by, { conversation, clientId: randomUUID(), target, emoji, on })
const waiting = async (user = alice) => (await list(ctx, user, { limit: 50 })).notifications
const heard = <N extends 'notification.new' | 'notification.read'>(name: N, user = alice) =>
  chat.emitted.flatMap(({ to, event }) =>
    event.event === name && Array.isArray(to) && to.includes(user) ? [event as EventOf<N>] : [],
  )
const prefers = (what: Omit<SettingsChange, 'conversation'>) => changeSettings(ctx, alice, { conversation, ...what })
const block = (by: string, blocked: string) =>
  ctx.pool.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)', [by, blocked])

describe('an author', () => {
  test('gets one notification for a message, the newest again with each person who reacts', async () => {
    const seq = await say()
    await reacts(bob, seq)
    const [first] = await waiting()
    expect(first).toMatchObject({ kind: 'reacted', actor: { id: bob }, conversation, seq, read: false })
    expect(first!.detail).toEqual({ emoji: '👍', people: '1' })
    expect(heard('notification.new')).toEqual([{ event: 'notification.new', notification: first, unread: 1 }])
    await reacts(carol, await say(), '🎉')
    await reacts(carol, seq, '🎉')
    const [again, other] = await waiting()
    expect(again).toMatchObject({ id: first!.id, actor: { id: carol }, detail: { emoji: '🎉', people: '2' } })
    expect(other).toMatchObject({ actor: { id: carol }, detail: { people: '1' } })
    expect(heard('notification.new').at(-1)).toEqual({ event: 'notification.new', notification: again, unread: 2 })
    expect(await count(ctx, alice)).toBe(2)
  })

  test('hears of one who reacts once more only that it is another emoji, and of a repetition nothing', async () => {
    const seq = await say()
    await reacts(bob, seq)
    await reacts(carol, seq)
    const [before] = await waiting()
    await reacts(bob, seq, '🎉')
    const [after] = await waiting()
    expect(after).toEqual({
      ...before,
      actor: expect.objectContaining({ id: bob }),
      detail: { emoji: '🎉', people: '2' },
    })
    const told = heard('notification.new').length
    await reacts(bob, seq, '🎉')
    expect(heard('notification.new')).toHaveLength(told)
    await readNotification(ctx, alice, after!.id)
    await reacts(bob, seq, '❤️')
    expect(heard('notification.new')).toHaveLength(told)
    expect(await waiting()).toMatchObject([{ read: true, detail: { emoji: '❤️', people: '2' } }])
  })

  test('who has read it is told of the next person', async () => {
    const seq = await say()
    await reacts(bob, seq)
    const [first] = await waiting()
    await readNotification(ctx, alice, first!.id)
    await reacts(carol, seq)
    expect(await waiting()).toMatchObject([{ id: first!.id, read: false, detail: { people: '2' } }])
    expect(await count(ctx, alice)).toBe(1)
    // Reading the conversation reads it, as it does with mentions.
    const last = await say(bob)
    await read(ctx, alice, { conversation, seq: last })
    await expect.poll(() => count(ctx, alice)).toBe(0)
    await reacts(dave, seq)
    expect(await count(ctx, alice)).toBe(1)
  })

  test('is not pushed', async () => {
    const seq = await say()
    await ctx.pool.query('DELETE FROM offline_messages')
    await reacts(bob, seq)
    for (const table of ['offline_messages', 'pushes'])
      expect((await ctx.pool.query(`SELECT FROM ${table}`)).rowCount).toBe(0)
  })
})

describe('a reaction that is taken back', () => {
  test('counts no more, and the last one takes the notification along', async () => {
    const seq = await say()
    await reacts(bob, seq, '🎉')
    await reacts(carol, seq)
    const [both] = await waiting()
    await reacts(carol, seq, '👍', false)
    const [one] = await waiting()
    expect(one).toMatchObject({ id: both!.id, at: both!.at, actor: { id: bob }, detail: { emoji: '🎉', people: '1' } })
    expect(heard('notification.new').at(-1)).toEqual({ event: 'notification.new', notification: one, unread: 1 })
    await reacts(bob, seq, '🎉', false)
    expect(await waiting()).toEqual([])
    expect(heard('notification.read')).toEqual([{ event: 'notification.read', notification: one!.id, unread: 0 }])
    await reacts(bob, seq)
    const [anew] = await waiting()
    await readNotification(ctx, alice, anew!.id)
    const told = chat.emitted.length
    await reacts(bob, seq, '👍', false)
    expect(await waiting()).toEqual([])
    expect(chat.emitted.slice(told).filter(({ class: one }) => one === 'signal')).toEqual([])
  })

  test('by whom nothing was told tells nothing of the others', async () => {
    const seq = await say()
    await prefers({ notify: 'nothing' })
    await reacts(bob, seq)
    await reacts(carol, seq)
    await prefers({ notify: 'all' })
    await reacts(carol, seq, '👍', false)
    expect(await waiting()).toEqual([])
  })

  test('goes with the message, whoever takes that away', async () => {
    const [own, removed] = [await say(), await say()]
    for (const seq of [own, removed]) await reacts(bob, seq)
    expect(await count(ctx, alice)).toBe(2)
    await remove(ctx, alice, { conversation, clientId: randomUUID(), target: own })
    expect(await waiting()).toMatchObject([{ seq: removed }])
    await removeMessage(ctx, { program: 'test' }, { conversation, seq: removed, reason: 'Threats' })
    expect((await waiting()).map(one => one.kind)).toEqual(['security_notice'])
    expect(heard('notification.read')).toHaveLength(2)
  })

  test('races with others: in the end the notification says what the message has', async () => {
    const seq = await say()
    for (let round = 0; round < 5; round++) {
      const people = [bob, carol, dave]
      await Promise.all(people.flatMap(by => [reacts(by, seq), reacts(by, seq, '👍', false), reacts(by, seq, '🎉')]))
      const left = await ctx.pool.query(
        "SELECT FROM reactions WHERE conversation_id = $1 AND seq = $2 AND emojis <> '{}'",
        [conversation, seq],
      )
      expect(await waiting()).toMatchObject([{ detail: { people: String(left.rowCount) } }])
      const last = await Promise.all(people.flatMap(by => [reacts(by, seq, '👍', false), reacts(by, seq, '🎉', false)]))
      expect(last).toHaveLength(6)
      expect(await waiting()).toEqual([])
    }
  })
})

describe('nothing is told', () => {
  test('of what one has oneself', async () => {
    const seq = await say()
    await reacts(alice, seq)
    expect(await waiting()).toEqual([])
    await reacts(bob, seq)
    expect(await waiting()).toMatchObject([{ detail: { people: '1' } }])
  })

  test('of people with whom a block stands, either way; the others count', async () => {
    const seq = await say()
    await block(alice, bob)
    await block(carol, alice)
    await reacts(bob, seq)
    await reacts(carol, seq)
    expect(await waiting()).toEqual([])
    await reacts(dave, seq)
    expect(await waiting()).toMatchObject([{ actor: { id: dave }, detail: { people: '1' } }])
  })

  test.each<[string, Omit<SettingsChange, 'conversation'>]>([
    ['is muted', { mutedUntil: Date.now() + 3_600_000 }],
    ['tells of mentions alone', { notify: 'mentions' }],
    ['tells of nothing', { notify: 'nothing' }],
  ])('where the group %s', async (_how, preference) => {
    const seq = await say()
    await reacts(bob, seq)
    await prefers(preference)
    const [before] = await waiting()
    await reacts(carol, seq)
    // What lies there stays true, and is not new.
    const { id, at } = before!
    expect(await waiting()).toMatchObject([{ id, at, detail: { people: '2' } }])
    await readNotification(ctx, alice, id)
    await reacts(dave, seq)
    expect(await waiting()).toMatchObject([{ at, read: true, detail: { people: '3' } }])
    await reacts(bob, await say())
    expect(await waiting()).toHaveLength(1)
  })

  test('but in a direct conversation, where all is said to one, mentions are all', async () => {
    conversation = await makeConversation(ctx.pool, [alice, bob], 'direct')
    await prefers({ notify: 'mentions' })
    await reacts(bob, await say())
    expect(await waiting()).toHaveLength(1)
  })

  test('to who has left, or sees the message no more', async () => {
    const [cleared, hidden, left] = [await say(), await say(), await say()]
    for (const seq of [hidden, cleared]) await reacts(bob, seq)
    await hide(ctx, alice, { conversation, seqs: [hidden] })
    await clear(ctx, alice, { conversation, upTo: cleared })
    expect(await waiting()).toEqual([])
    for (const seq of [hidden, cleared]) await reacts(carol, seq)
    expect(await waiting()).toEqual([])
    await reacts(bob, left)
    // Somebody has to be its owner.
    await ctx.pool.query('UPDATE members SET role = 3 WHERE conversation_id = $1', [conversation])
    ctx.memberships.clear()
    await leave(ctx, alice, { conversation })
    await reacts(carol, left)
    expect(await waiting()).toEqual([])
  })

  test('in a large conversation, where what was told before it grew still ends with the reaction', async () => {
    const seq = await say()
    await reacts(bob, seq)
    await makeLarge(ctx.pool, conversation)
    ctx.memberships.clear()
    await reacts(carol, seq)
    await reacts(carol, await say())
    expect(await waiting()).toMatchObject([{ seq, actor: { id: bob }, detail: { people: '1' } }])
    await reacts(bob, seq, '👍', false)
    expect(await waiting()).toMatchObject([{ seq, actor: { id: carol } }])
    await reacts(carol, seq, '👍', false)
    expect(await waiting()).toEqual([])
  })
})
