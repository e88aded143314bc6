import { randomUUID } from 'node:crypto'
import { emptyConversation, type Entry, type EntryOf, foldAll, limits, type PollBody } from '@flotilla/protocol'
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
import { claim } from '../../store/jobs/claim.ts'
import { removeMessage } from '../../operators/remove-message.ts'
import { history } from './history.ts'
import { edit } from './edit.ts'
import { listVoters } from './list-voters.ts'
import { post } from './post.ts'
import { closePollInTime, tellPoll } from './tell-poll.ts'
import { closePoll, vote } from './vote.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob, carol] = ['', '', '']
let conversation = ''

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
  ;[alice, bob, carol] = (await makeUsers(ctx.pool, 3)) as [string, string, string]
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  conversation = await makeConversation(ctx.pool, [alice, bob, carol])
  await ctx.pool.query('DELETE FROM jobs')
  chat.emitted.length = 0
})

const ask = async (more: Partial<PollBody> = {}, by = bob) => {
  const body: PollBody = {
    type: 'poll',
    question: 'Lunch?',
    options: ['yes', 'no', 'later'],
    fallback: 'Lunch?',
    ...more,
  }
  return (await post(ctx, by, { conversation, clientId: randomUUID(), body })).seq
}
const votes = (by: string, target: number, options: number[], clientId = randomUUID()) =>
  vote(ctx, by, { conversation, target, options, clientId })
const closes = (by: string, target: number) => closePoll(ctx, by, { conversation, target, clientId: randomUUID() })
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code })
const told = () => chat.emitted.flatMap(({ event }) => ('seq' in event && 'epoch' in event ? [event as Entry] : []))
const entriesOf = async (by = alice) => (await history(ctx, by, { conversation, limit: 200 })).entries
const pollOf = async (by: string, target: number) =>
  ((await entriesOf(by)).find(entry => entry.seq === target) as EntryOf<'message.new'>).poll
const keptOf = async (target: number) =>
  (
    await ctx.pool.query<{ options: number[] | null }>(
      'SELECT options FROM poll_votes WHERE conversation_id = $1 AND seq = $2',
      [conversation, target],
    )
  ).rows.map(row => row.options)
const jobsDue = async () => {
  await ctx.pool.query(`UPDATE jobs SET due_at = now() - interval '1 second'`)
  return (await claim(ctx, { max: 100, leaseMs: 60_000 })).map(({ job }) => job)
}

test('a vote is an entry with the new totals, changes, and is taken back; pages and the fold say the same', async () => {
  const target = await ask()
  expect(await pollOf(alice, target)).toBeUndefined()
  const first = await votes(bob, target, [0])
  expect(told().at(-1)).toMatchObject({
    event: 'poll.voted',
    by: bob,
    target,
    options: [0],
    counts: [1, 0, 0],
    voters: 1,
  })
  await votes(carol, target, [1])
  await votes(bob, target, [2])
  expect(await pollOf(bob, target)).toEqual({ seq: first.seq + 2, counts: [0, 1, 1], voters: 2, mine: [2] })
  await votes(bob, target, [])
  expect(await pollOf(bob, target)).toEqual({ seq: first.seq + 3, counts: [0, 1, 0], voters: 1 })
  expect(foldAll(emptyConversation, await entriesOf())).toEqual(foldAll(emptyConversation, told()))
  const end = await closes(bob, target)
  expect(await pollOf(carol, target)).toEqual({ seq: end.seq, counts: [0, 1, 0], voters: 1, closed: true, mine: [1] })
  expect(await closes(alice, target)).toEqual(end)
  await refused(votes(bob, target, [0]), 'vote_refused')
  expect(foldAll(emptyConversation, await entriesOf())).toEqual(foldAll(emptyConversation, told()))
})

test('several options where the poll allows it, and none that it does not have', async () => {
  const [single, several] = [await ask(), await ask({ multiple: true })]
  await refused(votes(alice, single, [0, 1]), 'field_invalid')
  await refused(votes(alice, several, [0, 3]), 'field_invalid')
  await votes(alice, several, [2, 0])
  expect(await pollOf(alice, several)).toMatchObject({ counts: [1, 0, 1], voters: 1, mine: [0, 2] })
  const text = await post(ctx, bob, { conversation, clientId: randomUUID(), body: { text: 'no poll' } })
  for (const none of [text.seq, text.seq + 1]) await refused(votes(alice, none, [0]), 'message_unknown')
  const body = { text: 'other' }
  await refused(edit(ctx, bob, { conversation, clientId: randomUUID(), target: single, body }), 'field_invalid')
})

