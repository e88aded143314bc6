import { randomUUID } from 'node:crypto'
import { limits } from '@flotilla/protocol'
import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { post } from '../messages/post.ts'
import { behind, localMembers, movedSince } from './heads.ts'
import { type ResumeInput, resume } from './resume.ts'

let database: TestDatabase
let chat: TestChat

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

/** Two fresh people, so that nothing of another test is in their answers. */
async function pair() {
  const [alice, bob] = (await makeUsers(chat.ctx.pool, 2)) as [string, string]
  const talk = async (count: number) => {
    const conversation = await makeConversation(chat.ctx.pool, [alice, bob])
    await Promise.all(
      Array.from({ length: count }, (_, nth) =>
        post(chat.ctx, alice, { conversation, clientId: randomUUID(), body: { text: `m${nth}` } }),
      ),
    )
    return conversation
  }
  const ask = async (input: ResumeInput) =>
    (await resume(chat.ctx, bob, input)).verdicts.map(verdict =>
      verdict.verdict === 'replayed' ? { ...verdict, entries: verdict.entries.map(entry => entry.seq) } : verdict,
    )
  return { alice, bob, talk, ask }
}

/** A head that was moved without rows: the verdict is decided by heads alone. */
const setHead = (conversation: string, head: number) =>
  chat.ctx.pool.query('UPDATE conversations SET head_seq = $2 WHERE id = $1', [conversation, head])

test('a device gets what it missed, and what is up to date is not named', async () => {
  const { talk, ask } = await pair()
  const [a, b] = [await talk(5), await talk(3)]
  const cursors = [
    { conversation: a, seq: 2 },
    { conversation: b, seq: 3 },
  ]
  expect(await ask({ epoch: 1, cursors })).toEqual([
    { conversation: a, verdict: 'replayed', head: 5, entries: [3, 4, 5] },
  ])
})

test('conversations that the device does not know come whole, unless it asks only for its own', async () => {
  const { talk, ask } = await pair()
  const [a, b] = [await talk(2), await talk(1)]
  expect(await ask({ cursors: [{ conversation: a, seq: 2 }] })).toEqual([
    { conversation: b, verdict: 'replayed', head: 1, entries: [1] },
  ])
  expect(await ask({ cursors: [{ conversation: a, seq: 2 }], only: true })).toEqual([])
})

test('a device that asks where to begin gets the latest entries, or the unread ones, and hears of what is all read', async () => {
  const { bob, talk, ask } = await pair()
  const { resumeLatestMax } = limits
  const [long, short, known] = [await talk(resumeLatestMax + 7), await talk(3), await talk(4)]
  const head = resumeLatestMax + 7
  await chat.ctx.pool.query(
    'UPDATE members SET delivered_seq = $3, read_seq = $3 WHERE conversation_id = $1 AND user_id = $2',
    [short, bob, 3],
  )
  const cursors = [{ conversation: known, seq: 2 }]
  const seqs = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, nth) => from + nth)
  const goesOn = { conversation: known, verdict: 'replayed', head: 4, entries: [3, 4] }
  const latest = await ask({ cursors, start: 'latest' })
  // What the device holds comes first.
  expect(latest[0]).toEqual(goesOn)
  expect(latest.slice(1)).toEqual(
    expect.arrayContaining([
      { conversation: long, verdict: 'replayed', head, entries: seqs(8, head) },
      { conversation: short, verdict: 'replayed', head: 3, entries: [1, 2, 3] },
    ]),
  )
  expect((await ask({ cursors, start: 'unread' })).slice(1)).toEqual(
    expect.arrayContaining([
      { conversation: long, verdict: 'replayed', head, entries: seqs(1, head) },
      { conversation: short, verdict: 'replayed', head: 3, entries: [] },
    ]),
  )
  // Asked about its own alone, nothing begins.
  expect(await ask({ cursors, start: 'latest', only: true })).toEqual([goesOn])
})

test('what begins and does not fit is paged after the seq that the verdict names', async () => {
  const { bob, talk, ask } = await pair()
  const conversation = await talk(1)
  const head = limits.resumeEntriesMax + 100
  await setHead(conversation, head)
  const read = 'UPDATE members SET delivered_seq = 9, read_seq = 9 WHERE conversation_id = $1 AND user_id = $2'
  await chat.ctx.pool.query(read, [conversation, bob])
  const behind = { conversation, verdict: 'behind', head, from: 1 }
  expect(await ask({ cursors: [], start: 'unread' })).toEqual([{ ...behind, after: 9 }])
  // A head beyond what is stored: the latest page is not whole, so it is paged too.
  expect(await ask({ cursors: [], start: 'latest' })).toEqual([{ ...behind, after: head - limits.resumeLatestMax }])
  expect(await ask({ cursors: [] })).toEqual([behind])
})

