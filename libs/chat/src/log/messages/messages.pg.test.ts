import { randomBytes, randomUUID } from 'node:crypto'
import { type Entry, type PostedBody, textOf } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { owed } from '../offline/index.ts'
import { remove } from './delete.ts'
import { edit } from './edit.ts'
import { history } from './history.ts'
import { post } from './post.ts'

const masterKeys = [{ id: 'test', key: randomBytes(32) }]
let database: TestDatabase
let chat: TestChat
let users: string[]
let [alice, bob, carol, stranger] = ['', '', '', '']
let conversation = ''
let absent: readonly string[] = []

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, {
    masterKeys,
    presumedAbsent: users => users.filter(user => absent.includes(user)),
  })
  users = await makeUsers(chat.ctx.pool, 4)
  ;[alice, bob, carol, stranger] = users as [string, string, string, string]
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  conversation = await makeConversation(chat.ctx.pool, [alice, bob, carol])
  chat.emitted.length = 0
  absent = []
})

const message = (text: string) => ({ conversation, clientId: randomUUID(), body: { text } })
const refusal = (code: string, more: object = {}) => expect.objectContaining({ code, ...more })

/** Takes bob out as another process would: this one's cache does not hear of it. */
const removeBob = () =>
  chat.ctx.pool.query(
    `WITH gone AS (DELETE FROM members WHERE conversation_id = $1 AND user_id = $2)
     UPDATE conversations SET version = version + 1, member_count = member_count - 1 WHERE id = $1`,
    [conversation, bob],
  )

test.each([
  ['a text that shows nothing', { text: '\u200b \u3164' }, 'body.text', 'something visible'],
  ['a card of two lines', { type: 'contact', name: 'a\nb', fallback: 'a' }, 'body.name', 'no control characters'],
  ['half of a surrogate pair', { text: 'a', data: { a: '\ud800' } }, 'body.data.a', 'well-formed Unicode, no U+0000'],
])('%s is refused before anything is written', async (_name, body, field, rule) => {
  const refused = post(chat.ctx, alice, { ...message('x'), body: body as PostedBody })
  await expect(refused).rejects.toEqual(refusal('field_invalid', { detail: { field, rule } }))
  expect(chat.emitted).toEqual([])
})

test('a place and a card are kept, told and read as they were sent', async () => {
  const [fallback, who] = ['In words 📍', randomUUID()]
  const bodies: PostedBody[] = [
    {
      type: 'location',
      latitude: -36.8421,
      longitude: 174.7672,
      accuracyM: 0.5,
      name: '🇳🇿 שלום',
      address: 'e\u0301',
      fallback,
    },
    {
      type: 'contact',
      name: '👨‍👩‍👧',
      organization: 'نشان\u200cده',
      phones: ['+64 9 555'],
      emails: ['a@b.c'],
      user: bob,
      fallback,
    },
    // Whom a card names is not looked up: nobody learns from it who is here.
    { type: 'contact', name: 'Nobody', user: who, fallback },
  ]
  for (const body of bodies) await post(chat.ctx, alice, { ...message('x'), body })
  const { entries: page } = await history(chat.ctx, bob, { conversation })
  expect(page.flatMap(entry => (entry.event === 'message.new' ? [entry.body] : []))).toEqual(bodies)
  expect(chat.emitted.flatMap(({ event }) => (event.event === 'message.new' ? [event.body] : []))).toEqual(bodies)
})

test('text of every kind comes back as it was written', async () => {
  const texts = [
    '👨‍👩‍👧‍👦 🇳🇱 👍🏽 1️⃣',
    'שלום \u202aعربى\u202c',
    'e\u0301\u0323 Z͑ͫa̴lgo',
    'نامه\u200cای a\u200db',
    '||**x**||\n> `y`',
    '\ufeff.',
  ]
  for (const text of texts) await post(chat.ctx, alice, message(text))
  const { entries: page } = await history(chat.ctx, bob, { conversation })
  expect(page.flatMap(entry => (entry.event === 'message.new' ? [textOf(entry.body)] : []))).toEqual(texts)
})

