import { randomBytes, randomUUID } from 'node:crypto'
import { conversationOf, type Entry, type EntryOf, foldAll, foldReaction, limits } from '@flotilla/protocol'
import {
  makeConversation,
  makeLarge,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
  until,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { removeMessage } from '../../operators/remove-message.ts'
import { addMembers } from '../conversations/add-members.ts'
import { get } from '../conversations/get.ts'
import { removeMember } from '../conversations/remove-member.ts'
import { resume } from '../sync/resume.ts'
import { history } from './history.ts'
import { listReactions } from './list-reactions.ts'
import { post } from './post.ts'
import { react } from './react.ts'
import { tellOverdue } from './tell-reactions.ts'

const crowd = 5_000
const masterKeys = [{ id: 'test', key: randomBytes(32) }]
let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let people: string[]
let [alice, bob, carol] = ['', '', '']
let conversation = ''

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { masterKeys })
  ctx = chat.ctx
  people = await makeUsers(ctx.pool, crowd)
  ;[alice, bob, carol] = people as [string, string, string]
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  conversation = await makeConversation(ctx.pool, [alice, bob])
  chat.emitted.length = 0
})

const say = async (by = bob) =>
  (await post(ctx, by, { conversation, clientId: randomUUID(), body: { text: 'hello' } })).seq
const to = (target: number, emoji = '👍', on = true) => ({ conversation, clientId: randomUUID(), target, emoji, on })
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code })
const told = (name?: string) =>
  chat.emitted.flatMap(({ event }) =>
    'seq' in event && (name === undefined || event.event === name) ? [event as Entry] : [],
  )
const page = async (by: string) => (await history(ctx, by, { conversation, limit: 200 })).entries
const partOf = async (target: number, by = bob) => {
  const message = (await page(by)).find(entry => entry.seq === target)
  return message?.event === 'message.new' ? message.reactions : undefined
}

test('a reaction is an entry that says the counts whole, and pages, replays and live entries fold to one state', async () => {
  const target = await say()
  const first = await react(ctx, alice, to(target, '❤'))
  expect(first.seq).toBe(target + 1)
  expect(told().at(-1)).toMatchObject({
    event: 'message.reacted',
    by: alice,
    target,
    emoji: '❤️',
    on: true,
    version: 1,
    counts: [{ emoji: '❤️', count: 1 }],
    own: ['❤️'],
  })
  await react(ctx, bob, to(target, '❤️'))
  await react(ctx, bob, to(target))
  const last = await react(ctx, alice, to(target, '❤️', false))
  const counts = [
    { emoji: '❤️', count: 1 },
    { emoji: '👍', count: 1 },
  ]
  expect(await partOf(target)).toEqual({ version: 4, counts, own: { version: 3, emojis: ['❤️', '👍'] } })
  expect(await partOf(target, alice)).toEqual({ version: 4, counts, own: { version: 4, emojis: [] } })
  const entries = await page(bob)
  expect(entries.at(-1)!.seq).toBe(last.seq)
  const { verdicts } = await resume(ctx, bob, { epoch: 1, cursors: [{ conversation, seq: 0 }], only: true })
  expect(verdicts[0]).toMatchObject({ entries })
  for (const by of [alice, bob])
    expect(foldAll(conversationOf(by), await page(by))).toEqual(foldAll(conversationOf(by), told()))
  const { unread } = await get(ctx, alice, conversation)
  expect(unread).toBe(1)
})

test('what changes nothing makes no entry, and a repetition is answered with the first result', async () => {
  const target = await say()
  expect((await react(ctx, alice, to(target, '👍', false))).seq).toBe(target)
  const input = to(target)
  const first = await react(ctx, alice, input)
  expect(await react(ctx, alice, to(target))).toEqual(first)
  await react(ctx, alice, to(target, '👍', false))
  expect(await react(ctx, alice, input)).toEqual(first)
  expect((await partOf(target))?.counts).toEqual([])
  expect(await page(alice)).toHaveLength(3)
  const twice = to(target, '🎉')
  const both = await Promise.all([react(ctx, alice, twice), react(ctx, alice, twice)])
  expect(both[0]).toEqual(both[1])
})

