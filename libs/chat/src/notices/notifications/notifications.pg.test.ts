import { randomUUID } from 'node:crypto'
import { type EventOf, limits, type Notification } from '@flotilla/protocol'
import {
  makeConversation,
  makeLarge,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { addMembers, createGroup, leave, removeMember } from '../../log/conversations/index.ts'
import { post } from '../../log/messages/index.ts'
import { read as readMessages } from '../../log/receipts/index.ts'
import { add, addMany, count, list, notificationsKeptMax, read, readAll } from './index.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob, carol, stranger] = ['', '', '', '']
let conversation = ''

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { settings: { receiptWindowMs: 1, interestSettleMs: 0 } })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob, carol, stranger] = (await makeUsers(ctx.pool, 4)) as [string, string, string, string]
  conversation = await makeConversation(ctx.pool, [alice, bob, carol])
  chat.emitted.length = 0
})

const all = async (user: string) => (await list(ctx, user, { limit: 50 })).notifications
const heard = <N extends 'notification.new' | 'notification.read' | 'notification.removed'>(user: string, name: N) =>
  chat.emitted.flatMap(({ to, event }) =>
    event.event === name && Array.isArray(to) && to.includes(user) ? [event as EventOf<N>] : [],
  )
const mention = (by: string, mentions: string[], clientId = randomUUID()) =>
  post(ctx, by, { conversation, clientId, body: { text: 'look', mentions } })
const block = (by: string, blocked: string) =>
  ctx.pool.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)', [by, blocked])
const request = (user: string, actor?: string, dedup: string = randomUUID()) =>
  add(ctx, { user, kind: 'contact_request', dedup, actor, detail: { request: dedup } })

// ── adding ───────────────────────────────────────────────────────────────────────────────────────────────────────────

test('what is added is stored, counted, and told to the person alone', async () => {
  await request(alice, bob, 'one')
  const expected = {
    id: expect.any(String),
    kind: 'contact_request',
    at: expect.any(Number),
    read: false,
    actor: { id: bob, username: `u${bob}`, displayName: expect.any(String), avatar: null },
    detail: { request: 'one' },
  }
  expect(await all(alice)).toEqual([expected])
  expect(await count(ctx, alice)).toBe(1)
  expect(chat.emitted).toEqual([
    { class: 'signal', to: [alice], event: { event: 'notification.new', notification: expected, unread: 1 } },
  ])
  expect(heard(alice, 'notification.new')[0]?.notification).toEqual((await all(alice))[0])
})

test('what is added again, also at once, is one notification that is told once', async () => {
  await Promise.all(Array.from({ length: 8 }, () => request(alice, bob, 'same')))
  await request(alice, bob, 'same')
  expect(await all(alice)).toHaveLength(1)
  expect(heard(alice, 'notification.new')).toHaveLength(1)
})

test.each([
  ['whom the actor has blocked', () => block(bob, alice)],
  ['who has blocked the actor', () => block(alice, bob)],
])('nobody is told %s', async (_name, blocking) => {
  await blocking()
  await addMany(ctx, [alice, carol], { kind: 'contact_accepted', dedup: 'x', actor: bob })
  expect(await all(alice)).toEqual([])
  expect(await all(carol)).toHaveLength(1)
  expect(heard(alice, 'notification.new')).toEqual([])
})

test('a person keeps the latest thousand, and the count ends at its maximum', async () => {
  await ctx.pool.query(
    `INSERT INTO notifications (id, user_id, kind, dedup, at)
     SELECT gen_random_uuid(), $1, 'mention', n::text, now() - n * interval '1 minute' FROM generate_series(1, $2::int) n`,
    [alice, notificationsKeptMax],
  )
  await request(alice, bob, 'the newest')
  const kept = await ctx.pool.query<{ dedup: string }>('SELECT dedup FROM notifications WHERE user_id = $1', [alice])
  expect(kept.rows).toHaveLength(notificationsKeptMax)
  expect(kept.rows.map(row => row.dedup)).toContain('the newest')
  expect(kept.rows.map(row => row.dedup)).not.toContain(String(notificationsKeptMax))
  expect(heard(alice, 'notification.new')[0]?.unread).toBe(limits.unreadNotificationsMax)
})

