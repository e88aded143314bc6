import { randomBytes, randomUUID } from 'node:crypto'
import { emptyConversation, type Entry, foldAll } from '@flotilla/protocol'
import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { file } from '../../operators/reports/index.ts'
import { removeMessage } from '../../operators/remove-message.ts'
import { findFactsOf } from '../../push/facts.ts'
import { badge } from '../conversations/badge.ts'
import { get } from '../conversations/get.ts'
import { setTimer } from '../conversations/set-timer.ts'
import { resume } from '../sync/resume.ts'
import { edit } from './edit.ts'
import { expireDue } from './expire.ts'
import { history } from './history.ts'
import { post } from './post.ts'

let database: TestDatabase
let chat: TestChat
let other: TestChat
let ctx: ChatContext
let [alice, bob, carol] = ['', '', '']
let conversation = ''

beforeAll(async () => {
  database = await testDatabase()
  const masterKeys = [{ id: 'test', key: randomBytes(32) }]
  chat = await openTestChat(database.url, { masterKeys, presumedAbsent: users => users })
  ctx = chat.ctx
  // Another process: what the first one changes it hears with its pulse, and not before.
  other = await openTestChat(database.url, { masterKeys, settings: { pulseMs: 3_600_000 } })
})
afterAll(async () => {
  await other.close()
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob, carol] = (await makeUsers(ctx.pool, 3)) as [string, string, string]
  conversation = await makeConversation(ctx.pool, [alice, bob])
  await ctx.pool.query('DELETE FROM expiring_messages')
  chat.emitted.length = 0
})

const hourMs = 3_600_000
const say = (text: string, more: object = {}, by = alice, where = ctx) =>
  post(where, by, { conversation, clientId: randomUUID(), body: { text, ...more } })
const read = async (by = bob) => (await history(ctx, by, { conversation })).entries
const told = () => chat.emitted.flatMap(({ event }) => ('seq' in event ? [event as Entry] : []))
const setTo = (timerMs: number | null, by = alice) => setTimer(ctx, by, { conversation, timerMs })
/** What an acknowledgement says of the end of its message. */
const endOf = ({ entry }: { readonly entry?: Entry | null }) => (entry as { expiresAt?: number } | undefined)?.expiresAt
const gone = { body: { text: 'This message has expired.' }, removed: 'expired' }

/** As if so much time had passed since these were posted: a moment more than an hour. */
async function age(seqs: readonly number[], ms = hourMs + 1): Promise<void> {
  for (const table of ['messages', 'expiring_messages'])
    await ctx.pool.query(
      `UPDATE ${table} SET expires_at = expires_at - $2 * interval '1 millisecond' WHERE conversation_id = $1 AND seq = ANY($3)`,
      [conversation, ms, seqs],
    )
}
const waiting = async () =>
  (
    await ctx.pool.query<{ seq: number }>('SELECT seq FROM expiring_messages WHERE conversation_id = $1 ORDER BY seq', [
      conversation,
    ])
  ).rows.map(row => row.seq)

test('a timer is an entry, and what is posted from then on says when it disappears, live, acknowledged and in pages', async () => {
  const before = await say('stays')
  const { seq } = await setTo(hourMs)
  expect(told().at(-1)).toMatchObject({ event: 'conversation.timer_changed', seq, timerMs: hourMs, by: alice })
  expect(await get(ctx, bob, conversation)).toMatchObject({ timerMs: hourMs })
  const posted = await say('goes')
  expect(endOf(posted)).toBe(posted.at + hourMs)
  expect(told().at(-1)).toMatchObject({ body: { text: 'goes' }, expiresAt: endOf(posted) })
  await setTo(null)
  const after = await say('stays too')
  expect(after).not.toHaveProperty('entry')
  const entries = await read()
  expect(entries.map(entry => (entry as { expiresAt?: number }).expiresAt)).toEqual([
    undefined,
    undefined,
    endOf(posted),
    undefined,
    undefined,
  ])
  expect(await waiting()).toEqual([posted.seq])
  expect(foldAll(emptyConversation, entries)).toEqual(foldAll(emptyConversation, told()))
  expect([before.seq, after.seq]).toEqual([1, 5])
  expect(await get(ctx, bob, conversation)).not.toHaveProperty('timerMs')
})

test('a timer that is set already is no entry', async () => {
  const { seq } = await setTo(hourMs)
  expect(await setTo(hourMs, alice)).toEqual({ seq })
})

test('no message that was decided by the timer before is stored after it: another process reads it anew', async () => {
  await say('warm', {}, bob, other.ctx)
  await setTo(hourMs)
  const posted = await say('from elsewhere', {}, bob, other.ctx)
  expect(endOf(posted)).toBe(posted.at + hourMs)
})