test('votes at the same moment, of many and of one from several devices: the totals are exact', async () => {
  const target = await ask()
  const people = await makeUsers(ctx.pool, 12)
  await ctx.pool.query(
    'INSERT INTO members (conversation_id, user_id, role, joined_seq) SELECT $1, u, 1, 1 FROM unnest($2::uuid[]) u',
    [conversation, people],
  )
  await ctx.pool.query('UPDATE conversations SET version = version + 1, member_count = 15 WHERE id = $1', [
    conversation,
  ])
  ctx.memberships.clear()
  await Promise.all(people.flatMap((user, nth) => [0, 1, 2].map(device => votes(user, target, [(nth + device) % 3]))))
  const kept = await keptOf(target)
  const counts = [0, 1, 2].map(option => kept.filter(options => options!.includes(option)).length)
  expect(await pollOf(alice, target)).toMatchObject({ counts, voters: 12 })
  expect(counts.reduce((sum, count) => sum + count)).toBe(12)
})

test('a vote that cannot be changed is one, whatever two devices say at the same moment', async () => {
  for (let round = 0; round < 5; round++) {
    const target = await ask({ final: true, anonymous: round % 2 === 1 })
    const all = await Promise.allSettled([0, 1, 2].map(option => votes(alice, target, [option])))
    expect(all.filter(one => one.status === 'fulfilled')).toHaveLength(1)
    expect(await keptOf(target)).toHaveLength(1)
    await refused(votes(alice, target, []), 'vote_refused')
  }
})

test('a vote and the end at the same moment: what was counted is in the results, what was not is refused', async () => {
  for (let round = 0; round < 5; round++) {
    const target = await ask()
    const [voted] = await Promise.allSettled([
      votes(alice, target, [0]),
      closes(bob, target),
      votes(carol, target, [0]),
    ])
    const end = told().findLast(entry => entry.event === 'poll.closed')
    const before = told().filter(entry => entry.event === 'poll.voted' && entry.target === target)
    expect(end).toMatchObject({ target, counts: [before.length, 0, 0] })
    expect(before.every(entry => entry.seq < end!.seq)).toBe(true)
    if (voted.status === 'rejected') expect(voted.reason).toMatchObject({ code: 'vote_refused' })
  }
})

test('a repetition is answered with the first result, though the poll is closed meanwhile', async () => {
  for (const anonymous of [false, true]) {
    const target = await ask({ anonymous })
    const clientId = randomUUID()
    const first = await votes(alice, target, [0], clientId)
    await votes(alice, target, [1])
    await closes(bob, target)
    expect((await votes(alice, target, [0], clientId)).seq).toBeGreaterThanOrEqual(first.seq)
    expect(await pollOf(bob, target)).toMatchObject({ counts: [0, 1, 0], voters: 1 })
  }
})

test('who posted a poll closes it, and owners and admins; and its time does, exactly, and once', async () => {
  const target = await ask()
  await refused(closes(carol, target), 'role_insufficient')
  await closes(alice, target)
  const over = await ask({ closesAt: Date.now() + 60_000 })
  await votes(alice, over, [0])
  const [job] = await jobsDue()
  expect(job).toMatchObject({ kind: 'close-poll', conversation, target: over })
  await closePollInTime(ctx, { conversation, target: over })
  expect((await pollOf(alice, over))?.closed).toBeUndefined()
  const past = await ask({ closesAt: Date.now() - 60_000 })
  await refused(votes(alice, past, [0]), 'vote_refused')
  const counted = { counts: [0, 0, 0], voters: 0 }
  for (let nth = 0; nth < 2; nth++) await closePollInTime(ctx, { conversation, target: past })
  const closed = told().filter(entry => entry.event === 'poll.closed' && entry.target === past)
  expect(closed).toMatchObject([{ by: bob, ...counted }])
})