test('one that is due to go, but that somebody else has in hand, keeps nobody from being told', async () => {
  await ctx.pool.query(
    `INSERT INTO notifications (id, user_id, kind, dedup, at)
     SELECT gen_random_uuid(), $1, 'mention', n::text, now() - n * interval '1 minute' FROM generate_series(1, $2::int) n`,
    [alice, notificationsKeptMax],
  )
  const client = await ctx.pool.connect()
  try {
    await client.query('BEGIN')
    await client.query('SELECT FROM notifications WHERE user_id = $1 FOR UPDATE', [alice])
    await request(alice, bob, 'the newest')
    expect(heard(alice, 'notification.new')).toHaveLength(1)
  } finally {
    await client.query('ROLLBACK')
    client.release()
  }
})

test('a notification that the store refuses is logged and fails nothing', async () => {
  const lines: object[] = []
  const warned = { ...ctx, logger: { ...ctx.logger, warn: (fields: object) => void lines.push(fields) } }
  await add(warned, { user: randomUUID(), kind: 'security_notice', dedup: 'x' })
  expect(lines).toHaveLength(1)
})

// ── mentions ─────────────────────────────────────────────────────────────────────────────────────────────────────────

test('a mention tells the members whom it names, not the sender and no stranger', async () => {
  const { seq } = await mention(alice, [alice, bob, stranger])
  expect(await all(bob)).toMatchObject([{ kind: 'mention', actor: { id: alice }, conversation, seq, read: false }])
  for (const nobody of [alice, carol, stranger]) expect(await all(nobody)).toEqual([])
  expect(heard(bob, 'notification.new')).toMatchObject([{ unread: 1 }])
  // It is in the body that everybody gets.
  expect(chat.emitted[0]?.event).toMatchObject({ event: 'message.new', body: { mentions: [alice, bob, stranger] } })
})

test('a repetition tells those whom the first message named, once', async () => {
  const clientId = randomUUID()
  await mention(alice, [bob], clientId)
  await mention(alice, [bob, carol], clientId)
  expect(await all(bob)).toHaveLength(1)
  expect(await all(carol)).toEqual([])
})

test('a repetition heals what was not stored the first time, and brings back nothing that was read', async () => {
  const clientId = randomUUID()
  await mention(alice, [bob, carol], clientId)
  await ctx.pool.query('DELETE FROM notifications WHERE conversation_id = $1', [conversation])
  await readMessages(ctx, carol, { conversation, seq: 1 })
  await mention(alice, [bob, carol], clientId)
  expect(await all(bob)).toHaveLength(1)
  expect(await all(carol)).toEqual([])
})

test('in a large conversation members are told, and strangers are not', async () => {
  await makeLarge(ctx.pool, conversation)
  ctx.memberships.clear()
  await mention(alice, [bob, stranger])
  expect(await all(bob)).toHaveLength(1)
  expect(await all(stranger)).toEqual([])
})

test('a message is sent although nobody could be told', async () => {
  await ctx.pool.query('ALTER TABLE notifications RENAME TO notifications_away')
  const restore = () => ctx.pool.query('ALTER TABLE IF EXISTS notifications_away RENAME TO notifications')
  onTestFinished(() => void restore())
  const clientId = randomUUID()
  expect(await mention(alice, [bob], clientId)).toMatchObject({ seq: 1 })
  await restore()
  await mention(alice, [bob], clientId)
  expect(await all(bob)).toHaveLength(1)
})

