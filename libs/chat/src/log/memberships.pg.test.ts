import { randomUUID } from 'node:crypto'
import { makeConversation, makeUsers, type TestDatabase, testDatabase, until } from '@flotilla/testing'
import type { Pool, QueryConfig } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createMemberships } from './memberships.ts'
import { createPool } from '../store/pool.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
let database: TestDatabase
let pool: Pool
let users: string[]

beforeAll(async () => {
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 4, logger, applicationName: 'test' })
  users = await makeUsers(pool, 20)
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})

/** A pool that counts, that can hold answers back, and that can be away. */
function watched() {
  const counted = { queries: 0, answered: 0, away: false, hold: undefined as Promise<void> | undefined }
  const proxy = Object.create(pool) as Pool
  proxy.query = (async (config: QueryConfig) => {
    counted.queries++
    if (counted.away) throw new Error('away')
    const { hold } = counted
    const answer = await pool.query(config)
    counted.answered++
    await hold
    return answer
  }) as unknown as Pool['query']
  return { counted, proxy }
}

/** A conversation of more members is large here, once nodes have had ten minutes to join it. */
const sizes = { largeConversationMin: 4, interestSettleMs: 600_000 }

function open(membersCachedMax = 1_000) {
  const { counted, proxy } = watched()
  return { counted, memberships: createMemberships({ pool: proxy, membersCachedMax, ...sizes }) }
}

const set = (conversation: string, sql: string) =>
  pool.query(`UPDATE conversations SET ${sql} WHERE id = $1`, [conversation])

test('a conversation is read whole and once', async () => {
  const { counted, memberships } = open()
  const conversation = await makeConversation(pool, users.slice(0, 3))
  await set(conversation, 'version = 4, head_seq = 9')
  const membership = await memberships.of(conversation)
  expect(membership).toMatchObject({
    conversation,
    kind: 'group',
    version: 4,
    size: 3,
    byInterest: false,
    large: false,
    headSeen: 9,
  })
  expect([...membership!.users].sort()).toEqual(users.slice(0, 3).sort())
  expect(membership!.members.get(users[0]!)).toEqual({ role: 'owner', joinedSeq: 1 })
  expect(await memberships.member(membership!, users[1]!)).toEqual({ role: 'member', joinedSeq: 1 })
  expect(await memberships.member(membership!, users[9]!)).toBeUndefined()
  expect(await memberships.of(conversation)).toBe(membership)
  expect(counted.queries).toBe(1)
})

test('a direct conversation says so', async () => {
  const { memberships } = open()
  const conversation = await makeConversation(pool, users.slice(0, 2), 'direct')
  expect((await memberships.of(conversation))?.kind).toBe('direct')
})

test('a direct conversation that a block closes says so, and is read anew each time', async () => {
  const { counted, memberships } = open()
  const [low, high] = users.slice(10, 12) as [string, string]
  const conversation = await makeConversation(pool, [low, high], 'direct')
  expect(await memberships.of(conversation)).toMatchObject({ closed: false })
  for (const [by, other] of [
    [low, high],
    [high, low],
  ]) {
    await pool.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)', [by, other])
    memberships.drop(conversation)
    expect(await memberships.of(conversation)).toMatchObject({ closed: true })
    await pool.query('DELETE FROM blocks WHERE user_id = $1', [by])
    expect(await memberships.of(conversation)).toMatchObject({ closed: false })
  }
  expect(counted.queries).toBe(5)
})

test('what is asked in one turn is one query, and what does not exist is not remembered', async () => {
  const { counted, memberships } = open()
  const conversations = await Promise.all([0, 1, 2].map(n => makeConversation(pool, [users[n]!])))
  const unknown = randomUUID()
  const found = await Promise.all([...conversations, unknown, conversations[0]!].map(id => memberships.of(id)))
  expect(found.map(one => one?.users)).toEqual([[users[0]], [users[1]], [users[2]], undefined, [users[0]]])
  expect(counted.queries).toBe(1)
  expect(await memberships.of(unknown)).toBeUndefined()
  expect(counted.queries).toBe(2)
})

test('a drop below a version spares what is as new', async () => {
  const { counted, memberships } = open()
  const conversation = await makeConversation(pool, [users[0]!])
  await set(conversation, 'version = 3')
  await memberships.of(conversation)
  memberships.drop(conversation, 3)
  await memberships.of(conversation)
  expect(counted.queries).toBe(1)
  memberships.drop(conversation, 4)
  await memberships.of(conversation)
  expect(counted.queries).toBe(2)
  memberships.drop(conversation)
  memberships.drop(randomUUID())
  await memberships.of(conversation)
  expect(counted.queries).toBe(3)
})

test('what is old is found by its version alone, and what is not stays', async () => {
  const { counted, memberships } = open()
  const conversation = await makeConversation(pool, [users[0]!])
  const first = (await memberships.of(conversation))!
  expect(await memberships.dropIfOld(first)).toBe(false)
  expect(await memberships.of(conversation)).toBe(first)
  expect(counted.queries).toBe(2)
  await set(conversation, 'version = 2')
  expect(await memberships.dropIfOld(first)).toBe(true)
  const second = (await memberships.of(conversation))!
  expect(second).toMatchObject({ version: 2 })
  // Many who were decided by the old one come one after the other: it is read anew once.
  expect(await memberships.dropIfOld(first)).toBe(true)
  expect(await memberships.of(conversation)).toBe(second)
  await pool.query('DELETE FROM conversations WHERE id = $1', [conversation])
  expect(await memberships.dropIfOld(second)).toBe(true)
  expect(await memberships.of(conversation)).toBeUndefined()
})

