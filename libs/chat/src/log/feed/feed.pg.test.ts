import { randomBytes, randomUUID } from 'node:crypto'
import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
  until,
} from '@flotilla/testing'
import type { PoolClient } from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { rename } from '../conversations/rename.ts'
import { edit } from '../messages/edit.ts'
import { post } from '../messages/post.ts'
import { type Batch, type Consumer, consume, type ConsumeOptions, type Consumption, partOf } from './consume.ts'
import { figures } from './figures.ts'
import { createHorizon } from './horizon.ts'
import { noteMissed } from './note.ts'

let database: TestDatabase
/** Two nodes. */
let chats: TestChat[]
let user: string

const pool = () => chats[0]!.ctx.pool
const name = () => `test-${randomUUID()}`

beforeAll(async () => {
  database = await testDatabase()
  const masterKeys = [{ id: 'test', key: randomBytes(32) }]
  const settings = { messagesPerSecond: 10_000, messagesBurst: 100_000 }
  chats = [
    await openTestChat(database.url, { masterKeys, settings }),
    await openTestChat(database.url, { masterKeys, settings }),
  ]
  user = (await makeUsers(pool(), 1))[0]!
  await pool().query(
    'CREATE TABLE heard (n bigserial, consumer text NOT NULL, conversation uuid NOT NULL, seq bigint NOT NULL)',
  )
})
afterAll(async () => {
  for (const chat of chats) await chat.close()
  await database.drop()
})
beforeEach(() => pool().query('TRUNCATE feed_positions, feed_notes'))

const say = (conversation: string, node = 0) =>
  post(chats[node]!.ctx, user, { conversation, clientId: randomUUID(), body: { text: 'hello' } })

/** An entry that changes an earlier one. */
const change = (conversation: string, node: number) =>
  edit(chats[node]!.ctx, user, { conversation, clientId: randomUUID(), target: 1, body: { text: 'hello again' } })

/** Writes down what it hears, with the position. `around` runs in the middle of each batch. */
const listener = (consumer: string, around: (batch: Batch) => Promise<void> | void = () => {}): Consumer => ({
  name: consumer,
  async handle(batch) {
    await around(batch)
    const { entries } = batch
    return async tx =>
      void (await tx.query(
        'INSERT INTO heard (consumer, conversation, seq) SELECT $1, conversation, seq FROM unnest($2::uuid[], $3::int8[]) WITH ORDINALITY AS g (conversation, seq, n) ORDER BY n',
        [consumer, entries.map(one => one.conversation), entries.map(one => one.seq)],
      ))
  },
})

const open = (consumer: Consumer, options?: ConsumeOptions, node = 0) => consume(chats[node]!.ctx, consumer, options)

/** Turns until there is nothing to take at present. */
async function spin(consumption: Consumption): Promise<void> {
  while ((await consumption.turn()) !== 'none');
}

/** Turns until all is taken. Tests beside this one have transactions open in the same cluster, which are waited for. */
const drain = (consumption: Consumption) =>
  until(async () => (await consumption.turn()) === 'none' && consumption.waitsMs() === 0, {
    what: 'all is taken',
    everyMs: 1,
  })

/** What was heard of each conversation, in the order in which it was. */
async function heard(consumer: string): Promise<Record<string, number[]>> {
  const { rows } = await pool().query<{ conversation: string; seqs: number[] }>(
    'SELECT conversation, array_agg(seq ORDER BY n) AS seqs FROM heard WHERE consumer = $1 GROUP BY 1',
    [consumer],
  )
  return Object.fromEntries(rows.map(row => [row.conversation, row.seqs]))
}

const upTo = (head: number) => Array.from({ length: head }, (_, n) => n + 1)

async function inTransaction<T>(work: (tx: PoolClient) => Promise<T>, end: 'COMMIT' | 'ROLLBACK' = 'COMMIT') {
  const tx = await pool().connect()
  try {
    await tx.query('BEGIN')
    return await work(tx)
  } finally {
    await tx.query(end)
    tx.release()
  }
}

/** As the version before writes: no note, and nothing of `fed_seq`. */
const writeUnnoted = (conversation: string, count: number) =>
  pool().query(
    `WITH moved AS (UPDATE conversations SET head_seq = head_seq + $2 WHERE id = $1 RETURNING id, head_seq)
     INSERT INTO messages (conversation_id, seq, created_at, sender_id, client_id, key_id, kind, body)
     SELECT id, head_seq - $2 + n, now(), $3, gen_random_uuid(), 1, 1, '' FROM moved, generate_series(1, $2::int) n`,
    [conversation, count, user],
  )