test('what was stored before such texts were refused is served as text that every client can read', async () => {
  const clientId = randomUUID()
  const kind = entries['message.new'].number
  const stored = { body: { text: 'a\ud83d', data: { '\ude00': ['\ud800'] } } }
  const { keyId, body } = chat.ctx.seal.seal({ conversation, sender: alice, clientId, kind }, JSON.stringify(stored))
  await chat.ctx.pool.query(
    `WITH moved AS (UPDATE conversations SET head_seq = 1 WHERE id = $1)
     INSERT INTO messages (conversation_id, seq, created_at, sender_id, client_id, key_id, kind, body)
     VALUES ($1, 1, now(), $2, $3, $4, $5, $6)`,
    [conversation, alice, clientId, keyId, kind, body],
  )
  const page = await history(chat.ctx, bob, { conversation })
  expect(page.entries).toMatchObject([{ body: { text: 'a\ufffd', data: { '\ufffd': ['\ufffd'] } } }])
})

test('a message is stored sealed, acknowledged with its place, and told to every member', async () => {
  const input = { ...message('hello'), body: { text: 'hello', data: { mood: 'fine' } } }
  const origin = {}
  const posted = await post(chat.ctx, alice, input, origin)
  expect(posted).toEqual({ seq: 1, at: expect.any(Number), epoch: 1 })
  const entry = {
    event: 'message.new',
    conversation,
    seq: 1,
    epoch: 1,
    at: posted.at,
    by: alice,
    clientId: input.clientId,
    body: input.body,
  }
  expect(chat.emitted).toEqual([
    {
      class: 'entry',
      to: expect.arrayContaining([alice, bob, carol]),
      event: entry,
      entry: { conversation, seq: 1, at: posted.at },
      owed: [],
      origin,
    },
  ])
  expect((await history(chat.ctx, bob, { conversation })).entries).toEqual([entry])
  const row = await chat.ctx.pool.query<{ body: Buffer }>('SELECT body FROM messages WHERE conversation_id = $1', [
    conversation,
  ])
  expect(row.rows[0]!.body.includes('hello')).toBe(false)
})

test('in a conversation that goes by interest it is told to whoever is here, and those who are away are owed it', async () => {
  await chat.ctx.pool.query("UPDATE conversations SET large_since = now() - interval '1 hour' WHERE id = $1", [
    conversation,
  ])
  absent = [carol]
  const { seq } = await post(chat.ctx, alice, message('hello'))
  const to = { conversation, version: 1 }
  const people = expect.arrayContaining([alice, bob, carol])
  expect(chat.emitted).toMatchObject([{ class: 'entry', to, people, owed: [carol], entry: { conversation, seq } }])
  expect(await owed(chat.ctx, carol)).toEqual([{ conversation, entries: 1, highest: seq }])
  await edit(chat.ctx, alice, { conversation, clientId: randomUUID(), target: seq, body: { text: 'hallo' } })
  // Nobody is woken by an edit.
  expect(chat.emitted.at(-1)).toMatchObject({ to, owed: [] })
  expect(chat.emitted.at(-1)).not.toHaveProperty('people')
  await remove(chat.ctx, alice, { conversation, clientId: randomUUID(), target: seq })
  expect(await owed(chat.ctx, carol)).toEqual([])
})

test('a repetition is answered with the first result and told again as it was stored', async () => {
  const input = message('first')
  const posted = await post(chat.ctx, alice, input)
  expect(await post(chat.ctx, alice, { ...input, body: { text: 'second' } }, {})).toEqual(posted)
  expect(chat.emitted.map(one => (one.event as Entry & { body: object }).body)).toEqual([
    { text: 'first' },
    { text: 'first' },
  ])
  expect(chat.emitted[1]).not.toHaveProperty('origin')
  // How long its way took is measured once.
  expect(chat.emitted.map(one => one.class === 'entry' && one.entry.at)).toEqual([posted.at, undefined])
})

