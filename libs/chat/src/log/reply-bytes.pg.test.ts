/** Whatever is stored, no answer is larger than `replyBytesMax`, and page by page everything comes, once and in order. */
import { randomUUID } from 'node:crypto'
import { limits, type TextBody, type Verdict } from '@flotilla/protocol'
import {
  makeConversation,
  makeConversations,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requests } from '../people/contacts/index.ts'
import type { ChatContext } from '../context.ts'
import { list as listConversations } from './conversations/list.ts'
import { members } from './conversations/members.ts'
import { entryBytes } from './entries.ts'
import { history } from './messages/history.ts'
import { pin } from './messages/pin.ts'
import { post } from './messages/post.ts'
import { react } from './messages/react.ts'
import { vote } from './messages/vote.ts'
import { file, list as listReports } from '../operators/reports/index.ts'
import { type ResumeInput, resume } from './sync/resume.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let alice: string
let bob: string

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
  ;[alice, bob] = (await makeUsers(ctx.pool, 2)) as [string, string]
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

/** As it goes out. */
const bytesOf = (ok: object) => Buffer.byteLength(JSON.stringify({ id: limits.commandIdMax, ok }))
const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, nth) => from + nth)

/** Letters that take most in JSON, and those that take least. */
const text = fc
  .record({
    letter: fc.constantFrom('a', '語', '👍', '"', '\\', '\n', '\u0001', 'é'),
    length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: limits.textLengthMax })),
  })
  // A text shows something.
  .map(({ letter, length }) => `x${letter.repeat(length - 1)}`)
const data = fc.record({ key: fc.string({ unit: fc.constantFrom('a', '語', '"', '\u0002'), maxLength: 1_000 }) })
const body = fc.record({ text, data })
const wide = '語'.repeat(limits.textLengthMax)

const say = (conversation: string, bodies: readonly TextBody[]) =>
  Promise.all(bodies.map(body => post(ctx, alice, { conversation, clientId: randomUUID(), body })))

describe('a log of messages of any size', () => {
  let conversation: string
  const count = 130
  beforeAll(async () => {
    conversation = await makeConversation(ctx.pool, [alice, bob])
    await say(conversation, fc.sample(body, { numRuns: count, seed: 9 }))
  })

  const asked = fc.record({
    limit: fc.constantFrom(undefined, 1, 7, limits.historyPageMax),
    bytesMax: fc.constantFrom(undefined, limits.replyBytesMin, 60_000, limits.replyBytesMax),
    start: fc.integer({ min: 0, max: count + 1 }),
  })

  test.each(['after', 'before'] as const)('is read whole with %s', async direction => {
    await fc.assert(
      fc.asyncProperty(asked, async ({ start, ...size }) => {
        const seqs: number[] = []
        let more: boolean | undefined = true
        for (let place = start; more; ) {
          const page = await history(ctx, bob, { conversation, [direction]: place, ...size })
          const found = page.entries.map(entry => entry.seq)
          if (found.length > 1) expect(bytesOf(page)).toBeLessThanOrEqual(size.bytesMax ?? limits.replyBytesMax)
          if (direction === 'after') seqs.push(...found)
          else seqs.unshift(...found)
          more = page.more
          if (more) place = direction === 'after' ? found.at(-1)! : found[0]!
        }
        expect(seqs).toEqual(direction === 'after' ? range(start + 1, count) : range(1, Math.min(start - 1, count)))
      }),
      { numRuns: 12 },
    )
  })

  test('fills its pages: without the bound it would pass them', async () => {
    const page = await history(ctx, bob, { conversation, limit: limits.historyPageMax })
    expect(page.entries.length).toBeLessThan(count)
    expect(bytesOf(page)).toBeGreaterThan(limits.replyBytesMax - 40_000)
  })

  test('is replayed in part, and never in more than an answer holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: count }), asked, async (seq, { bytesMax }) => {
        const reply = await resume(ctx, bob, { epoch: 1, cursors: [{ conversation, seq }], only: true, bytesMax })
        expect(bytesOf(reply)).toBeLessThanOrEqual(bytesMax ?? limits.replyBytesMax)
      }),
      { numRuns: 12 },
    )
  })
})