test('a slow reading does not put an older version in place of a newer one', async () => {
  const { counted, memberships } = open()
  const conversation = await makeConversation(pool, [users[0]!])
  const held = Promise.withResolvers<void>()
  counted.hold = held.promise
  const slow = memberships.of(conversation)
  // It has its answer, of version 1, when the version moves on.
  await until(() => counted.answered === 1, { what: 'the answer of the store' })
  counted.hold = undefined
  await set(conversation, 'version = 2')
  memberships.drop(conversation, 2)
  expect((await memberships.of(conversation))?.version).toBe(2)
  held.resolve()
  expect((await slow)?.version).toBe(2)
  expect((await memberships.of(conversation))?.version).toBe(2)
})

test('who was added while a reading was under way is not refused by what it read', async () => {
  const { counted, memberships } = open()
  const [owner, added] = users as [string, string]
  const conversation = await makeConversation(pool, [owner])
  const held = Promise.withResolvers<void>()
  counted.hold = held.promise
  const slow = memberships.of(conversation)
  await until(() => counted.answered === 1, { what: 'the answer of the store' })
  counted.hold = undefined
  await pool.query('INSERT INTO members (conversation_id, user_id, role, joined_seq) VALUES ($1, $2, 1, 2)', [
    conversation,
    added,
  ])
  await set(conversation, 'version = 2, member_count = 2')
  const standing = memberships.demand(conversation, added)
  held.resolve()
  await slow
  expect(await standing).toMatchObject({ membership: { version: 2 }, member: { joinedSeq: 2 } })
})

test('the least recently used go first when too many members are held', async () => {
  // Each weighs its members and 8.
  const { counted, memberships } = open(30)
  const ids = await Promise.all([0, 1, 2].map(() => makeConversation(pool, users.slice(0, 4))))
  for (const id of [ids[0]!, ids[1]!, ids[0]!, ids[2]!]) await memberships.of(id)
  expect(counted.queries).toBe(3)
  await memberships.of(ids[0]!)
  await memberships.of(ids[2]!)
  expect(counted.queries).toBe(3)
  await memberships.of(ids[1]!)
  expect(counted.queries).toBe(4)
})

test('one conversation that alone is too much is still answered', async () => {
  const { counted, memberships } = open(5)
  const conversation = await makeConversation(pool, users.slice(0, 10))
  expect((await memberships.of(conversation))?.users).toHaveLength(10)
  await memberships.of(conversation)
  expect(counted.queries).toBe(1)
})

test('after a clear everything is read again', async () => {
  const { counted, memberships } = open(30)
  const ids = await Promise.all([0, 1].map(() => makeConversation(pool, users.slice(0, 4))))
  for (let round = 0; round < 3; round++) {
    for (const id of [...ids, ...ids]) await memberships.of(id)
    memberships.clear()
  }
  // Twice a round: the weights were forgotten too, or one would push out the other.
  expect(counted.queries).toBe(6)
})

test('a large conversation is not held whole; members are asked for one by one, once', async () => {
  const { counted, memberships } = open()
  const conversation = await makeConversation(pool, users.slice(0, 5))
  await set(conversation, "large_since = now() - interval '11 minutes'")
  const membership = (await memberships.of(conversation))!
  expect(membership).toMatchObject({ large: true, size: 5, users: [] })
  expect(membership.members.size).toBe(0)
  for (let round = 0; round < 2; round++) {
    expect(await memberships.member(membership, users[0]!)).toEqual({ role: 'owner', joinedSeq: 1 })
    expect(await memberships.member(membership, users[9]!)).toBeUndefined()
  }
  expect(counted.queries).toBe(3)
})

test('a conversation that goes by interest and is not large is held whole', async () => {
  const { memberships } = open()
  const conversation = await makeConversation(pool, users.slice(0, 4))
  await set(conversation, "large_since = now() - interval '11 minutes'")
  const membership = (await memberships.of(conversation))!
  expect(membership).toMatchObject({ byInterest: true, large: false })
  expect(membership.users).toHaveLength(4)
})

test('a conversation that has just become large is still addressed person by person, and held whole', async () => {
  const { memberships } = open()
  const conversation = await makeConversation(pool, users.slice(0, 5))
  await set(conversation, "large_since = now() - interval '9 minutes'")
  const membership = (await memberships.of(conversation))!
  expect(membership).toMatchObject({ byInterest: false, large: false })
  expect(membership.users).toHaveLength(5)
})

test('a look-up that failed is tried again', async () => {
  const conversation = await makeConversation(pool, users.slice(0, 5))
  await set(conversation, "large_since = now() - interval '1 hour'")
  const { counted, memberships } = open()
  const membership = (await memberships.of(conversation))!
  counted.away = true
  await expect(memberships.member(membership, users[0]!)).rejects.toThrow('away')
  memberships.drop(conversation)
  await expect(memberships.of(conversation)).rejects.toThrow('away')
  counted.away = false
  expect(await memberships.member(membership, users[0]!)).toMatchObject({ role: 'owner' })
  expect(await memberships.of(conversation)).toMatchObject({ large: true })
})