test.each([
  ['an unknown conversation', () => ({ ...message('x'), conversation: randomUUID() }), 'alice', 'conversation_unknown'],
  ['a stranger', () => message('x'), 'stranger', 'not_a_member'],
  ['a reply to what is not there', () => ({ ...message('x'), replyTo: 9 }), 'alice', 'message_unknown'],
  [
    'data that is too deep',
    () => ({
      ...message('x'),
      body: { text: 'x', data: JSON.parse('{"a":'.repeat(9) + '1' + '}'.repeat(9)) as object },
    }),
    'alice',
    'data_too_deep',
  ],
])('%s is refused and stores nothing', async (_name, input, by, code) => {
  await expect(post(chat.ctx, by === 'alice' ? alice : stranger, input() as never)).rejects.toEqual(refusal(code))
  expect((await history(chat.ctx, alice, { conversation })).head).toBe(0)
  expect(chat.emitted).toEqual([])
})

test('the same send twice at once is one entry, and both times told as it was stored', async () => {
  await chat.ctx.pool.query('UPDATE conversations SET version = version + 1, timer_ms = 60000 WHERE id = $1', [
    conversation,
  ])
  const one = message('twice at once')
  const other = { ...one, body: { text: 'in other words' } }
  const [first, second] = await Promise.all([post(chat.ctx, alice, one), post(chat.ctx, alice, other)])
  expect(second).toEqual(first)
  expect(first!.entry).toMatchObject({ body: one.body, expiresAt: first!.at + 60_000 })
  expect(chat.emitted.map(({ event }) => event)).toEqual([first!.entry, first!.entry])
})

test('a reply to a message that another process stored is taken', async () => {
  await post(chat.ctx, alice, message('one'))
  await chat.ctx.pool.query('UPDATE conversations SET head_seq = 2 WHERE id = $1', [conversation])
  expect((await post(chat.ctx, bob, { ...message('re'), replyTo: 2 })).seq).toBe(3)
  expect((await history(chat.ctx, alice, { conversation, after: 2 })).entries).toMatchObject([{ seq: 3, replyTo: 2 }])
})

test('a member who was removed elsewhere can post no more, and is told nothing more (P8)', async () => {
  const input = message('still in')
  const posted = await post(chat.ctx, bob, input)
  await removeBob()
  expect(await post(chat.ctx, bob, input)).toEqual(posted)
  await expect(post(chat.ctx, bob, message('out'))).rejects.toEqual(refusal('not_a_member'))
  chat.emitted.length = 0
  await post(chat.ctx, alice, message('among us'))
  expect(chat.emitted[0]!.to).toEqual(expect.not.arrayContaining([bob]))
  await expect(history(chat.ctx, bob, { conversation })).rejects.toEqual(refusal('not_a_member'))
})

test('messages that follow each other closely keep their order on a cold cache', async () => {
  for (let round = 0; round < 20; round++) {
    chat.ctx.memberships.clear()
    const before = (await history(chat.ctx, alice, { conversation })).head
    const posted: Promise<{ seq: number }>[] = []
    for (let nth = 0; nth < 10; nth++) {
      posted.push(post(chat.ctx, alice, message(`m${nth}`)))
      await new Promise(setImmediate)
    }
    expect((await Promise.all(posted)).map(one => one.seq - before)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  }
})

test('of one commit they are told in the order of the log, whoever of them had to wait for the members', async () => {
  // Both wait for the window of this one.
  await post(chat.ctx, alice, {
    ...message('before'),
    conversation: await makeConversation(chat.ctx.pool, [alice, bob]),
  })
  chat.emitted.length = 0
  const cold = [1, 2, 3].map(nth => post(chat.ctx, alice, message(`cold ${nth}`)))
  await chat.ctx.memberships.of(conversation)
  await new Promise(resolve => setImmediate(resolve))
  const warm = [1, 2, 3].map(nth => post(chat.ctx, alice, message(`warm ${nth}`)))
  await Promise.all([...cold, ...warm])
  const told = chat.emitted.map(({ event }) => (event as Entry).seq)
  expect(told).toEqual([1, 2, 3, 4, 5, 6])
})

test('a membership that goes stale under a full batch costs a retry and loses nothing', async () => {
  await post(chat.ctx, alice, message('warm'))
  await removeBob()
  const posted = await Promise.all(
    Array.from({ length: 50 }, (_, nth) => post(chat.ctx, nth % 2 === 0 ? alice : carol, message(`m${nth}`))),
  )
  expect(posted.map(one => one.seq).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, nth) => nth + 2))
})

