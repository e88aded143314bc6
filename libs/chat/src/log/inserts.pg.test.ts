import { randomUUID } from 'node:crypto'
import { makeConversation, makeUsers, type TestDatabase, testDatabase, until } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { NewEntry } from './insert-statements.ts'
import { createInserts, type Inserts, type Placed } from './inserts.ts'
import { createPool, type Pool } from '../store/pool.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
let database: TestDatabase
let pool: Pool
let users: string[]
let inserts: Inserts

const open = (options: Partial<Parameters<typeof createInserts>[0]> = {}) =>
  createInserts({
    pool,
    logger,
    epoch: () => 1,
    commitWindowMs: 1,
    commitEntriesMax: 256,
    commitQueueMax: 10_000,
    commitWaitMs: 60_000,
    ...options,
  })

function entry(conversation: string, more: Partial<NewEntry> = {}): NewEntry {
  const body = Buffer.from('sealed')
  return {
    conversation,
    version: 1,
    sender: users[0]!,
    clientId: randomUUID(),
    replyTo: undefined,
    kind: 1,
    sealed: { keyId: 1, body },
    absent: [],
    ...more,
  }
}

async function seqs(conversation: string): Promise<number[]> {
  const found = await pool.query<{ seq: number }>('SELECT seq FROM messages WHERE conversation_id = $1 ORDER BY seq', [
    conversation,
  ])
  return found.rows.map(row => row.seq)
}

const head = async (conversation: string) =>
  (await pool.query<{ head_seq: number }>('SELECT head_seq FROM conversations WHERE id = $1', [conversation])).rows[0]!
    .head_seq

beforeAll(async () => {
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 8, logger, applicationName: 'test' })
  users = await makeUsers(pool, 3)
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})
beforeEach(() => {
  inserts = open()
  return () => inserts.close()
})

const placed = (result: Awaited<ReturnType<Inserts['add']>>) => {
  if (typeof result === 'string') throw new Error(result)
  return result
}

test('entries of one turn are committed together, each conversation numbered by itself', async () => {
  const [a, b] = [await makeConversation(pool, users), await makeConversation(pool, users)]
  const results = await Promise.all([entry(a), entry(b), entry(a), entry(b), entry(a)].map(one => inserts.add(one)))
  expect(results.map(one => placed(one).seq)).toEqual([1, 1, 2, 2, 3])
  expect(inserts.stats).toMatchObject({ flushes: 1, stored: 5 })
  expect([await head(a), await head(b)]).toEqual([3, 2])
})

test('a repetition is answered with the first result and burns no seq, now and much later (P2)', async () => {
  const conversation = await makeConversation(pool, users)
  const one = entry(conversation)
  const [first, same] = (await Promise.all([inserts.add(one), inserts.add(one)])) as [Placed, Placed | 'stale']
  expect(same).toBe('stale')
  const neighbours = [
    inserts.add(entry(conversation)),
    inserts.add({ ...one, sealed: { keyId: 1, body: Buffer.from('another body') } }),
    inserts.add(entry(conversation)),
  ]
  const [before, again, after] = await Promise.all(neighbours)
  expect(placed(again!)).toMatchObject({ seq: first.seq, at: first.at, earlier: { body: Buffer.from('sealed') } })
  expect([placed(before!).seq, placed(after!).seq]).toEqual([2, 3])
  const elsewhere = open()
  expect(placed(await elsewhere.add(one)).seq).toBe(first.seq)
  await elsewhere.close()
  expect(await seqs(conversation)).toEqual([1, 2, 3])
})

test('the same clientId of another sender is another message', async () => {
  const conversation = await makeConversation(pool, users)
  const one = entry(conversation)
  const results = await Promise.all([inserts.add(one), inserts.add({ ...one, sender: users[1]! })])
  expect(results.map(result => placed(result).seq)).toEqual([1, 2])
})