test('a message that mentions nobody asks nothing more of the store', async () => {
  const texts: string[] = []
  const pool = new Proxy(ctx.pool, {
    get: (target, key) => {
      if (key !== 'query') return Reflect.get(target, key) as unknown
      return (query: string | { text: string }, values?: unknown[]) => {
        texts.push(typeof query === 'string' ? query : query.text)
        return target.query(query as string, values)
      }
    },
  })
  await post({ ...ctx, pool }, alice, { conversation, clientId: randomUUID(), body: { text: 'plain' } })
  expect(texts).toEqual([])
})

// ── groups ───────────────────────────────────────────────────────────────────────────────────────────────────────────

test('whoever is added to a group is told by whom, oneself is not', async () => {
  const { id } = await createGroup(ctx, alice, { name: 'Crew', members: [alice, bob] })
  const { seq } = await addMembers(ctx, alice, { conversation: id, users: [carol] })
  expect(await all(bob)).toMatchObject([{ kind: 'added_to_group', actor: { id: alice }, conversation: id, seq: 1 }])
  expect(await all(carol)).toMatchObject([{ kind: 'added_to_group', actor: { id: alice }, conversation: id, seq }])
  expect(await all(alice)).toEqual([])
})

test.each([
  ['is removed', () => removeMember(ctx, alice, { conversation, user: bob })],
  ['leaves', () => leave(ctx, bob, { conversation })],
])('whoever %s loses what they were told of the conversation, and nothing else (P8)', async (_name, end) => {
  await mention(alice, [bob, carol])
  await request(bob, alice)
  chat.emitted.length = 0
  await end()
  expect(await all(bob)).toMatchObject([{ kind: 'contact_request' }])
  expect(heard(bob, 'notification.removed')).toEqual([{ event: 'notification.removed', conversation, unread: 1 }])
  expect(await all(carol)).toHaveLength(1)
})

test('nothing new reaches whoever was removed, however late it is added (P8)', async () => {
  const clientId = randomUUID()
  const { seq } = await mention(alice, [bob], clientId)
  await removeMember(ctx, alice, { conversation, user: bob })
  chat.emitted.length = 0
  await add(ctx, { user: bob, kind: 'mention', dedup: 'late', actor: alice, conversation, seq })
  await mention(alice, [bob], clientId)
  await mention(alice, [bob])
  // Back again, they are told nothing of what was before.
  await addMembers(ctx, alice, { conversation, users: [bob] })
  await mention(alice, [bob], clientId)
  expect(await all(bob)).toMatchObject([{ kind: 'added_to_group' }])
  expect(heard(bob, 'notification.new')).toHaveLength(1)
})

test('mentions and a removal at once leave nothing behind (P8)', async () => {
  for (let round = 0; round < 15; round++) {
    const here = await makeConversation(ctx.pool, [alice, bob])
    const told = (nth: number) =>
      add(ctx, { user: bob, kind: 'mention', dedup: `${here}${nth}`, actor: alice, conversation: here, seq: nth + 1 })
    await Promise.all([
      ...[0, 1, 2].map(told),
      removeMember(ctx, alice, { conversation: here, user: bob }),
      ...[3, 4, 5].map(told),
    ])
    expect(await all(bob)).toEqual([])
  }
})

// ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

test('reading a conversation reads its notifications up to there', async () => {
  await mention(alice, [bob])
  await mention(alice, [bob])
  await mention(alice, [bob])
  await request(bob, alice)
  chat.emitted.length = 0
  await readMessages(ctx, bob, { conversation, seq: 2 })
  await expect
    .poll(() => heard(bob, 'notification.read'))
    .toEqual([{ event: 'notification.read', unread: 2, conversation, seq: 2 }])
  expect((await all(bob)).map(one => [one.kind, one.seq, one.read])).toEqual([
    ['contact_request', undefined, false],
    ['mention', 3, false],
    ['mention', 2, true],
    ['mention', 1, true],
  ])
})