describe('somebody in very many conversations', () => {
  let ids: string[]
  let crowd: string
  const count = 2_300
  beforeAll(async () => {
    ;[crowd] = (await makeUsers(ctx.pool, 1)) as [string]
    const planned = Array.from({ length: count }, () => ({ kind: 'group' as const, members: [crowd] }))
    ids = (await makeConversations(ctx.pool, planned)).sort()
    // Places as long as they get, so that verdicts are.
    const far = Number.MAX_SAFE_INTEGER
    await ctx.pool.query('UPDATE conversations SET head_seq = $2 WHERE id = ANY($1)', [ids, far])
    await ctx.pool.query('UPDATE members SET joined_seq = $2 WHERE user_id = $1', [crowd, far - 100])
  })

  async function all(input: Omit<ResumeInput, 'after'>): Promise<{ verdicts: Verdict[]; pages: number }> {
    const verdicts: Verdict[] = []
    let pages = 0
    for (let after: string | undefined; ; ) {
      const reply = await resume(ctx, crowd, { ...input, after })
      expect(bytesOf(reply)).toBeLessThanOrEqual(limits.replyBytesMax)
      pages++
      verdicts.push(...reply.verdicts)
      if (reply.next === undefined) return { verdicts, pages }
      after = reply.next
    }
  }

  test('hears of each once, page by page', async () => {
    const { verdicts, pages } = await all({ cursors: [], start: 'latest' })
    expect(verdicts.map(one => one.conversation).sort()).toEqual(ids)
    expect(pages).toBe(3)
  })

  test('is answered about all that is named, and of the rest about a range', async () => {
    const cursors = ids.slice(0, limits.resumeCursorsMax).map(conversation => ({ conversation, seq: 1 }))
    const { verdicts } = await all({ cursors, upto: ids[1_999], start: 'latest' })
    const told = verdicts.map(one => one.conversation)
    expect(new Set(told)).toEqual(new Set(ids.slice(0, 2_000)))
    const rest = await resume(ctx, crowd, { cursors: [], after: ids[1_999], start: 'latest' })
    expect(rest.verdicts.map(one => one.conversation).sort()).toEqual(ids.slice(2_000))
    expect(rest.next).toBeUndefined()
  })

  test('gets as many entries beside them as there is room for', async () => {
    const long = await makeConversations(
      ctx.pool,
      Array.from({ length: 20 }, () => ({ kind: 'group' as const, members: [alice, crowd] })),
    )
    await Promise.all(long.map(id => say(id, [{ text: wide }])))
    const cursors = [...ids.slice(0, 380), ...long].map(conversation => ({ conversation, seq: 0 }))
    const reply = await resume(ctx, crowd, { epoch: 1, cursors })
    expect(bytesOf(reply)).toBeLessThanOrEqual(limits.replyBytesMax)
    const count = (verdict: Verdict['verdict']) => reply.verdicts.filter(one => one.verdict === verdict).length
    expect(count('replayed')).toBeGreaterThan(0)
    expect(count('behind')).toBeGreaterThan(0)
  })

  test('asked for little at a time, hears of little at a time', async () => {
    const reply = await resume(ctx, crowd, { cursors: [], start: 'latest', bytesMax: limits.replyBytesMin })
    expect(bytesOf(reply)).toBeLessThanOrEqual(limits.replyBytesMin)
    expect(reply.next).toBe(
      reply.verdicts
        .map(one => one.conversation)
        .sort()
        .at(-1),
    )
  })
})