test('messages with and without a timer go in one commit, each by its own', async () => {
  await setTo(hourMs)
  const plain = await makeConversation(ctx.pool, [alice, bob])
  await say('opens the window')
  const posted = await Promise.all(
    Array.from({ length: 20 }, (_, nth) =>
      post(ctx, alice, {
        conversation: nth % 2 === 0 ? conversation : plain,
        clientId: randomUUID(),
        body: { text: `m${nth}` },
      }),
    ),
  )
  expect(posted.map(one => endOf(one) !== undefined)).toEqual(posted.map((_, nth) => nth % 2 === 0))
  expect((await history(ctx, bob, { conversation: plain })).entries.filter(one => 'expiresAt' in one)).toEqual([])
  expect(await waiting()).toHaveLength(11)
})

test('a repetition is acknowledged and told with the end that was stored', async () => {
  await setTo(hourMs)
  const input = { conversation, clientId: randomUUID(), body: { text: 'once' } }
  const first = await post(ctx, alice, input)
  await setTo(2 * hourMs)
  expect(await post(ctx, alice, input)).toEqual(first)
  expect(told().at(-1)).toMatchObject({ seq: first.seq, expiresAt: endOf(first) })
})

test('what is expired is shown to nobody though the worker is late, and counts no more', async () => {
  await setTo(hourMs)
  const posted = await say('secret', { mentions: [bob] })
  const edited = await edit(ctx, alice, {
    conversation,
    clientId: randomUUID(),
    target: posted.seq,
    body: { text: 'SECRET' },
  })
  expect(await get(ctx, bob, conversation)).toMatchObject({ unread: 1 })
  await age([posted.seq, edited.seq])
  const entries = await read()
  expect(JSON.stringify(entries)).not.toMatch(/secret/i)
  expect(entries[1]).toMatchObject({ seq: posted.seq, ...gone, expiresAt: expect.any(Number) })
  expect(entries[2]).toEqual(expect.not.objectContaining({ body: expect.anything() }))
  const { verdicts } = await resume(ctx, bob, { cursors: [{ conversation, seq: 0 }] })
  expect(JSON.stringify(verdicts)).not.toMatch(/secret/i)
  expect(await get(ctx, bob, conversation)).toMatchObject({ unread: 0, lastMessage: gone })
  expect(await badge(ctx, bob)).toBe(0)
  expect(await findFactsOf(ctx.pool, [{ user: bob, conversation, uptoSeq: edited.seq, since: 0 }])).toMatchObject([
    { count: 0 },
  ])
  const again = { conversation, clientId: randomUUID(), target: posted.seq, body: { text: 'back' } }
  await expect(edit(ctx, alice, again)).rejects.toMatchObject({ code: 'message_unknown' })
  await file(ctx, bob, { user: alice, reason: 'spam', conversation, seq: posted.seq })
})

test('the worker erases at rest, and one entry tells of all: the row, its edits, what is owed', async () => {
  await setTo(hourMs)
  const posted = [await say('one'), await say('two'), await say('three')]
  const edited = await edit(ctx, alice, {
    conversation,
    clientId: randomUUID(),
    target: posted[0]!.seq,
    body: { text: 'uno' },
  })
  const later = await say('still there')
  const seqs = posted.map(one => one.seq)
  await age([...seqs, edited.seq])
  chat.emitted.length = 0
  expect(await expireDue(ctx, 10)).toEqual({ messages: 3, more: false })
  expect(told()).toMatchObject([{ event: 'messages.expired', targets: seqs, by: alice, body: gone.body }])
  // Whoever is away is not woken by it, and is owed nothing of what is gone.
  const owed = await ctx.pool.query<{ seq: number }>(
    'SELECT DISTINCT seq FROM offline_messages WHERE conversation_id = $1 ORDER BY seq',
    [conversation],
  )
  expect(owed.rows.map(row => row.seq)).toEqual([1, later.seq])
  const rows = await ctx.pool.query<{
    seq: number
    sender_id: string
    client_id: string
    kind: number
    key_id: number
    body: Buffer
  }>('SELECT seq, sender_id, client_id, kind, key_id, body FROM messages WHERE conversation_id = $1 ORDER BY seq', [
    conversation,
  ])
  const stored = rows.rows.map(row =>
    ctx.seal.open(
      { conversation, sender: row.sender_id, clientId: row.client_id, kind: row.kind },
      row.key_id,
      row.body,
    ),
  )
  expect(stored.join('\n')).not.toMatch(/one|two|three|uno/)
  expect(stored.join('\n')).toMatch(/still there/)
  expect(await waiting()).toEqual([later.seq])
  // However late a device hears it, and whatever it has heard, it ends in one state.
  const entries = await read()
  const state = foldAll(emptyConversation, entries)
  for (const seq of seqs) expect(state.messages.get(seq)?.content).toEqual({ seq: later.seq + 1, value: gone })
  expect(await expireDue(ctx, 10)).toEqual({ messages: 0, more: false })
})