test('pages go forward, backward and from the end, within what the caller may see', async () => {
  for (let nth = 1; nth <= 7; nth++) await post(chat.ctx, alice, message(`m${nth}`))
  await chat.ctx.pool.query('UPDATE members SET joined_seq = 3 WHERE conversation_id = $1 AND user_id = $2', [
    conversation,
    bob,
  ])
  const page = async (by: string, input: object) => {
    const { entries, head, from } = await history(chat.ctx, by, { conversation, ...input })
    return { seqs: entries.map(entry => entry.seq), head, from }
  }
  expect(await page(alice, { limit: 3 })).toEqual({ seqs: [5, 6, 7], head: 7, from: 1 })
  expect(await page(alice, { after: 2, limit: 3 })).toEqual({ seqs: [3, 4, 5], head: 7, from: 1 })
  expect(await page(alice, { before: 4, limit: 2 })).toEqual({ seqs: [2, 3], head: 7, from: 1 })
  expect(await page(alice, { after: 2, before: 5 })).toEqual({ seqs: [3, 4], head: 7, from: 1 })
  expect(await page(alice, { after: 7 })).toEqual({ seqs: [], head: 7, from: 1 })
  expect(await page(bob, { after: 0 })).toEqual({ seqs: [3, 4, 5, 6, 7], head: 7, from: 3 })
  expect(await page(bob, { before: 3 })).toEqual({ seqs: [], head: 7, from: 3 })
})

test('a row that was moved to another place does not open', async () => {
  const other = await makeConversation(chat.ctx.pool, [alice])
  await post(chat.ctx, alice, message('mine'))
  await chat.ctx.pool.query(
    `INSERT INTO messages SELECT $2, seq, created_at, sender_id, client_id, reply_to, key_id, kind, body FROM messages WHERE conversation_id = $1`,
    [conversation, other],
  )
  await chat.ctx.pool.query('UPDATE conversations SET head_seq = 1 WHERE id = $1', [other])
  await expect(history(chat.ctx, alice, { conversation: other })).rejects.toThrow()
})

test('a repetition is told to those it was for: not to who was removed, nor to who was added later (P8)', async () => {
  const input = message('once more')
  const { seq } = await post(chat.ctx, alice, input)
  // Elsewhere, so that what is cached here is old.
  await removeBob()
  await chat.ctx.pool.query('INSERT INTO members (conversation_id, user_id, role, joined_seq) VALUES ($1, $2, 1, $3)', [
    conversation,
    stranger,
    seq + 1,
  ])
  chat.emitted.length = 0
  expect((await post(chat.ctx, alice, input)).seq).toBe(seq)
  expect(chat.emitted).toHaveLength(1)
  expect([...(chat.emitted[0]!.to as string[])].sort()).toEqual([alice, carol].sort())
})

test('a send that the store keeps waiting is answered at its time, whatever it waits for, and stored once', async () => {
  const hurried = await openTestChat(database.url, { masterKeys, settings: { commitWaitMs: 300 } })
  const holder = await chat.ctx.pool.connect()
  const holding = async (lock: string, work: () => Promise<void>) => {
    await holder.query('BEGIN')
    await holder.query(lock, lock.includes('$1') ? [conversation] : [])
    try {
      await work()
    } finally {
      await holder.query('COMMIT')
    }
  }
  const input = message('in a hurry')
  try {
    // The members cannot be read; then the conversation's row cannot be locked.
    await holding('LOCK TABLE members IN ACCESS EXCLUSIVE MODE', () =>
      expect(post(hurried.ctx, alice, input)).rejects.toEqual(refusal('unavailable')),
    )
    await holding('SELECT FROM conversations WHERE id = $1 FOR UPDATE', () =>
      expect(post(hurried.ctx, alice, input)).rejects.toEqual(refusal('unavailable')),
    )
    // By one who waits longer: on a slow machine a store that has just come free may take more than that.
    expect((await post(chat.ctx, alice, input)).seq).toBe(1)
    expect((await post(chat.ctx, alice, input)).seq).toBe(1)
  } finally {
    holder.release()
    await hurried.close()
  }
})