describe('a list', () => {
  /** Reads all pages, and holds each against the bound. */
  async function walk<P extends { next?: string }, T>(
    page: (after: string | undefined) => Promise<P>,
    items: (page: P) => readonly T[],
  ): Promise<T[][]> {
    const pages: T[][] = []
    for (let after: string | undefined; ; ) {
      const found = await page(after)
      expect(bytesOf(found)).toBeLessThanOrEqual(limits.replyBytesMax)
      pages.push([...items(found)])
      if (found.next === undefined) return pages
      after = found.next
    }
  }
  const name = '👍'.repeat(limits.nameLengthMax)
  let people: string[]
  beforeAll(async () => {
    people = await makeUsers(ctx.pool, 200)
    await ctx.pool.query('UPDATE users SET display_name = $2 WHERE id = ANY($1)', [people, name])
  })

  test('of conversations with long last messages and many members', async () => {
    const [carol] = (await makeUsers(ctx.pool, 1)) as [string]
    const crowds = await makeConversations(
      ctx.pool,
      Array.from({ length: 30 }, () => ({ kind: 'group' as const, members: [carol, alice, ...people.slice(0, 48)] })),
    )
    const long = await makeConversations(
      ctx.pool,
      Array.from({ length: 30 }, () => ({ kind: 'group' as const, members: [carol, alice] })),
    )
    await Promise.all(long.map(id => say(id, [{ text: wide }])))
    const pages = await walk(
      after => listConversations(ctx, carol, { limit: 100, after }),
      page => page.conversations.map(one => one.id),
    )
    expect(pages.flat().sort()).toEqual([...crowds, ...long].sort())
    expect(pages.length).toBeGreaterThan(6)
  })

  test('of reported messages', async () => {
    const conversation = await makeConversation(ctx.pool, [alice, bob])
    const said = await say(
      conversation,
      Array.from({ length: 30 }, () => ({ text: wide })),
    )
    const filed = []
    for (const { seq } of said) filed.push(await file(ctx, bob, { user: alice, reason: 'spam', conversation, seq }))
    const pages = await walk(
      after => listReports(ctx, { limit: 100, after }),
      page => page.reports.map(one => one.id),
    )
    expect(pages.flat()).toEqual(filed.map(one => one.id))
    expect(pages.length).toBeGreaterThan(2)
  })

  test('of contact requests with long notes, and of members', async () => {
    const [dave] = (await makeUsers(ctx.pool, 1)) as [string]
    await ctx.pool.query('UPDATE users SET display_name = $2 WHERE id = $1', [dave, name])
    await ctx.pool.query(
      'INSERT INTO contact_requests (id, from_id, to_id, note) SELECT gen_random_uuid(), id, $2, $3 FROM unnest($1::uuid[]) p (id)',
      [people, dave, '👍'.repeat(limits.contactNoteLengthMax)],
    )
    const pages = await walk(
      after => requests(ctx, dave, { direction: 'received', limit: 100, after }),
      page => page.requests.map(one => one.from.id),
    )
    expect(pages.flat().sort()).toEqual([...people].sort())
    const conversation = await makeConversation(ctx.pool, people)
    const found = await walk(
      after => members(ctx, people[0]!, { conversation, limit: 200, after }),
      page => page.members.map(one => one.user.id),
    )
    expect(found.flat()).toEqual([...people].sort())
  })
})

test('a message with all that a message can have takes no more than is reckoned for it', async () => {
  const people = await makeUsers(ctx.pool, 6)
  const conversation = await makeConversation(ctx.pool, people)
  const place = () => ({ conversation, clientId: randomUUID() })
  const options = range(1, limits.pollOptionsMax).map(nth => `${'語'.repeat(98)}${nth}`)
  const poll = { type: 'poll' as const, question: 'q', options, multiple: true, fallback: 'q' }
  const [owner] = people as [string, ...string[]]
  const { seq: target } = await post(ctx, owner, { ...place(), body: poll })
  const tones = ['🏻', '🏼', '🏽', '🏾', '🏿']
  const emojis = tones.flatMap(one => tones.map(other => `👩${one}\u200d❤️\u200d💋\u200d👨${other}`))
  for (let nth = 0; nth < limits.reactionsPerMessageMax; nth++)
    await react(ctx, people[nth % 4]!, { ...place(), target, emoji: emojis[nth]!, on: true })
  await pin(ctx, owner, { ...place(), target })
  await vote(ctx, owner, { ...place(), target, options: range(0, options.length - 1) })
  for (const by of people) await post(ctx, by, { ...place(), thread: target, body: { text: 'reply' } })
  const { rows } = await ctx.pool.query<{ bytes: number }>(
    `SELECT (${entryBytes})::int AS bytes FROM messages m WHERE m.conversation_id = $1 AND m.seq = $2`,
    [conversation, target],
  )
  const [entry] = (await history(ctx, owner, { conversation, after: target - 1, limit: 1 })).entries
  expect(entry).toMatchObject({
    pin: { pinned: true },
    replies: { count: people.length },
    reactions: { counts: { length: limits.reactionsPerMessageMax }, own: { emojis: { length: 5 } } },
    poll: { mine: { length: options.length } },
  })
  expect(Buffer.byteLength(JSON.stringify(entry))).toBeLessThanOrEqual(rows[0]!.bytes)
})