test('counts are exact however many react at once, and never more differ than may', async () => {
  conversation = await makeConversation(ctx.pool, people.slice(0, 40))
  const target = await say()
  const emojis = Array.from({ length: 30 }, (_, nth) => String.fromCodePoint(0x1f600 + nth))
  const tries = people
    .slice(0, 40)
    .flatMap((by, nth) => [react(ctx, by, to(target)), react(ctx, by, to(target, emojis[nth % 30]))])
  const results = await Promise.allSettled(tries)
  expect(results.filter(one => one.status === 'fulfilled').length).toBeGreaterThanOrEqual(40 + 19)
  const part = (await partOf(target))!
  expect(part.counts).toHaveLength(limits.reactionsPerMessageMax)
  const rows = await ctx.pool.query<{ emoji: string; count: number }>(
    `SELECT emoji, count(*)::int AS count FROM reactions, unnest(emojis) AS emoji
      WHERE conversation_id = $1 GROUP BY emoji ORDER BY emoji`,
    [conversation],
  )
  const byEmoji = (all: readonly { emoji: string; count: number }[]) =>
    Object.fromEntries(all.map(one => [one.emoji, one.count]))
  expect(byEmoji(part.counts)).toEqual(byEmoji(rows.rows))
  expect(byEmoji(part.counts)['👍']).toBe(40)
  const other = await say()
  for (const emoji of emojis.slice(0, limits.reactionsPerPersonMax)) await react(ctx, bob, to(other, emoji))
  await refused(react(ctx, bob, to(other, emojis[20])), 'limit_reached')
  await react(ctx, bob, to(other, emojis[0], false))
  await react(ctx, bob, to(other, emojis[20]))
})

test('one emoji, one of the set where there is one, to a message that the person sees', async () => {
  const target = await say()
  for (const emoji of ['a', '👍👍', '']) await refused(react(ctx, bob, to(target, emoji)), 'field_invalid')
  const { seq } = await react(ctx, bob, to(target))
  for (const none of [seq, seq + 1]) await refused(react(ctx, bob, to(none)), 'message_unknown')
  await refused(react(ctx, carol, to(target)), 'not_a_member')
  await addMembers(ctx, alice, { conversation, users: [carol] })
  await refused(react(ctx, carol, to(target)), 'message_unknown')
  await refused(listReactions(ctx, carol, { conversation, seq: target, limit: 10 }), 'message_unknown')
  const closed = await openTestChat(database.url, { masterKeys, settings: { reactionEmojis: ['❤️'] } })
  await refused(react(closed.ctx, bob, to(target, '🎉')), 'field_invalid')
  // What was there before can be taken back.
  await react(closed.ctx, bob, to(target, '👍', false))
  await react(closed.ctx, bob, to(target, '❤'))
  await closed.close()
})

test('who has reacted is paged, the last first, and people who left stay', async () => {
  conversation = await makeConversation(ctx.pool, people.slice(0, 6))
  const target = await say()
  for (const by of people.slice(1, 6)) await react(ctx, by, to(target))
  await react(ctx, people[3]!, to(target, '🎉'))
  await react(ctx, people[4]!, to(target, '👍', false))
  await removeMember(ctx, alice, { conversation, user: people[5]! })
  const first = await listReactions(ctx, alice, { conversation, seq: target, limit: 2 })
  expect(first.reactions.map(one => [one.user.id, one.emojis])).toEqual([
    [people[3], ['👍', '🎉']],
    [people[5], ['👍']],
  ])
  const second = await listReactions(ctx, alice, { conversation, seq: target, limit: 2, after: first.next })
  expect(second.reactions.map(one => one.user.id)).toEqual([people[2], people[1]])
  expect(second.next).toBeUndefined()
  const party = await listReactions(ctx, alice, { conversation, seq: target, limit: 9, emoji: '🎉' })
  expect(party.reactions.map(one => one.user.id)).toEqual([people[3]])
  await refused(listReactions(ctx, alice, { conversation, seq: target, limit: 2, after: 'x' }), 'field_invalid')
})

test('the reactions to a message that is removed go with it', async () => {
  const target = await say()
  await react(ctx, alice, to(target))
  await removeMessage(ctx, { program: 'test' }, { conversation, seq: target, reason: 'Threats' })
  expect(await partOf(target)).toBeUndefined()
  expect((await ctx.pool.query('SELECT FROM reactions WHERE conversation_id = $1', [conversation])).rowCount).toBe(0)
  await refused(react(ctx, alice, to(target)), 'message_unknown')
  expect(foldAll(conversationOf(bob), await page(bob))).toEqual(foldAll(conversationOf(bob), told()))
})