test('writers, changes, long transactions and several workers at once: everything is heard once and in order', async () => {
  const consumer = name()
  const groups = await Promise.all(Array.from({ length: 12 }, () => makeConversation(pool(), [user])))
  await Promise.all(groups.map(group => say(group)))
  const written = new AbortController()
  const write = async (node: number) => {
    for (let n = 0; n < 60; n++)
      await Promise.all(
        groups.map((group, at) => {
          if ((n + at) % 10 === 9) return rename(chats[node]!.ctx, user, { conversation: group, name: `${n} ${node}` })
          return at % 4 === node ? change(group, node) : say(group, node)
        }),
      )
  }
  /** Now and then somebody holds up everybody, and some of them give up. */
  const hold = async () => {
    for (let n = 0; !written.signal.aborted; n++)
      await inTransaction(
        async tx => {
          await tx.query('UPDATE conversations SET head_seq = head_seq WHERE id = $1', [groups[n % 12]])
          await tx.query(`SELECT nextval('feed_places'), pg_sleep(0.02)`)
        },
        n % 2 === 0 ? 'COMMIT' : 'ROLLBACK',
      )
  }
  const workers = [0, 1, 1].map(node => open(listener(consumer), { entriesMax: 20 }, node))
  const work = async (one: Consumption) => {
    while (!written.signal.aborted) await one.turn()
  }
  const others = [hold(), ...workers.map(work)]
  await Promise.all([write(0), write(1)])
  written.abort()
  await Promise.all(others)
  await drain(workers[0]!)
  const found = await heard(consumer)
  for (const group of groups) expect(found[group]).toEqual(upTo(121))
})

test('an entry that commits late is not passed over, and what was written later waits for it', async () => {
  const consumer = name()
  const [late, soon] = [await makeConversation(pool(), [user]), await makeConversation(pool(), [user])]
  const consumption = open(listener(consumer))
  await inTransaction(async tx => {
    await tx.query(
      `WITH moved AS (UPDATE conversations SET head_seq = 1, fed_seq = 1 WHERE id = $1 RETURNING id), noted AS (
         INSERT INTO feed_notes (entries, conversations, afters, counts) SELECT 1, ARRAY[id], ARRAY[0], ARRAY[1] FROM moved)
       INSERT INTO messages (conversation_id, seq, created_at, sender_id, client_id, key_id, kind, body)
       SELECT id, 1, now(), $2, gen_random_uuid(), 1, 1, '' FROM moved`,
      [late, user],
    )
    await say(soon)
    await spin(consumption)
    expect(await heard(consumer)).toEqual({})
    expect(consumption.waitsMs()).toBeGreaterThan(0)
    expect((await figures({ pool: pool() })).find(one => one.consumer === consumer)!.entries).toBeGreaterThan(0)
  })
  await drain(consumption)
  expect(await heard(consumer)).toEqual({ [late]: [1], [soon]: [1] })
  expect(consumption.waitsMs()).toBe(0)
  expect((await figures({ pool: pool() })).find(one => one.consumer === consumer)).toMatchObject({
    entries: 0,
    lateMs: 0,
  })
})

test('any transaction with a number that stays open holds the feed up, and one that only reads does not', async () => {
  const consumer = name()
  const group = await makeConversation(pool(), [user])
  const consumption = open(listener(consumer))
  await inTransaction(async reader => {
    await reader.query('SELECT FROM users')
    await say(group)
    await drain(consumption)
    expect(await heard(consumer)).toEqual({ [group]: [1] })
  })
  await inTransaction(async tx => {
    await tx.query('SELECT pg_current_xact_id()')
    await say(group)
    await spin(consumption)
    expect(await heard(consumer)).toEqual({ [group]: [1] })
  })
  await drain(consumption)
  expect(await heard(consumer)).toEqual({ [group]: [1, 2] })
})

test('whoever wakes after its lease was taken moves nothing and writes nothing', async () => {
  const consumer = name()
  const group = await makeConversation(pool(), [user])
  await say(group)
  let wake = () => {}
  let asleep = false
  const sleeper = open(
    listener(consumer, async () => {
      if (asleep) return
      asleep = true
      await new Promise<void>(resolve => (wake = resolve))
    }),
    { leaseMs: 50 },
  )
  const sleeping = drain(sleeper)
  await until(() => asleep, { what: 'a worker has the batch' })
  const other = open(listener(consumer), {}, 1)
  await until(async () => (await other.turn()) !== 'none' && (await heard(consumer))[group] !== undefined, {
    what: 'another takes it over',
  })
  await say(group)
  await drain(other)
  wake()
  await sleeping
  expect(await heard(consumer)).toEqual({ [group]: [1, 2] })
})