test('an old membership version writes nothing, and its neighbours are written (P8)', async () => {
  const [moved, other] = [await makeConversation(pool, users), await makeConversation(pool, users)]
  await pool.query('UPDATE conversations SET version = 2 WHERE id = $1', [moved])
  const results = await Promise.all([
    inserts.add(entry(moved, { absent: [users[1]!] })),
    inserts.add(entry(other)),
    inserts.add(entry(moved)),
    inserts.add(entry(randomUUID())),
  ])
  expect(results).toMatchObject(['stale', { seq: 1 }, 'stale', 'unknown'])
  expect(await head(moved)).toBe(0)
  expect((await pool.query('SELECT FROM offline_messages WHERE conversation_id = $1', [moved])).rowCount).toBe(0)
  const both = await Promise.all([inserts.add(entry(moved, { version: 1 })), inserts.add(entry(moved, { version: 2 }))])
  expect(both).toMatchObject(['stale', { seq: 1 }])
})

const changing = (conversation: string, target: number, more: Partial<NewEntry['change'] & object> = {}) =>
  entry(conversation, {
    kind: 8,
    change: { target, before: undefined, sealed: { keyId: 2, body: Buffer.from(`new ${target}`) }, ...more },
  })
const rowsOf = async (conversation: string) =>
  (
    await pool.query<{ seq: number; key: number; body: string; changed: number | null; same: boolean }>(
      `SELECT m.seq, m.key_id AS key, convert_from(m.body, 'UTF8') AS body, m.changed_seq AS changed, m.edited_at = e.created_at AS same
         FROM messages m LEFT JOIN messages e ON e.conversation_id = m.conversation_id AND e.seq = m.changed_seq
        WHERE m.conversation_id = $1 ORDER BY m.seq`,
      [conversation],
    )
  ).rows

test('an entry that changes a row is stored with the change, beside those that change nothing', async () => {
  const [a, b] = [await makeConversation(pool, users), await makeConversation(pool, users)]
  await Promise.all([entry(a), entry(b)].map(one => inserts.add(one)))
  const results = await Promise.all([changing(a, 1), entry(a), changing(b, 1), entry(b)].map(one => inserts.add(one)))
  const [changedA, plainA, changedB, plainB] = results.map(one => placed(one).seq)
  expect([changedA! + plainA!, changedB! + plainB!]).toEqual([5, 5])
  for (const [conversation, changed] of [
    [a, changedA],
    [b, changedB],
  ] as const)
    expect(await rowsOf(conversation)).toMatchObject([
      { seq: 1, key: 2, body: 'new 1', changed, same: true },
      { seq: 2, key: 1, body: 'sealed', changed: null },
      { seq: 3, key: 1, body: 'sealed', changed: null },
    ])
})

test('of two that change the same row the second is stale, and goes when it knows the first', async () => {
  const conversation = await makeConversation(pool, users)
  await inserts.add(entry(conversation))
  const second = changing(conversation, 1)
  const results = await Promise.all([inserts.add(changing(conversation, 1)), inserts.add(second)])
  expect(results).toMatchObject([{ seq: 2 }, 'stale'])
  expect(await head(conversation)).toBe(2)
  const before = { seq: 2, sealed: { keyId: 3, body: Buffer.from('') } }
  const again = { ...second, change: { ...second.change!, before } }
  expect(placed(await inserts.add(again)).seq).toBe(3)
  expect(await rowsOf(conversation)).toMatchObject([
    { seq: 1, body: 'new 1', changed: 3 },
    { seq: 2, key: 3, body: '' },
    { seq: 3, body: 'sealed' },
  ])
  // A repetition changes nothing once more.
  const late = { ...second, change: { ...second.change!, before: { ...before, seq: 3 } } }
  expect(placed(await inserts.add(late))).toMatchObject({ seq: 3, earlier: { body: Buffer.from('sealed') } })
  expect((await rowsOf(conversation))[2]).toMatchObject({ body: 'sealed' })
})

