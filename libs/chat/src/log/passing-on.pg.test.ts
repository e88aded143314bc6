/**
 * During a roll-out, and after one that was taken back, the store holds what a later version has written: kinds of entry,
 * types of content, roles and audiences that nobody here knows. Every reader passes them on, and none breaks.
 */
import { randomUUID } from 'node:crypto'
import { emptyConversation, type Entry, foldAll, isKnownKind } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import {
  checkHistory,
  dumpStore,
  History,
  makeConversation,
  makeSessions,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ChatContext } from '../context.ts'
import { exportOf } from '../lifecycle/export.ts'
import { file, list as listReports } from '../operators/reports/index.ts'
import { search } from '../people/search.ts'
import { claim, prepare, sweep } from '../push/index.ts'
import { settings } from '../users/settings.ts'
import { get, list, members } from './conversations/index.ts'
import { toEntries } from './entries.ts'
import { edit, history, post } from './messages/index.ts'
import { delivered, read } from './receipts/index.ts'
import { behind, movedSince, resume } from './sync/index.ts'

/** What the version to come writes. */
const drawing = { type: 'drawing', fallback: 'Drawing: lunch', strokes: ['yes', 'no'] }
const rows = [
  { kind: entries['message.new'].number, plain: { body: drawing, urgent: true } },
  { kind: 99, plain: { event: 'drawing.ended', target: 1, result: ['yes'] } },
  // Of a kind that does not name itself nothing is known but its number.
  { kind: 100, plain: { anything: true } },
  { kind: entries['message.new'].number, plain: { body: { text: 'and text' } } },
]

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob] = ['', '']
let conversation = ''
const clientIds = rows.map(() => randomUUID())

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
  ;[alice, bob] = (await makeUsers(ctx.pool, 2)) as [string, string]
  conversation = await makeConversation(ctx.pool, [alice, bob])
  for (const [nth, { kind, plain }] of rows.entries()) {
    const place = { conversation, sender: alice, clientId: clientIds[nth]!, kind }
    const { keyId, body } = ctx.seal.seal(place, JSON.stringify(plain))
    await ctx.pool.query(
      `INSERT INTO messages (conversation_id, seq, created_at, sender_id, client_id, key_id, kind, body)
       VALUES ($1, $2, now(), $3, $4, $5, $6, $7)`,
      [conversation, nth + 1, alice, place.clientId, keyId, kind, body],
    )
    await ctx.pool.query('INSERT INTO offline_messages (user_id, conversation_id, seq) VALUES ($1, $2, $3)', [
      bob,
      conversation,
      nth + 1,
    ])
  }
  await ctx.pool.query('UPDATE conversations SET head_seq = $2, head_at = now() WHERE id = $1', [
    conversation,
    rows.length,
  ])
  await ctx.pool.query('UPDATE members SET role = 9 WHERE conversation_id = $1', [conversation])
  await ctx.pool.query(
    'UPDATE users SET last_seen_to = 9, read_receipts_to = 9, found_by_email_to = 9, direct_from = 9',
  )
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

const expected = () =>
  [
    { event: 'message.new', clientId: clientIds[0], body: drawing, urgent: true },
    { event: 'drawing.ended', clientId: clientIds[1], target: 1, result: ['yes'] },
    { event: 'kind.100', clientId: clientIds[2], anything: true },
    { event: 'message.new', clientId: clientIds[3], body: { text: 'and text' } },
  ].map((fields, nth) => ({ conversation, seq: nth + 1, epoch: 1, at: expect.any(Number), by: alice, ...fields }))

test('history and replays hand it on whole, and a client that does not know it folds the rest', async () => {
  const page = await history(ctx, bob, { conversation })
  expect(page.entries).toEqual(expected())
  const { verdicts } = await resume(ctx, bob, { cursors: [{ conversation, seq: 0 }] })
  expect(verdicts).toEqual([{ conversation, verdict: 'replayed', head: rows.length, entries: expected() }])
  const { messages, head } = foldAll(emptyConversation, page.entries)
  expect([...messages.keys(), head]).toEqual([1, 4, 4])
  expect(page.entries.map(entry => isKnownKind(entry.event))).toEqual([true, false, false, true])
})