test('what is mentioned and read at once does not stay unread', async () => {
  for (let round = 0; round < 15; round++) {
    const { seq } = await post(ctx, alice, { conversation, clientId: randomUUID(), body: { text: 'x' } })
    const note = { user: bob, kind: 'mention', dedup: `race ${seq}`, actor: alice, conversation, seq } as const
    await Promise.all([add(ctx, note), readMessages(ctx, bob, { conversation, seq })])
  }
  await expect.poll(() => count(ctx, bob)).toBe(0)
})

test('one is read on all devices, once', async () => {
  await request(alice, bob)
  await request(alice, carol)
  const [newest] = (await all(alice)) as [Notification]
  chat.emitted.length = 0
  expect(await read(ctx, alice, newest.id)).toBe(1)
  expect(await read(ctx, alice, newest.id)).toBe(1)
  expect(chat.emitted).toEqual([
    { class: 'signal', to: [alice], event: { event: 'notification.read', unread: 1, notification: newest.id } },
  ])
  expect((await list(ctx, alice, { limit: 50, unread: true })).notifications).toHaveLength(1)
})

test('all are read on all devices, also when two say so at once', async () => {
  for (let nth = 0; nth < 20; nth++) await request(alice, bob)
  await request(bob, alice)
  chat.emitted.length = 0
  expect(await Promise.all([readAll(ctx, alice), readAll(ctx, alice)])).toEqual([0, 0])
  expect(heard(alice, 'notification.read')).toEqual([{ event: 'notification.read', unread: 0 }])
  expect((await all(alice)).every(one => one.read)).toBe(true)
  expect(await count(ctx, bob)).toBe(1)
})

test('the notification of another person is unknown', async () => {
  await request(alice, bob)
  const [hers] = (await all(alice)) as [Notification]
  for (const id of [hers.id, randomUUID()])
    await expect(read(ctx, bob, id)).rejects.toMatchObject({ code: 'notification_unknown' })
  expect(await count(ctx, alice)).toBe(1)
  expect(await all(bob)).toEqual([])
})

// ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────

test('pages hold every notification once, also where times are the same to the microsecond', async () => {
  await ctx.pool.query(
    `INSERT INTO notifications (id, user_id, kind, dedup, at, read_at)
     SELECT gen_random_uuid(), $1, 'mention', n::text,
            CASE WHEN n <= 4 THEN timestamptz '2024-05-05 12:00:00.123456' ELSE timestamptz '2024-05-05 12:00:00.123457' END,
            CASE WHEN n % 2 = 0 THEN now() END
       FROM generate_series(1, 7) n`,
    [alice],
  )
  const pages = async (unread: boolean) => {
    const found: Notification[][] = []
    for (let after: string | undefined; ; ) {
      const page = await list(ctx, alice, { limit: 2, after, unread })
      found.push([...page.notifications])
      if (page.next === undefined) return found
      after = page.next
    }
  }
  const everything = await pages(false)
  expect(everything.map(page => page.length)).toEqual([2, 2, 2, 1])
  expect(everything.flat()).toEqual(await all(alice))
  expect(new Set(everything.flat().map(one => one.id)).size).toBe(7)
  expect((await pages(true)).map(page => page.length)).toEqual([2, 2])
  expect((await list(ctx, alice, { limit: 7 })).next).toBeUndefined()
})

test.each(['', 'nonsense', Buffer.from(`1/${randomUUID()}'; --`).toString('base64url')])(
  'a cursor of %j is refused',
  async after => {
    await expect(list(ctx, alice, { limit: 10, after })).rejects.toMatchObject({
      code: 'field_invalid',
      detail: { field: 'after' },
    })
  },
)

test('somebody who is gone leaves the notification without its actor', async () => {
  const [gone] = (await makeUsers(ctx.pool, 1)) as [string]
  await request(alice, gone)
  await ctx.pool.query('DELETE FROM users WHERE id = $1', [gone])
  expect((await all(alice))[0]).not.toHaveProperty('actor')
})