test('in an anonymous poll nobody learns who voted for what: not from entries, nor lists, and after it not from the store', async () => {
  const target = await ask({ anonymous: true })
  await votes(alice, target, [0])
  await votes(carol, target, [0])
  await votes(alice, target, [1])
  // Votes are told to oneself alone, and the totals by one job.
  expect(told().map(entry => entry.event)).toEqual(['message.new'])
  const own = chat.emitted.filter(({ event }) => event.event === 'poll.own_vote')
  expect(own.map(({ to }) => to)).toEqual([[alice], [carol], [alice]])
  expect(await pollOf(bob, target)).toEqual({ seq: target, counts: [0, 0, 0], voters: 0 })
  const jobs = await jobsDue()
  expect(jobs).toEqual([{ kind: 'tell-poll', conversation, target }])
  for (let nth = 0; nth < 2; nth++) await tellPoll(ctx, { conversation, target })
  expect(told().slice(1)).toMatchObject([{ event: 'poll.counted', by: bob, counts: [1, 1, 0], voters: 2 }])
  const log = JSON.stringify(await entriesOf(bob))
  expect(log).not.toContain(carol)
  await refused(listVoters(ctx, bob, { conversation, target, limit: 10 }), 'message_unknown')
  expect((await pollOf(alice, target))?.mine).toEqual([1])
  expect(foldAll(emptyConversation, await entriesOf())).toEqual(foldAll(emptyConversation, told()))
  // Another vote is told once more, after a pause.
  await votes(carol, target, [])
  const due = await ctx.pool.query<{ later: boolean }>('SELECT bool_or(due_at > now()) AS later FROM jobs')
  expect(due.rows[0]!.later).toBe(true)
  await closes(bob, target)
  expect(await pollOf(alice, target)).toMatchObject({ counts: [0, 1, 0], voters: 1, closed: true, mine: [] })
  expect(new Set(await keptOf(target))).toEqual(new Set([null, []]))
})

test('of a secret vote that is for good nothing is kept but that there is one', async () => {
  const target = await ask({ anonymous: true, final: true })
  await votes(alice, target, [2])
  expect(await keptOf(target)).toEqual([null])
  await refused(votes(alice, target, [0]), 'vote_refused')
  expect(await pollOf(alice, target)).toMatchObject({ mine: [] })
})

test('votes that are no entries are bounded', async () => {
  const target = await ask({ anonymous: true })
  await ctx.pool.query(
    `INSERT INTO polls (conversation_id, seq, anonymous, counts, voters, told_seq, told_counts, told_voters, told_at)
     VALUES ($1, $2, true, '{0,0,0}', 0, $2, '{0,0,0}', 0, now())`,
    [conversation, target],
  )
  await ctx.pool.query(
    `INSERT INTO poll_votes (conversation_id, seq, user_id, options, client_ids)
     SELECT $1, $2, $3, '{}', array_agg(gen_random_uuid()) FROM generate_series(1, $4::int)`,
    [conversation, target, alice, limits.pollVotesMax - 1],
  )
  await votes(alice, target, [0])
  await refused(votes(alice, target, [1]), 'limit_reached')
})

test('in a large conversation the votes of a poll are told as totals, and its voters are listed', async () => {
  const target = await ask()
  await votes(alice, target, [0])
  await makeLarge(ctx.pool, conversation)
  ctx.memberships.clear()
  await Promise.all([votes(bob, target, [1]), votes(carol, target, [1]), votes(alice, target, [1])])
  expect(told().filter(entry => entry.event === 'poll.voted')).toHaveLength(1)
  expect(await jobsDue()).toHaveLength(1)
  await tellPoll(ctx, { conversation, target })
  expect(chat.emitted.at(-1)).toMatchObject({
    to: { conversation },
    event: { event: 'poll.counted', counts: [0, 3, 0], voters: 3 },
  })
  const { voters, next } = await listVoters(ctx, carol, { conversation, target, option: 1, limit: 2 })
  const rest = await listVoters(ctx, carol, { conversation, target, option: 1, limit: 2, after: next })
  expect([...voters, ...rest.voters].map(({ user }) => user.id)).toEqual([alice, bob, carol].sort())
  expect((await listVoters(ctx, carol, { conversation, target, option: 0, limit: 2 })).voters).toEqual([])
})

test('of a poll that an operator removes nothing is kept', async () => {
  const target = await ask()
  await votes(alice, target, [0])
  await removeMessage(ctx, { program: 'test' }, { conversation, seq: target, reason: 'Threats' })
  expect(await pollOf(alice, target)).toBeUndefined()
  expect(await keptOf(target)).toEqual([])
  await refused(votes(bob, target, [0]), 'message_unknown')
  await refused(closes(bob, target), 'message_unknown')
  await tellPoll(ctx, { conversation, target })
  expect(foldAll(emptyConversation, await entriesOf())).toEqual(foldAll(emptyConversation, told()))
})