test('somebody who joined later starts at the seq of joining', async () => {
  const { bob, talk, ask } = await pair()
  const conversation = await talk(5)
  await chat.ctx.pool.query('UPDATE members SET joined_seq = 4 WHERE conversation_id = $1 AND user_id = $2', [
    conversation,
    bob,
  ])
  expect(await ask({ cursors: [] })).toEqual([{ conversation, verdict: 'replayed', head: 5, entries: [4, 5] }])
})

test('a cursor of another epoch, beyond the head or too far back means resync, never a silent gap (P5)', async () => {
  const { talk, ask } = await pair()
  const conversation = await talk(2)
  const resync = (head: number) => [{ conversation, verdict: 'resync', head, from: 1 }]
  expect(await ask({ epoch: 2, cursors: [{ conversation, seq: 2 }] })).toEqual(resync(2))
  expect(await ask({ epoch: 1, cursors: [{ conversation, seq: 3 }] })).toEqual(resync(2))
  await setHead(conversation, limits.resumeGapMax + 2)
  expect(await ask({ epoch: 1, cursors: [{ conversation, seq: 1 }] })).toEqual(resync(limits.resumeGapMax + 2))
})

test('what does not fit into one answer is said to be behind', async () => {
  const { talk, ask } = await pair()
  const [small, large] = [await talk(2), await talk(1)]
  await setHead(large, limits.resumeEntriesMax + 1)
  expect(await ask({ cursors: [] })).toEqual(
    expect.arrayContaining([
      { conversation: small, verdict: 'replayed', head: 2, entries: [1, 2] },
      { conversation: large, verdict: 'behind', head: limits.resumeEntriesMax + 1, from: 1 },
    ]),
  )
})

test('long bodies are cut by bytes into whole conversations', async () => {
  const { alice, talk, ask } = await pair()
  const [first, second] = [await talk(0), await talk(0)]
  const fill = (conversation: string) =>
    Promise.all(
      Array.from({ length: 30 }, () =>
        post(chat.ctx, alice, {
          conversation,
          clientId: randomUUID(),
          body: { text: 'x'.repeat(limits.textLengthMax) },
        }),
      ),
    )
  await fill(first)
  await fill(second)
  const verdicts = await ask({ cursors: [] })
  expect(verdicts.map(verdict => verdict.verdict)).toEqual(['replayed', 'behind'])
})

test('somebody who is no member is told so, without a word of what happened', async () => {
  const { talk, ask, bob } = await pair()
  const [gone, unknown] = [await talk(2), randomUUID()]
  await chat.ctx.pool.query('DELETE FROM members WHERE conversation_id = $1 AND user_id = $2', [gone, bob])
  const cursors = [gone, unknown].map(conversation => ({ conversation, seq: 1 }))
  expect(await ask({ epoch: 1, cursors })).toEqual(
    cursors.map(({ conversation }) => ({ conversation, verdict: 'left' })),
  )
})

test('heads tell what a device lacks, and that it is out where it is no member', async () => {
  const { alice, bob, talk } = await pair()
  const [a, b] = [await talk(3), await talk(1)]
  const foreign = await makeConversation(chat.ctx.pool, [alice])
  await post(chat.ctx, alice, { conversation: foreign, clientId: randomUUID(), body: { text: 'secret' } })
  const seen = [a, b, foreign].map(conversation => ({ conversation, seq: 1 }))
  expect(await behind(chat.ctx, bob, seen)).toEqual([
    { conversation: a, head: 3 },
    // Nothing of the log: one more than the device said.
    { conversation: foreign, head: 2 },
  ])
  const collect = async (ageMs: number) => {
    const all = new Map<string, string[]>()
    for await (const chunk of movedSince(chat.ctx, [alice, bob], ageMs))
      for (const [user, heads] of chunk) all.set(user, heads.map(head => head.conversation).sort())
    return all
  }
  expect(await collect(60_000)).toEqual(
    new Map([
      [alice, [a, b, foreign].sort()],
      [bob, [a, b].sort()],
    ]),
  )
  expect(await collect(-60_000)).toEqual(new Map())
})

test('the members who are here are read with the version that they stand at', async () => {
  const { alice, bob, talk } = await pair()
  const conversation = await talk(0)
  expect(await localMembers(chat.ctx, conversation, [bob, randomUUID()])).toEqual({
    version: 1,
    byInterest: false,
    joined: new Map([[bob, 1]]),
  })
  expect(await localMembers(chat.ctx, randomUUID(), [alice])).toBeUndefined()
})