test('a row that is changed while the batch waits for the lock is found changed', async () => {
  const conversation = await makeConversation(pool, users)
  await inserts.add(entry(conversation))
  const client = await pool.connect()
  await client.query('BEGIN')
  await client.query('SELECT FROM conversations WHERE id = $1 FOR UPDATE', [conversation])
  const adding = inserts.add(changing(conversation, 1))
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ~ 'outdated AS'`
  await until(async () => (await pool.query(waiting)).rowCount === 1, { what: 'the batch waits for the lock' })
  await client.query('UPDATE messages SET changed_seq = 1 WHERE conversation_id = $1', [conversation])
  await client.query('COMMIT')
  client.release()
  expect(await adding).toBe('stale')
  expect(await rowsOf(conversation)).toMatchObject([{ seq: 1, body: 'sealed' }])
})

test('the absent get their rows in the same commit', async () => {
  const conversation = await makeConversation(pool, users)
  await Promise.all([
    inserts.add(entry(conversation, { absent: [users[1]!, users[2]!] })),
    inserts.add(entry(conversation, { absent: [users[2]!] })),
  ])
  const found = await pool.query(
    'SELECT user_id, seq FROM offline_messages WHERE conversation_id = $1 ORDER BY seq, user_id',
    [conversation],
  )
  const expected = [
    ...[users[1]!, users[2]!].sort().map(user => ({ user_id: user, seq: 1 })),
    { user_id: users[2], seq: 2 },
  ]
  expect(found.rows).toEqual(expected)
})

test('three processes on the same conversations leave no gap and no double (P3)', async () => {
  const conversations = await Promise.all(Array.from({ length: 4 }, () => makeConversation(pool, users)))
  const nodes = [open(), open(), open()]
  const repeated = conversations.map(conversation => entry(conversation))
  const results = await Promise.all(
    nodes.flatMap(node => [
      ...repeated.map(one => node.add(one)),
      ...Array.from({ length: 200 }, (_, nth) => node.add(entry(conversations[nth % 4]!))),
    ]),
  )
  expect(results.every(result => typeof result === 'object')).toBe(true)
  await Promise.all(nodes.map(node => node.close()))
  for (const conversation of conversations)
    expect(await seqs(conversation)).toEqual(Array.from({ length: 151 }, (_, nth) => nth + 1))
})

test('processes that write to the same conversations, each in its order, never lock each other out', async () => {
  const conversations = await Promise.all(Array.from({ length: 40 }, () => makeConversation(pool, users)))
  const orders = [conversations, conversations.toReversed(), conversations, conversations.toReversed()]
  const writers = createPool({ url: database.url, connectionsMax: 4, logger, applicationName: 'test' })
  const nodes = orders.map(() => open({ pool: writers }))
  for (let round = 0; round < 30; round++)
    await Promise.all(nodes.flatMap((node, nth) => orders[nth]!.map(one => node.add(entry(one)))))
  await Promise.all(nodes.map(node => node.close()))
  // A connection writes down what it has counted when it ends.
  await writers.end()
  // A batch that lost is written again, so only the store tells of it.
  const found = await pool.query<{ deadlocks: number }>(
    'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
  )
  expect(found.rows).toEqual([{ deadlocks: 0 }])
  for (const one of conversations) expect(await head(one)).toBe(120)
})

test('an entry that the store refuses does not keep its neighbours out', async () => {
  const conversation = await makeConversation(pool, users)
  const refused = entry(conversation, { kind: 70_000 })
  const all = [
    ...Array.from({ length: 20 }, () => entry(conversation)),
    refused,
    ...Array.from({ length: 20 }, () => entry(conversation)),
  ]
  const results = await Promise.allSettled(all.map(one => inserts.add(one)))
  expect(results.map(result => result.status).filter(status => status === 'rejected')).toHaveLength(1)
  expect(results[20]).toMatchObject({ status: 'rejected', reason: { code: 'internal' } })
  expect(await seqs(conversation)).toHaveLength(40)
})

test('a full queue refuses with the time to come back', async () => {
  const conversation = await makeConversation(pool, users)
  const small = open({ commitQueueMax: 2 })
  const taken = [small.add(entry(conversation)), small.add(entry(conversation))]
  expect(() => small.add(entry(conversation))).toThrow(expect.objectContaining({ code: 'overloaded' }))
  await Promise.all(taken)
  await small.close()
})

test('a connection that the server ends under a batch is replaced, and the batch is stored once', async () => {
  const conversation = await makeConversation(pool, users)
  const locker = await pool.connect()
  await locker.query('BEGIN')
  await locker.query('SELECT FROM conversations WHERE id = $1 FOR UPDATE', [conversation])
  const adding = inserts.add(entry(conversation))
  const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  for (let found = 0; found === 0; ) found = (await pool.query(waiting)).rows.length
  await pool.query(`SELECT pg_terminate_backend(pid) FROM (${waiting}) w`)
  await locker.query('COMMIT')
  locker.release()
  expect(placed(await adding).seq).toBe(1)
  expect(inserts.stats.retries).toBe(1)
  expect(await seqs(conversation)).toEqual([1])
})

test('closing commits what waits', async () => {
  const conversation = await makeConversation(pool, users)
  const closing = open({ commitWindowMs: 50 })
  await closing.add(entry(conversation))
  const late = closing.add(entry(conversation))
  await closing.close()
  expect(placed(await late).seq).toBe(2)
})

test('a wall clock that is set back holds nothing up', async () => {
  const conversation = await makeConversation(pool, users)
  expect(placed(await inserts.add(entry(conversation))).seq).toBe(1)
  const wall = vi.spyOn(Date, 'now').mockReturnValue(Date.now() - 3_600_000)
  try {
    for (let seq = 2; seq <= 20; seq++) expect(placed(await inserts.add(entry(conversation))).seq).toBe(seq)
  } finally {
    wall.mockRestore()
  }
})

test('while the store hangs, each entry is answered at its own time, and a repetition finds out what became of it', async () => {
  const conversation = await makeConversation(pool, users)
  const patient = open({ commitWaitMs: 400 })
  const lock = await pool.connect()
  await lock.query('BEGIN')
  await lock.query('SELECT FROM conversations WHERE id = $1 FOR UPDATE', [conversation])
  const one = entry(conversation)
  // Counted, so that a machine that stands still does not count.
  const tickMs = 50
  let ticks = 0
  const ticking = setInterval(() => ticks++, tickMs)
  const answers = [one, ...Array.from({ length: 3 }, () => entry(conversation))].map(async (each, nth) => {
    await new Promise(resolve => setTimeout(resolve, nth * 100))
    const startedAt = ticks
    const refused = await patient.add(each).catch((error: unknown) => error)
    return { refused, waitedMs: (ticks - startedAt) * tickMs }
  })
  for (const { refused, waitedMs } of await Promise.all(answers)) {
    expect(refused).toMatchObject({ code: 'unavailable' })
    // Not the sum of the time-outs of whatever was tried meanwhile.
    expect(waitedMs).toBeLessThan(2_000)
  }
  clearInterval(ticking)
  await lock.query('COMMIT')
  lock.release()
  expect(placed(await inserts.add(one)).seq).toBeGreaterThan(0)
  // In one statement: what was told that the store is away waited for the lock, too, and may be stored only now.
  const { rows } = await pool.query<{ head: number; entries: number }>(
    `SELECT head_seq AS head, (SELECT count(*)::int FROM messages WHERE conversation_id = c.id) AS entries
       FROM conversations c WHERE id = $1`,
    [conversation],
  )
  expect(rows[0]!.entries).toBe(rows[0]!.head)
  await patient.close()
})

test('what was decided in another epoch of the store is decided anew: versions count in their epoch only', async () => {
  const conversation = await makeConversation(pool, users)
  let epoch = 1
  const changing = open({ epoch: () => epoch })
  const before = changing.add(entry(conversation))
  epoch = 2
  expect(await before).toBe('stale')
  expect(placed(await changing.add(entry(conversation))).seq).toBe(1)
  await changing.close()
})