test('a batch that fails comes again, and keeps no other part waiting', async () => {
  const consumer = name()
  const bad = await makeConversation(pool(), [user])
  let fine = bad
  while (partOf(fine) === partOf(bad)) fine = await makeConversation(pool(), [user])
  let broken = true
  const fails = (batch: Batch) => {
    if (broken && batch.entries.some(one => one.conversation === bad)) throw new Error('as if')
  }
  const consumption = open(listener(consumer, fails))
  await say(bad)
  await say(fine)
  await drain(consumption)
  expect(await heard(consumer)).toEqual({ [fine]: [1] })
  await say(bad)
  broken = false
  await pool().query(`UPDATE feed_positions SET leased_until = '-infinity'`)
  await drain(consumption)
  expect(await heard(consumer)).toEqual({ [fine]: [1], [bad]: [1, 2] })
})

test('a position that was read of another store is not moved, and what is settled there is found anew', async () => {
  const consumer = name()
  const group = await makeConversation(pool(), [user])
  await say(group)
  const raise = () => pool().query('UPDATE store SET epoch = epoch + 1')
  let raised = 0
  const consumption = open(listener(consumer, async () => void (raised++ === 0 && (await raise()))))
  await drain(consumption)
  expect(await heard(consumer)).toEqual({})
  await pool().query(`UPDATE feed_positions SET leased_until = '-infinity'`)
  await drain(consumption)
  expect(await heard(consumer)).toEqual({ [group]: [1] })

  const horizon = createHorizon(pool())
  await horizon.look()
  await inTransaction(async tx => {
    await tx.query('SELECT pg_current_xact_id()')
    await raise()
    expect((await horizon.look()).place).toBe(0)
  })
  await until(async () => (await horizon.look()).place > 0, { what: 'it is settled again' })
})

test('what the version before wrote is noted by the next send where it is little, and by the worker where it is much', async () => {
  const consumer = name()
  const [little, much, silent] = await Promise.all([1, 2, 3].map(() => makeConversation(pool(), [user])))
  const consumption = open(listener(consumer), { entriesMax: 100 })
  await writeUnnoted(little!, 50)
  await writeUnnoted(much!, 1_200)
  await writeUnnoted(silent!, 3)
  for (const group of [little!, much!]) await say(group)
  await rename(chats[0]!.ctx, user, { conversation: silent!, name: 'x' })
  await drain(consumption)
  expect(await heard(consumer)).toEqual({ [little!]: upTo(51) })
  await noteMissed(chats[0]!.ctx)
  await Promise.all([little!, much!, silent!].map(group => say(group)))
  await noteMissed(chats[0]!.ctx)
  await drain(consumption)
  expect(await heard(consumer)).toEqual({
    [little!]: upTo(52),
    [much!]: upTo(1_202),
    [silent!]: upTo(5),
  })
  const lacking = await pool().query('SELECT FROM conversations WHERE fed_seq <> head_seq')
  expect(lacking.rowCount).toBe(0)
})

test('what is written and the position are committed together, or not at all', async () => {
  const consumer = name()
  const group = await makeConversation(pool(), [user])
  await say(group)
  await pool().query('CREATE TABLE once (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED)')
  let broken = true
  const consumption = open({
    name: consumer,
    handle: () => async tx =>
      void (await tx.query(`INSERT INTO once SELECT ${broken ? 1 : 'n'} FROM generate_series(1, 2) n`)),
  })
  await drain(consumption)
  const places = async () =>
    (
      await pool().query<{ place: number }>('SELECT max(place) AS place FROM feed_positions WHERE part = $1', [
        partOf(group),
      ])
    ).rows
  expect(await places()).toEqual([{ place: 0 }])
  broken = false
  await pool().query(`UPDATE feed_positions SET leased_until = '-infinity'`)
  await drain(consumption)
  expect((await places())[0]!.place).toBeGreaterThan(0)
  expect((await pool().query('SELECT FROM once')).rowCount).toBe(2)
})

test('a batch is opened where a consumer asks for it', async () => {
  const group = await makeConversation(pool(), [user])
  await say(group)
  const opened: unknown[] = []
  await drain(open(listener(name(), async batch => void opened.push(...(await batch.open())))))
  expect(opened).toMatchObject([
    { event: 'message.new', conversation: group, seq: 1, by: user, body: { text: 'hello' } },
  ])
})
