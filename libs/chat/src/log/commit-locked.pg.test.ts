import { randomBytes, randomUUID } from 'node:crypto'
import { type Entry, limits } from '@flotilla/protocol'
import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { ChatContext } from '../context.ts'
import { pin, unpin } from './messages/pin.ts'
import { post } from './messages/post.ts'
import { react } from './messages/react.ts'

const masterKeys = [{ id: 'test', key: randomBytes(32) }]
const many = 40
let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob] = ['', '']

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { masterKeys })
  ctx = chat.ctx
  ;[alice, bob] = (await makeUsers(ctx.pool, 2)) as [string, string]
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(() => {
  chat.emitted.length = 0
  return () => vi.restoreAllMocks()
})

/** Conversations in which bob has said one thing, at seq 1. */
const makeMany = (count = many) =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const conversation = await makeConversation(ctx.pool, [alice, bob])
      await post(ctx, bob, { conversation, clientId: randomUUID(), body: { text: 'hello' } })
      return conversation
    }),
  )
const to = (conversation: string, target = 1) => ({ conversation, clientId: randomUUID(), target })
const like = (conversation: string, by = alice) => react(ctx, by, { ...to(conversation), emoji: '👍', on: true })
const told = () => chat.emitted.flatMap(({ event }) => ('seq' in event ? [event as Entry] : []))

async function seqsOf(conversation: string): Promise<number[]> {
  const found = await ctx.pool.query<{ seq: number }>(
    'SELECT seq FROM messages WHERE conversation_id = $1 ORDER BY seq',
    [conversation],
  )
  return found.rows.map(row => row.seq)
}

/** Holds something by a transaction of somebody else, while `work` is done. */
async function whileHeld<T>(statement: string, values: unknown[], work: () => Promise<T>): Promise<T> {
  const holder = await ctx.pool.connect()
  try {
    await holder.query('BEGIN')
    await holder.query(statement, values)
    return await work()
  } finally {
    await holder.query('ROLLBACK')
    holder.release()
  }
}
const holdConversation = 'SELECT FROM conversations WHERE id = $1 FOR NO KEY UPDATE'

/** The connection that writes the next reactions is ended by that, once. */
const endNext = `
CREATE SEQUENCE reacted;
CREATE FUNCTION end_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF nextval('reacted') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER end_first AFTER INSERT ON reactions FOR EACH STATEMENT EXECUTE FUNCTION end_first()`

test('what waits together is committed together: each has its entry, and nobody has a transaction of their own', async () => {
  const places = await makeMany()
  const connects = vi.spyOn(ctx.pool, 'connect')
  const done = await Promise.all(places.flatMap(place => [like(place), pin(ctx, alice, to(place))]))
  expect(done.map(({ seq }) => seq)).toEqual(places.flatMap(() => [2, 3]))
  // The pool takes one for a query of its own by a callback.
  const transactions = connects.mock.calls.filter((args: readonly unknown[]) => args.length === 0)
  expect(transactions.length).toBeLessThan(many)
  for (const place of places) expect(await seqsOf(place)).toEqual([1, 2, 3])
  expect(
    told()
      .filter(entry => entry.seq > 1)
      .map(({ conversation, seq }) => `${conversation}/${seq}`)
      .sort(),
  ).toEqual(places.flatMap(place => [`${place}/2`, `${place}/3`]).sort())
})

test('what refuses one touches no other, and leaves nothing of itself', async () => {
  const places = await makeMany()
  const [full = '', missing = '', role = ''] = places
  await ctx.pool.query(
    `INSERT INTO pins (conversation_id, seq, pinned, changed_seq, changed_by)
     SELECT $1, seq + 1, true, seq, $2 FROM generate_series(1, $3::int) seq`,
    [full, bob, limits.pinsMax],
  )
  const done = await Promise.allSettled(
    places.map(place =>
      place === missing
        ? react(ctx, alice, { ...to(place, 99), emoji: '👍', on: true })
        : place === role
          ? unpin(ctx, alice, to(place))
          : pin(ctx, alice, to(place)),
    ),
  )
  const refused = done.flatMap(one => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []))
  expect(refused).toEqual(['limit_reached', 'message_unknown', 'message_unknown'])
  for (const place of places.slice(3)) expect(await seqsOf(place)).toEqual([1, 2])
  for (const place of [missing, role]) expect(await seqsOf(place)).toEqual([1])
  expect((await like(missing)).seq).toBe(2)
})