/** So many are in it, and it is large. */
async function makeCrowd(size = 10): Promise<void> {
  conversation = await makeConversation(ctx.pool, people.slice(0, size))
  await makeLarge(ctx.pool, conversation)
}
const isTold = async () =>
  (
    await ctx.pool.query('SELECT FROM reaction_rounds WHERE conversation_id = $1 AND due_at IS NOT NULL', [
      conversation,
    ])
  ).rowCount === 0

test('a thousand reactions in a crowd are told in a few entries, and the last says the exact counts', async () => {
  await makeCrowd(crowd)
  const target = await say(alice)
  const startedAt = performance.now()
  const reactions = [
    ...people.slice(0, 1_000).map((by, nth) => [by, to(target, nth % 4 === 0 ? '🎉' : '👍')] as const),
    ...people.slice(0, 20).map((by, nth) => [by, to(target, nth % 4 === 0 ? '🎉' : '👍', false)] as const),
  ]
  await Promise.all(reactions.map(([by, input]) => react(ctx, by, input)))
  // The store knows of the last round before this process says it.
  const last1 = () => told('reaction.counted').at(-1) as EntryOf<'reaction.counted'> | undefined
  await until(async () => last1()?.messages[0]?.version === 1_020 && (await isTold()), { what: 'all is told' })
  const rounds = (performance.now() - startedAt) / ctx.settings.reactionsGatherMs
  const told1 = told('reaction.counted')
  expect(told1.length).toBeGreaterThan(0)
  expect(told1.length).toBeLessThanOrEqual(Math.ceil(rounds) + 1)
  expect(told('message.reacted')).toEqual([])
  expect((await page(bob)).length).toBe(1 + told1.length)
  const counts = [
    { emoji: '🎉', count: 245 },
    { emoji: '👍', count: 735 },
  ]
  const last = last1()!
  expect(last).toMatchObject({ messages: [{ target, version: 1_020 }] })
  const byEmoji = (all: readonly object[]) => new Set(all.map(one => JSON.stringify(one)))
  const state = foldAll(conversationOf(bob), told())
  expect(byEmoji(state.messages.get(target)!.reactions!.counts)).toEqual(byEmoji(counts))
  expect(state).toMatchObject({ head: last.seq })
  expect(foldAll(conversationOf(carol), await page(carol)).messages.get(target)?.reactions).toEqual(
    state.messages.get(target)!.reactions,
  )
})

test('in a crowd one’s own devices hear at once, and pages know of it before the others are told', async () => {
  await makeCrowd()
  const target = await say(alice)
  // The first round begins at once, and the next one not in this test.
  const patient = await openTestChat(database.url, { masterKeys, settings: { reactionsGatherMs: 600_000 } })
  const counted = () => patient.emitted.filter(({ event }) => event.event === 'reaction.counted')
  await react(patient.ctx, carol, to(target))
  await until(() => counted().length === 1, { what: 'the first round is told' })
  await react(patient.ctx, bob, to(target, '🎉'))
  const stored = patient.emitted.find(one => one.class === 'signal' && one.to[0] === bob)
  const counts = [
    { emoji: '👍', count: 1 },
    { emoji: '🎉', count: 1 },
  ]
  expect(stored?.event).toEqual({ event: 'reaction.stored', conversation, target, version: 2, counts, own: ['🎉'] })
  expect(counted()).toHaveLength(1)
  const paged = foldAll(conversationOf(bob), await page(bob))
  expect(paged.messages.get(target)).toMatchObject({ reactions: { version: 2, counts }, own: { emojis: ['🎉'] } })
  const heard = [...told(), ...counted().map(({ event }) => event as Entry)]
  const live = foldReaction(foldAll(conversationOf(bob), heard), stored!.event as never)
  expect(live.messages).toEqual(paged.messages)
  await patient.close()
})

test('what a process that died had to tell is told by the worker', async () => {
  await makeCrowd()
  const target = await say(alice)
  const dying = await openTestChat(database.url, { masterKeys, settings: { reactionsGatherMs: 60_000 } })
  await react(dying.ctx, carol, to(target))
  await until(isTold, { what: 'all is told' })
  await react(dying.ctx, bob, to(target))
  await dying.close()
  expect(await isTold()).toBe(false)
  await ctx.pool.query("UPDATE reaction_rounds SET due_at = now() - interval '5 seconds' WHERE conversation_id = $1", [
    conversation,
  ])
  await tellOverdue(ctx)
  expect(told('reaction.counted').at(-1)).toMatchObject({
    by: bob,
    messages: [{ target, version: 2, counts: [{ emoji: '👍', count: 2 }] }],
  })
  expect(await isTold()).toBe(true)
})