test('what is read between its end and its erasure is in its thread as before and after', async () => {
  await setTo(hourMs)
  const root = await say('root')
  const reply = (more: object) =>
    post(ctx, bob, { conversation, clientId: randomUUID(), body: { text: 'reply' }, thread: root.seq, ...more })
  const [one, other] = [await reply({}), await reply({ alsoInConversation: true })]
  const shown = foldAll(emptyConversation, told())
  await age([root.seq, one.seq, other.seq])
  const between = foldAll(emptyConversation, await read(alice))
  chat.emitted.length = 0
  await expireDue(ctx, 10)
  const after = foldAll(emptyConversation, await read(alice)).messages
  expect(after.get(other.seq)?.posted).toMatchObject({ thread: root.seq, alsoInConversation: true })
  expect(after.get(root.seq)?.replies).toMatchObject({ count: 0 })
  for (const state of [foldAll(shown, told()), foldAll(between, told())])
    for (const [seq, { posted, replies }] of after) {
      const here = state.messages.get(seq)
      // That was set back under its readers.
      expect({ ...here?.posted, expiresAt: posted?.expiresAt }).toEqual(posted)
      expect([here?.replies?.count, here?.replies?.lastAt]).toEqual([replies?.count, replies?.lastAt])
    }
})

test('two workers at once erase each message once', async () => {
  await setTo(hourMs)
  const posted = await Promise.all(Array.from({ length: 30 }, (_, nth) => say(`m${nth}`)))
  await age(posted.map(one => one.seq))
  chat.emitted.length = 0
  const both = await Promise.all([expireDue(ctx, 10), expireDue(other.ctx, 10), expireDue(ctx, 10)])
  expect(both.reduce((sum, one) => sum + one.messages, 0)).toBe(30)
  const targets = (await read()).flatMap(entry => (entry.event === 'messages.expired' ? entry.targets : []))
  expect([...targets].sort((a, b) => a - b)).toEqual(posted.map(one => one.seq).sort((a, b) => a - b))
})

test('of a crowd of messages so many go at a time, and the worker is told that there are more', async () => {
  await setTo(hourMs)
  const posted = await Promise.all(Array.from({ length: 230 }, (_, nth) => say(`m${nth}`)))
  await age(posted.map(one => one.seq))
  expect(await expireDue(ctx, 10)).toEqual({ messages: 200, more: true })
  expect(await expireDue(ctx, 10)).toEqual({ messages: 30, more: false })
})

test('what an operator has removed before stays as it is, and one whose conversation is gone leaves nothing', async () => {
  await setTo(hourMs)
  const posted = await say('vile')
  await removeMessage(ctx, { program: 'test' }, { conversation, seq: posted.seq, reason: 'Spam' })
  await age([posted.seq])
  const entries = await read()
  expect(entries[1]).toMatchObject({ removed: 'operator' })
  expect(await expireDue(ctx, 10)).toEqual({ messages: 1, more: false })
  expect(await read()).toEqual(entries)
  const orphan = await say('orphan')
  await age([orphan.seq])
  await ctx.pool.query('DELETE FROM conversations WHERE id = $1', [conversation])
  expect(await expireDue(ctx, 10)).toEqual({ messages: 1, more: false })
  expect(await waiting()).toEqual([])
})

test('an edit that comes while the worker erases is decided again, and finds nothing to edit', async () => {
  await setTo(hourMs)
  for (let round = 0; round < 10; round++) {
    const posted = await say('secret')
    const editing = edit(ctx, alice, {
      conversation,
      clientId: randomUUID(),
      target: posted.seq,
      body: { text: 'secret' },
    })
    const aging = age([posted.seq]).then(() => expireDue(other.ctx, 10))
    await Promise.allSettled([editing, aging])
    await expireDue(ctx, 10)
    // An edit that was stored before its message was aged has its own end, which this test does not move.
    expect(JSON.stringify((await read()).filter(entry => entry.event === 'message.new'))).not.toMatch(/secret/)
    const { rows } = await ctx.pool.query<{ left: number }>(
      'SELECT count(*)::int AS left FROM messages WHERE conversation_id = $1 AND changed_seq IS NULL AND kind = 1',
      [conversation],
    )
    expect(rows[0]!.left).toBe(0)
  }
})

test('who may set it: both of a direct conversation, and those who manage a group', async () => {
  await expect(setTo(hourMs, bob)).rejects.toMatchObject({ code: 'role_insufficient' })
  await expect(setTo(hourMs, carol)).rejects.toMatchObject({ code: 'not_a_member' })
  conversation = await makeConversation(ctx.pool, [alice, bob], 'direct')
  await setTo(hourMs, bob)
  await ctx.pool.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)', [alice, bob])
  ctx.memberships.drop(conversation)
  await expect(setTo(null, bob)).rejects.toMatchObject({ code: 'blocked' })
  await ctx.pool.query('DELETE FROM blocks WHERE user_id = $1', [alice])
})