test('a conversation that somebody else holds keeps none of the others waiting, and is done when it is free', async () => {
  const places = await makeMany()
  const [held = ''] = places
  let late: Promise<unknown> = Promise.resolve()
  await whileHeld(holdConversation, [held], async () => {
    late = like(held)
    const others = await Promise.all(places.slice(1).map(place => like(place)))
    expect(others.map(({ seq }) => seq)).toEqual(others.map(() => 2))
    expect(await seqsOf(held)).toEqual([1])
  })
  expect(await late).toMatchObject({ seq: 2 })
})

test('whatever else one of them needs that somebody holds, the others have theirs', async () => {
  const places = await makeMany(8)
  let pinned: Promise<unknown> = Promise.resolve()
  await whileHeld('LOCK TABLE pins IN EXCLUSIVE MODE', [], async () => {
    const all = places.slice(1).map(place => like(place))
    pinned = pin(ctx, alice, to(places[0]!))
    expect((await Promise.all(all)).map(({ seq }) => seq)).toEqual(all.map(() => 2))
  })
  expect(await pinned).toMatchObject({ seq: 2 })
})

test('a connection that breaks in the middle: each is done once, alone', async () => {
  const places = await makeMany()
  await ctx.pool.query(endNext)
  const done = await Promise.all(places.map(place => like(place)))
  expect(done.map(({ seq }) => seq)).toEqual(places.map(() => 2))
  for (const place of places) expect(await seqsOf(place)).toEqual([1, 2])
  const { rows } = await ctx.pool.query('SELECT FROM reaction_counts WHERE conversation_id = ANY($1)', [places])
  expect(rows).toHaveLength(many)
  await ctx.pool.query('DROP FUNCTION end_first CASCADE; DROP SEQUENCE reacted')
})

test('an answer that was lost: the same command, many times at once and later, makes one entry (P2)', async () => {
  const places = await makeMany(8)
  const inputs = places.map(place => ({ ...to(place), emoji: '👍', on: true }))
  const done = await Promise.all(inputs.flatMap(input => [0, 1, 2].map(() => react(ctx, alice, input))))
  const again = await Promise.all(inputs.map(input => react(ctx, alice, input)))
  expect([...done, ...again].map(({ seq }) => seq)).toEqual([...done, ...again].map(() => 2))
  for (const place of places) expect(await seqsOf(place)).toEqual([1, 2])
})

test('of one conversation they are decided in the order in which they came', async () => {
  const places = await makeMany(8)
  const done = await Promise.all(
    places.map(place => Promise.all([pin, unpin, pin, unpin].map(act => act(ctx, alice, to(place))))),
  )
  for (const one of done) expect(one.map(({ seq }) => seq)).toEqual([2, 3, 4, 5])
})

test('beside sends and other nodes nobody waits for anybody for ever, and no seq is missing', async () => {
  const other = await openTestChat(database.url, { masterKeys })
  const places = await makeMany(12)
  const rounds = 6
  const acts = (node: ChatContext, by: string, round: number) =>
    places.flatMap(place => [
      post(node, by, { conversation: place, clientId: randomUUID(), body: { text: 'hello' } }),
      react(node, by, { ...to(place), emoji: '👍', on: round % 2 === 0 }),
      pin(node, alice, to(place)),
    ])
  for (let round = 0; round < rounds; round++)
    await Promise.all([...acts(ctx, alice, round), ...acts(other.ctx, bob, round)])
  await other.close()
  // Of the pins of a conversation one alone is an entry; of the reactions each.
  for (const place of places)
    expect(await seqsOf(place)).toEqual(Array.from({ length: 2 + 4 * rounds }, (_, at) => at + 1))
})