test('lists, members, heads and settings are read', async () => {
  const one = await get(ctx, bob, conversation)
  // A role of tomorrow permits what every member may.
  expect(one).toMatchObject({ role: 'member', unread: 2, lastMessage: { body: { text: 'and text' } } })
  expect((await list(ctx, bob, { limit: 10 })).conversations).toEqual([one])
  expect((await members(ctx, bob, { conversation, limit: 10 })).members.map(member => member.role)).toEqual([
    'member',
    'member',
  ])
  expect(await behind(ctx, bob, [{ conversation, seq: 0 }])).toEqual([{ conversation, head: rows.length }])
  for await (const moved of movedSince(ctx, [bob], 60_000))
    expect(moved.get(bob)).toEqual([{ conversation, head: rows.length }])
  // An audience of tomorrow is shown nothing.
  expect(await settings(ctx, alice)).toMatchObject({
    lastSeenVisibility: 'nobody',
    readReceiptVisibility: 'nobody',
    directFrom: 'request',
  })
  const { rows: named } = await ctx.pool.query<{ username: string }>('SELECT username FROM users WHERE id = $1', [
    alice,
  ])
  expect(await search(ctx, bob, named[0]!.username)).toMatchObject([{ id: alice }])
})

test('an export holds it', async () => {
  for await (const part of exportOf(ctx, bob)) {
    if (!('text' in part) || !part.path.startsWith('messages/')) continue
    let text = ''
    for await (const piece of part.text) text += piece
    const lines = text.trimEnd().split('\n')
    expect(lines.map(line => JSON.parse(line) as Entry)).toEqual(expected())
  }
})

test('a push counts the messages, and nothing else', async () => {
  await ctx.pool.query(
    `INSERT INTO devices (id, user_id, session_id, name, platform, provider, token, token_hash)
     VALUES (gen_random_uuid(), $1, $2, 'phone', 'android', 'fcm', 'token', '')`,
    [bob, (await makeSessions(ctx.pool, [bob]))[0]],
  )
  expect(await sweep(ctx, 100)).toBe(rows.length)
  await ctx.pool.query('UPDATE pushes SET due_at = now()')
  await prepare(ctx, { max: 10, providers: ['fcm'] })
  const { deliveries } = await claim(ctx, { provider: 'fcm', max: 10 })
  expect(deliveries).toMatchObject([{ content: { count: 2 } }])
})

test('content of tomorrow is reported, answered and edited like any other', async () => {
  await file(ctx, bob, { user: alice, reason: 'spam', conversation, seq: 1 })
  expect((await listReports(ctx, { limit: 10 })).reports).toMatchObject([{ message: { body: drawing } }])
  for (const seq of [2, 3])
    await expect(file(ctx, bob, { user: alice, reason: 'spam', conversation, seq })).rejects.toMatchObject({
      code: 'message_unknown',
    })
  await delivered(ctx, bob, { conversation, seq: rows.length })
  await read(ctx, bob, { conversation, seq: rows.length })
  expect(await get(ctx, bob, conversation)).toMatchObject({ unread: 0, readSeq: rows.length })
  await post(ctx, bob, { conversation, clientId: randomUUID(), body: { text: 'yes' }, replyTo: 1 })
  await edit(ctx, alice, { conversation, clientId: randomUUID(), target: 1, body: { text: 'Lunch?' } })
  const [first] = (await history(ctx, bob, { conversation })).entries
  // What is not known of a message stays with it.
  expect(first).toMatchObject({ body: { text: 'Lunch?' }, urgent: true, changedSeq: 6 })
})

test('what is posted again, or judged, is read too', async () => {
  const again = { conversation, clientId: clientIds[1]!, body: { text: 'of another kind before' } }
  expect(await post(ctx, alice, again)).toMatchObject({ seq: 2 })
  expect(chat.emitted.at(-1)?.event).toMatchObject({ event: 'drawing.ended', result: ['yes'] })
  const dump = await dumpStore(ctx.pool, found => toEntries(ctx.seal, found, 1), [conversation])
  const record = new History()
  record.opened('phone', bob)
  record.connected('phone')
  record.sent({ user: alice, conversation, clientId: clientIds[3]!, text: 'and text' })
  record.acknowledged(alice, conversation, clientIds[3]!, 4)
  for (const entry of (await history(ctx, bob, { conversation })).entries) record.saw('phone', entry)
  expect(checkHistory(record.records, dump)).toEqual([])
})
