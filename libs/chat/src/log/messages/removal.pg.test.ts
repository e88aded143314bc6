/** Deleting for everybody, hiding for oneself, quotes and forwarding: what is gone for whom, and that it stays so. */
import { randomUUID } from 'node:crypto'
import { emptyConversation, type Entry, type EntryOf, foldAll, hide as hideIn } from '@flotilla/protocol'
import {
  makeConversation,
  makeLarge,
  makeSessions,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { exportOf } from '../../lifecycle/export.ts'
import { list as listNotifications } from '../../notices/notifications/index.ts'
import { removeMessage } from '../../operators/remove-message.ts'
import { file, list as listReports } from '../../operators/reports/index.ts'
import { block } from '../../people/blocks/index.ts'
import { claim, prepare, sweep } from '../../push/index.ts'
import { addMembers } from '../conversations/add-members.ts'
import { changeGroup } from '../conversations/change-group.ts'
import { badge } from '../conversations/badge.ts'
import { get } from '../conversations/get.ts'
import { list } from '../conversations/list.ts'
import { resume } from '../sync/resume.ts'
import {
  clear,
  edit,
  forward,
  hide,
  history,
  listHidden,
  listPins,
  pin,
  post,
  react,
  remove,
  versions,
  vote,
} from './index.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob, carol, dave] = ['', '', '', '']
let conversation = ''

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { presumedAbsent: users => users })
  ctx = chat.ctx
  ;[alice, bob, carol, dave] = (await makeUsers(ctx.pool, 4)) as [string, string, string, string]
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  conversation = await makeConversation(ctx.pool, [alice, bob, carol])
  chat.emitted.length = 0
})
afterEach(() => {
  Object.assign(ctx.settings, { editWindowMs: Infinity, deleteWindowMs: Infinity, editHistory: false })
})

const setting = (values: Partial<ChatContext['settings']>) => Object.assign(ctx.settings, values)
const say = (by: string, text: string, more: object = {}) => {
  const { mentions, ...rest } = more as { mentions?: string[] }
  const body = { text, ...(mentions === undefined ? {} : { mentions }) }
  return post(ctx, by, { conversation, clientId: randomUUID(), body, ...rest })
}
const change = (by: string, target: number, text: string) =>
  edit(ctx, by, { conversation, clientId: randomUUID(), target, body: { text } })
const take = (by: string, target: number, clientId = randomUUID()) =>
  remove(ctx, by, { conversation, target, clientId })
const read = async (by = bob) => (await history(ctx, by, { conversation })).entries
const at = async (seq: number, by = bob) => (await read(by)).find(entry => entry.seq === seq)
const replay = async (by = bob, seq = 0) => {
  const { verdicts } = await resume(ctx, by, { epoch: 1, cursors: [{ conversation, seq }], only: true })
  return verdicts.flatMap(one => (one.verdict === 'replayed' ? one.entries : []))
}
const told = () => chat.emitted.flatMap(({ event }) => ('seq' in event && 'epoch' in event ? [event as Entry] : []))
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code })
const unread = async (by: string) => (await get(ctx, by, conversation)).unread
/** All that is stored of the conversation's bodies, opened. */
async function stored(): Promise<string> {
  const { rows } = await ctx.pool.query<{ key_id: number; body: Buffer; sender: string; client: string; kind: number }>(
    `SELECT key_id, body, sender_id AS sender, client_id AS client, kind FROM messages WHERE conversation_id = $1
      UNION ALL
     SELECT v.key_id, v.body, m.sender_id, m.client_id, m.kind FROM message_versions v
       JOIN messages m ON m.conversation_id = v.conversation_id AND m.seq = v.seq WHERE v.conversation_id = $1`,
    [conversation],
  )
  return rows
    .map(row =>
      ctx.seal.open({ conversation, sender: row.sender, clientId: row.client, kind: row.kind }, row.key_id, row.body),
    )
    .join('\n')
}
const ofAdmins = (user: string) =>
  ctx.pool.query('UPDATE members SET role = 2 WHERE conversation_id = $1 AND user_id = $2', [conversation, user])

describe('deleting for everybody', () => {
  test('is an entry; the place, the sender and the time stay, and what was said is nowhere in the store', async () => {
    setting({ editHistory: true })
    const first = await say(bob, 'secret one', { mentions: [carol] })
    await change(bob, first.seq, 'secret two')
    await change(bob, first.seq, 'secret three')
    const other = await say(bob, 'other')
    const gone = await take(bob, first.seq)
    expect(gone.seq).toBe(other.seq + 1)
    const page = await read()
    expect(page[0]).toMatchObject({ seq: first.seq, by: bob, at: first.at, removed: 'sender', changedSeq: gone.seq })
    expect(page.at(-1)).toEqual(told().at(-1))
    expect(page.at(-1)).toMatchObject({ event: 'message.deleted', target: first.seq, by: bob, removed: 'sender' })
    expect(await stored()).not.toContain('secret')
    expect(await stored()).toContain('other')
    expect(foldAll(emptyConversation, page)).toEqual(foldAll(emptyConversation, told()))
    expect(await replay()).toEqual(page)
    await refused(versions(ctx, bob, { conversation, seq: first.seq, limit: 10 }), 'message_unknown')
    await refused(change(bob, first.seq, 'again'), 'message_unknown')
  })

  test('is for the sender within the window, and for owners and admins of a group', async () => {
    const { seq } = await say(carol, 'mine')
    await refused(take(bob, seq), 'role_insufficient')
    await refused(take(dave, seq), 'not_a_member')
    await refused(take(bob, seq + 10), 'message_unknown')
    setting({ deleteWindowMs: 0 })
    await refused(take(carol, seq), 'too_late')
    expect((await take(alice, seq)).seq).toBe(seq + 1)
    expect(await at(seq)).toMatchObject({ removed: 'admin', by: carol })
    expect(told().at(-1)).toMatchObject({ by: alice, removed: 'admin' })
    await ofAdmins(bob)
    ctx.memberships.clear()
    const own = await say(bob, 'own of an admin')
    await take(bob, own.seq)
    expect(await at(own.seq)).toMatchObject({ removed: 'sender' })
    conversation = await makeConversation(ctx.pool, [alice, dave], 'direct')
    const direct = await say(alice, 'between two')
    await refused(take(dave, direct.seq), 'role_insufficient')
    await refused(take(alice, direct.seq), 'too_late')
  })

  test('twice, at the same moment and much later, is once: both are answered with the entry that says so', async () => {
    const { seq } = await say(bob, 'twice')
    const clientId = randomUUID()
    const answers = await Promise.all([
      take(bob, seq, clientId),
      take(bob, seq, clientId),
      take(alice, seq),
      take(bob, seq),
    ])
    expect(new Set(answers.map(answer => answer.seq))).toEqual(new Set([seq + 1]))
    setting({ deleteWindowMs: 0 })
    expect((await take(bob, seq, clientId)).seq).toBe(seq + 1)
    expect((await take(bob, seq)).seq).toBe(seq + 1)
    expect((await read()).map(entry => entry.event)).toEqual(['message.new', 'message.deleted'])
    await removeMessage(ctx, { program: 'test' }, { conversation, seq, reason: 'Late' })
    expect(await read()).toHaveLength(2)
  })

  test('and editing at the same moment: the message is gone, and whatever was said is nowhere', async () => {
    setting({ editHistory: true })
    for (let round = 0; round < 6; round++) {
      const { seq } = await say(bob, 'racing zero')
      const texts = ['racing a', 'racing b', 'racing c']
      await Promise.allSettled([
        ...texts.map(text => change(bob, seq, text)),
        take(bob, seq),
        change(bob, seq, 'racing d'),
      ])
      expect(await at(seq)).toMatchObject({ removed: 'sender' })
    }
    expect(await stored()).not.toContain('racing')
    expect(foldAll(emptyConversation, await read())).toEqual(foldAll(emptyConversation, told()))
  })

  test('a deleted unread message counts no more: in the list, on the badge, in a push that was not sent yet', async () => {
    const [session] = await makeSessions(ctx.pool, [carol])
    await ctx.pool.query(
      `INSERT INTO devices (id, user_id, session_id, name, platform, provider, token, token_hash)
       VALUES (gen_random_uuid(), $1, $2, 'phone', 'android', 'fcm', 'token', '')`,
      [carol, session],
    )
    const before = await badge(ctx, carol)
    const kept = await say(bob, 'kept')
    const gone = await say(bob, 'gone', { mentions: [carol] })
    const byOperator = await say(alice, 'gone too')
    expect([await unread(carol), await badge(ctx, carol)]).toEqual([3, before + 3])
    await sweep(ctx, 1_000)
    await ctx.pool.query('UPDATE pushes SET due_at = now()')
    await prepare(ctx, { max: 100, providers: ['fcm'] })
    await take(bob, gone.seq)
    await removeMessage(ctx, { program: 'test' }, { conversation, seq: byOperator.seq, reason: 'Threats' })
    // A node that could not deliver says so late.
    await ctx.pool.query('INSERT INTO offline_messages (user_id, conversation_id, seq) VALUES ($1, $2, $3)', [
      carol,
      conversation,
      gone.seq,
    ])
    expect([await unread(carol), await badge(ctx, carol)]).toEqual([1, before + 1])
    const { deliveries } = await claim(ctx, { provider: 'fcm', max: 10 })
    expect(deliveries.find(one => one.content.conversation === conversation)?.content.count).toBe(1)
    const { notifications } = await listNotifications(ctx, carol, { limit: 20 })
    expect(notifications.filter(one => one.conversation === conversation)).toEqual([])
    expect(chat.emitted.map(({ event }) => event.event)).toContain('notification.read')
    await take(bob, kept.seq)
    expect([await unread(carol), await badge(ctx, carol)]).toEqual([0, before])
  })

  test('leaves the copy of a report, and takes the pin along', async () => {
    const { seq } = await say(bob, 'reported')
    await file(ctx, carol, { user: bob, reason: 'spam', conversation, seq })
    await pin(ctx, alice, { conversation, target: seq, clientId: randomUUID() })
    await take(bob, seq)
    expect(await listPins(ctx, carol, conversation)).toEqual([])
    const { reports } = await listReports(ctx, { limit: 100 })
    expect(reports.map(one => one.message)).toMatchObject([{ conversation, body: { text: 'reported' } }])
  })
})

describe('the window and the history of edits', () => {
  test('an edit that comes too late is refused; one whose answer was lost is answered as it was', async () => {
    const { seq } = await say(bob, 'one')
    const input = { conversation, clientId: randomUUID(), target: seq, body: { text: 'two' } }
    const first = await edit(ctx, bob, input)
    setting({ editWindowMs: 0 })
    await refused(change(bob, seq, 'three'), 'too_late')
    expect(await edit(ctx, bob, input)).toEqual(first)
    setting({ editWindowMs: 60_000 })
    await change(bob, seq, 'three')
    await ctx.pool.query(`UPDATE messages SET created_at = now() - interval '2 minutes' WHERE conversation_id = $1`, [
      conversation,
    ])
    await refused(change(bob, seq, 'four'), 'too_late')
    expect(await at(seq)).toMatchObject({ body: { text: 'three' } })
  })

  const texts = async (seq: number, by = carol, page: { after?: number; limit: number } = { limit: 50 }) =>
    (await versions(ctx, by, { conversation, seq, ...page })).versions.map(one => one.body)

  test('what an edit replaces is kept where the deployment wants it, read by who sees the message, page by page', async () => {
    setting({ editHistory: true })
    const posted = await say(bob, 'v1')
    const second = await change(bob, posted.seq, 'v2')
    const third = await change(bob, posted.seq, 'v3')
    const all = await versions(ctx, carol, { conversation, seq: posted.seq, limit: 50 })
    expect(all).toEqual({
      versions: [
        { seq: posted.seq, at: posted.at, body: { text: 'v1' } },
        { seq: second.seq, at: second.at, body: { text: 'v2' } },
        { seq: third.seq, at: third.at, body: { text: 'v3' } },
      ],
    })
    const start = await versions(ctx, carol, { conversation, seq: posted.seq, limit: 2 })
    expect(start.next).toBe(second.seq)
    expect(await texts(posted.seq, carol, { limit: 2, after: start.next! })).toEqual([{ text: 'v3' }])
    await refused(versions(ctx, dave, { conversation, seq: posted.seq, limit: 2 }), 'not_a_member')
    await refused(versions(ctx, carol, { conversation, seq: second.seq, limit: 2 }), 'message_unknown')
    const { rows } = await ctx.pool.query<{ body: Buffer }>('SELECT body FROM message_versions')
    expect(rows.some(row => row.body.includes('v1'))).toBe(false)
    // What the log holds says nothing of it still.
    expect(JSON.stringify(await read())).not.toMatch(/v1|v2/)
    await hide(ctx, carol, { conversation, seqs: [posted.seq] })
    await refused(versions(ctx, carol, { conversation, seq: posted.seq, limit: 2 }), 'message_unknown')
    expect(await texts(posted.seq, alice)).toHaveLength(3)
    setting({ editHistory: false })
    expect(await texts(posted.seq, alice)).toEqual([{ text: 'v3' }])
  })

  test('nothing is kept where it does not; of edits at the same moment each version is kept once', async () => {
    const quiet = await say(bob, 'q1')
    await change(bob, quiet.seq, 'q2')
    setting({ editHistory: true })
    expect(await texts(quiet.seq)).toEqual([{ text: 'q2' }])
    expect(await stored()).not.toContain('q1')
    const { seq } = await say(bob, 'r0')
    const edits = await Promise.all(['r1', 'r2', 'r3'].map(text => change(bob, seq, text)))
    const found = (await versions(ctx, carol, { conversation, seq, limit: 50 })).versions
    expect(found.map(one => one.seq)).toEqual([seq, ...edits.map(one => one.seq).sort((a, b) => a - b)])
    expect(new Set(found.map(one => JSON.stringify(one.body))).size).toBe(4)
  })
})

describe('hiding for oneself', () => {
  test('takes a message out of the pages, replays, lists and counts of that person, and of nobody else', async () => {
    const first = await say(bob, 'hidden text', { mentions: [carol] })
    const edited = await change(bob, first.seq, 'hidden edit')
    const second = await say(bob, 'shown')
    const third = await say(bob, 'last hidden')
    await pin(ctx, alice, { conversation, target: first.seq, clientId: randomUUID() })
    const others = [await read(alice), await unread(alice)]
    const before = await badge(ctx, carol)
    await hide(ctx, carol, { conversation, seqs: [first.seq, third.seq] })
    const page = await read(carol)
    expect(page.map(entry => [entry.seq, entry.event])).toEqual([
      [first.seq, 'message.hidden'],
      [edited.seq, 'message.edited'],
      [second.seq, 'message.new'],
      [third.seq, 'message.hidden'],
      [third.seq + 1, 'message.pinned'],
    ])
    expect(JSON.stringify(page)).not.toContain('hidden text')
    expect(JSON.stringify(page)).not.toContain('hidden edit')
    expect(await replay(carol)).toEqual(page)
    expect(await unread(carol)).toBe(1)
    expect(await badge(ctx, carol)).toBe(before - 2)
    expect((await get(ctx, carol, conversation)).lastMessage?.seq).toBe(second.seq)
    expect((await list(ctx, carol, { limit: 1 })).conversations[0]).toMatchObject({ id: conversation, unread: 1 })
    expect(await listPins(ctx, carol, conversation)).toEqual([])
    expect(await listPins(ctx, bob, conversation)).toHaveLength(1)
    expect([await read(alice), await unread(alice)]).toEqual(others)
    const { notifications } = await listNotifications(ctx, carol, { limit: 20 })
    expect(notifications.filter(one => one.conversation === conversation)).toEqual([])
    const live = foldAll(emptyConversation, told())
    expect(foldAll(emptyConversation, page)).toEqual(hideIn(live, [first.seq, third.seq]))
    expect(chat.emitted.filter(({ event }) => event.event === 'conversation.cleared')).toMatchObject([
      { class: 'signal', to: [carol], event: { conversation, seqs: [first.seq, third.seq] } },
    ])
    expect(
      (await listHidden(ctx, carol, { limit: 10 })).messages.filter(one => one.conversation === conversation),
    ).toMatchObject([{ seq: third.seq }, { seq: first.seq }])
  })

  test('only what one sees, as much as the limit allows, and twice is once', async () => {
    const { seq } = await say(bob, 'one')
    const edited = await change(bob, seq, 'two')
    await refused(hide(ctx, dave, { conversation, seqs: [seq] }), 'not_a_member')
    await refused(hide(ctx, dave, { conversation: randomUUID(), seqs: [seq] }), 'conversation_unknown')
    for (const seqs of [[edited.seq], [seq, 99]])
      await refused(hide(ctx, carol, { conversation, seqs }), 'message_unknown')
    await hide(ctx, carol, { conversation, seqs: [seq, seq] })
    await hide(ctx, carol, { conversation, seqs: [seq] })
    expect((await at(seq, carol))?.event).toBe('message.hidden')
    await ctx.pool.query(
      `INSERT INTO hidden_messages (conversation_id, user_id, seq) SELECT $1, $2, g FROM generate_series(1000, 5998) g`,
      [conversation, carol],
    )
    const next = await say(bob, 'one too many')
    await refused(hide(ctx, carol, { conversation, seqs: [next.seq] }), 'limit_reached')
    expect((await at(next.seq, carol))?.event).toBe('message.new')
  })

  test('the list of what one has hidden is paged', async () => {
    const seqs = []
    for (let nth = 0; nth < 5; nth++) seqs.push((await say(bob, `m${nth}`)).seq)
    await hide(ctx, dave, { conversation: await solo(), seqs: [1] })
    await hide(ctx, alice, { conversation, seqs })
    const found: number[] = []
    for (let after: string | undefined; ; ) {
      const page = await listHidden(ctx, alice, { limit: 2, after })
      found.push(...page.messages.map(one => one.seq))
      if (page.next === undefined) break
      after = page.next
    }
    expect(found).toEqual(seqs.toReversed())
    await refused(listHidden(ctx, alice, { limit: 2, after: 'x' }), 'field_invalid')
  })
  const solo = async () => {
    const id = await makeConversation(ctx.pool, [dave])
    await post(ctx, dave, { conversation: id, clientId: randomUUID(), body: { text: 'alone' } })
    return id
  }

  test('clearing is one row: the conversation begins after it, for that person alone', async () => {
    const old = await say(bob, 'old', { mentions: [carol] })
    await hide(ctx, carol, { conversation, seqs: [old.seq] })
    const last = await say(bob, 'older')
    await clear(ctx, carol, { conversation, upTo: last.seq })
    expect(await history(ctx, carol, { conversation })).toMatchObject({
      entries: [],
      from: last.seq + 1,
      head: last.seq,
    })
    expect(await unread(carol)).toBe(0)
    const cleared = await get(ctx, carol, conversation)
    expect(cleared).toMatchObject({ clearedSeq: last.seq, joinedSeq: 1 })
    expect(cleared.lastMessage).toBeUndefined()
    expect((await get(ctx, bob, conversation)).clearedSeq).toBeUndefined()
    const fresh = await say(bob, 'new', { replyTo: old.seq })
    expect((await read(carol)).map(entry => entry.seq)).toEqual([fresh.seq])
    // A device that was away starts after it, and one that comes anew too.
    expect((await replay(carol, 0)).map(entry => entry.seq)).toEqual([fresh.seq])
    const { verdicts } = await resume(ctx, carol, { cursors: [], start: 'latest' })
    const mine = verdicts.find(one => one.conversation === conversation)
    expect(mine).toMatchObject({ verdict: 'replayed', entries: [{ seq: fresh.seq, quote: { state: 'unavailable' } }] })
    expect(await unread(carol)).toBe(1)
    expect((await read(alice)).length).toBe(3)
    const { rows } = await ctx.pool.query('SELECT FROM hidden_messages WHERE conversation_id = $1', [conversation])
    expect(rows).toEqual([])
    // It only rises, and never past the head.
    await clear(ctx, carol, { conversation, upTo: 1 })
    expect((await read(carol)).length).toBe(1)
    await clear(ctx, carol, { conversation, upTo: Number.MAX_SAFE_INTEGER })
    await say(bob, 'after all')
    expect((await read(carol)).length).toBe(1)
    expect(chat.emitted.filter(({ event }) => event.event === 'conversation.cleared').at(-1)?.event).toMatchObject({
      upTo: fresh.seq,
    })
  })

  test('an export leaves out what is hidden, says that it is, and holds the versions of one’s own messages', async () => {
    setting({ editHistory: true })
    const { seq } = await say(bob, 'hidden from me')
    const mine = await say(carol, 'my first words')
    await change(carol, mine.seq, 'my second words')
    await hide(ctx, carol, { conversation, seqs: [seq] })
    const files = new Map<string, string>()
    for await (const part of exportOf(ctx, carol)) {
      let text = ''
      if ('text' in part) for await (const piece of part.text) text += piece
      files.set(part.path, text)
    }
    expect(files.get(`messages/${conversation}.jsonl`)).not.toMatch(/hidden/)
    expect(files.get('hidden-messages.json')).toContain(conversation)
    expect(files.get('versions.jsonl')).toContain('my first words')
    expect(files.get('versions.jsonl')).not.toContain('hidden from me')
  })
})

describe('what a message answers', () => {
  const quoteAt = async (seq: number, by: string) => ((await at(seq, by)) as EntryOf<'message.new'>).quote

  test('comes with every page and replay, shortened, as it is today, and is never live', async () => {
    const original = await say(alice, 'x'.repeat(300))
    for (let nth = 0; nth < 3; nth++) await say(bob, 'between')
    const reply = await say(bob, 'answer', { replyTo: original.seq })
    expect(told().at(-1)).not.toHaveProperty('quote')
    const shown = { seq: original.seq, state: 'shown', by: alice, body: { text: `${'x'.repeat(99)}…` } }
    expect(await quoteAt(reply.seq, carol)).toEqual(shown)
    const { entries } = await history(ctx, carol, { conversation, limit: 1 })
    expect(entries).toMatchObject([{ seq: reply.seq, quote: shown }])
    expect(await replay(carol, reply.seq - 1)).toMatchObject([{ quote: shown }])
    expect((await get(ctx, carol, conversation)).lastMessage?.quote).toEqual(shown)
    await change(alice, original.seq, 'edited')
    expect(await quoteAt(reply.seq, carol)).toEqual({ ...shown, body: { text: 'edited' } })
  })

  test('says that it was deleted, or may not be seen, and nothing of it', async () => {
    const original = await say(alice, 'secret')
    const edited = await change(alice, original.seq, 'secret too')
    const reply = await say(bob, 'answer', { replyTo: original.seq })
    const toEdit = await say(bob, 'to no message', { replyTo: edited.seq })
    await hide(ctx, carol, { conversation, seqs: [original.seq] })
    await addMembers(ctx, alice, { conversation, users: [dave] })
    const late = await say(bob, 'answer again', { replyTo: original.seq })
    const unavailable = { seq: original.seq, state: 'unavailable' }
    for (const limit of [1, 50])
      for (const by of [carol, dave]) {
        const { entries } = await history(ctx, by, { conversation, limit })
        expect(entries.at(-1)).toMatchObject({ seq: late.seq, quote: unavailable })
        expect(JSON.stringify(entries)).not.toContain('secret')
      }
    expect(await quoteAt(reply.seq, bob)).toMatchObject({ state: 'shown', body: { text: 'secret too' } })
    expect(await quoteAt(toEdit.seq, bob)).toEqual({ seq: edited.seq, state: 'unavailable' })
    await take(alice, original.seq)
    expect(await quoteAt(reply.seq, bob)).toEqual({ seq: original.seq, state: 'deleted', by: alice })
    expect(await quoteAt(late.seq, dave)).toEqual(unavailable)
    const { entries } = await history(ctx, bob, { conversation, limit: 2 })
    expect(JSON.stringify(entries)).not.toContain('secret')
    await take(bob, reply.seq)
    expect(await quoteAt(reply.seq, bob)).toBeUndefined()
  })
})

describe('forwarding', () => {
  let target = ''
  beforeEach(async () => {
    target = await makeConversation(ctx.pool, [bob, dave])
  })
  const pass = (by: string, seq: number, clientId = randomUUID()) =>
    forward(ctx, by, { conversation: target, clientId, source: { conversation, seq } })
  const arrived = async (by = dave) =>
    (await history(ctx, by, { conversation: target })).entries as EntryOf<'message.new'>[]

  test('copies what is said, without its mentions, and names who said it first and when', async () => {
    const original = await post(ctx, alice, {
      conversation,
      clientId: randomUUID(),
      body: { text: 'words', data: { a: 1 }, mentions: [bob] },
    })
    const clientId = randomUUID()
    const origin = {}
    const first = await forward(
      ctx,
      bob,
      { conversation: target, clientId, source: { conversation, seq: original.seq } },
      origin,
    )
    const expected = {
      event: 'message.new',
      by: bob,
      body: { text: 'words', data: { a: 1 } },
      forwarded: { by: alice, at: original.at },
    }
    expect(await arrived()).toMatchObject([{ ...expected, seq: first.seq }])
    expect((await arrived())[0]!.body).not.toHaveProperty('mentions')
    expect(JSON.stringify(await arrived())).not.toContain(conversation)
    const live = chat.emitted.at(-1)!
    expect(live.event).toMatchObject(expected)
    // The acknowledgement is the copy of the device that said so, which knows no more than the command.
    expect(live).toMatchObject({ origin })
    expect(first.entry).toEqual(live.event)
    expect((await get(ctx, dave, target)).unread).toBe(1)
    await take(alice, original.seq)
    expect(await pass(bob, original.seq, clientId)).toEqual(first)
    // Once more forwarded, it keeps its origin.
    await forward(ctx, dave, {
      conversation: target,
      clientId: randomUUID(),
      source: { conversation: target, seq: first.seq },
    })
    expect((await arrived(bob)).at(-1)).toMatchObject({ by: dave, forwarded: { by: alice, at: original.at } })
  })

  test('what another process has forbidden meanwhile is not forwarded, and what it allows again is', async () => {
    const { seq } = await say(alice, 'ours')
    const target = await makeConversation(ctx.pool, [bob, carol])
    const pass = () =>
      forward(ctx, bob, { conversation: target, clientId: randomUUID(), source: { conversation, seq } })
    const set = (settings: object) =>
      ctx.pool.query('UPDATE conversations SET settings = $2, version = version + 1 WHERE id = $1', [
        conversation,
        settings,
      ])
    await pass()
    await set({ forwarding: false })
    await refused(pass(), 'forwarding_disabled')
    await set({ forwarding: true })
    await pass()
  })

  test('a group may keep what is said there to itself, and who may not post in the other does not forward there', async () => {
    const { seq } = await say(alice, 'ours')
    await changeGroup(ctx, alice, { conversation, forwarding: false })
    const target = await makeConversation(ctx.pool, [bob, carol])
    const clientId = randomUUID()
    const input = { conversation: target, clientId, source: { conversation, seq } }
    await refused(forward(ctx, bob, input), 'forwarding_disabled')
    await changeGroup(ctx, alice, { conversation, forwarding: true })
    const first = await forward(ctx, bob, input)
    await changeGroup(ctx, alice, { conversation, forwarding: false })
    expect(await forward(ctx, bob, input)).toMatchObject({ seq: first.seq })
    await changeGroup(ctx, alice, { conversation, forwarding: true })
    await changeGroup(ctx, bob, { conversation: target, permissions: { post: 'owner' } })
    await refused(forward(ctx, carol, { ...input, clientId: randomUUID() }), 'role_insufficient')
  })

  test('of what is deleted, unseen or no message there is nothing to forward', async () => {
    const { seq } = await say(alice, 'gone')
    const edited = await change(alice, seq, 'gone too')
    await refused(pass(dave, seq), 'message_unknown')
    await refused(pass(bob, edited.seq), 'message_unknown')
    await refused(pass(alice, seq), 'not_a_member')
    await hide(ctx, bob, { conversation, seqs: [seq] })
    await refused(pass(bob, seq), 'message_unknown')
    const next = await say(alice, 'deleted')
    await take(alice, next.seq)
    await refused(pass(bob, next.seq), 'message_unknown')
    const last = await say(alice, 'cleared')
    await clear(ctx, bob, { conversation, upTo: last.seq })
    await refused(pass(bob, last.seq), 'message_unknown')
    expect(await arrived()).toEqual([])
  })

  test('does not name who said it where a block stands between them and a reader, live for all of them', async () => {
    const [eve, frank] = (await makeUsers(ctx.pool, 2)) as [string, string]
    conversation = await makeConversation(ctx.pool, [eve, bob])
    await block(ctx, frank, eve)
    target = await makeConversation(ctx.pool, [bob, frank, dave])
    const { seq, at: saidAt } = await say(eve, 'words')
    const clientId = randomUUID()
    for (const _ of ['first', 'again']) {
      const { entry } = await pass(bob, seq, clientId)
      expect(chat.emitted.at(-1)?.event).toMatchObject({ body: { text: 'words' }, forwarded: { at: saidAt } })
      expect(JSON.stringify(chat.emitted.at(-1)?.event)).not.toContain(eve)
      // Who forwards it reads the name with the page, and in the answer.
      expect(entry).toMatchObject({ forwarded: { by: eve, at: saidAt } })
    }
    expect((await arrived(frank))[0]!.forwarded).toEqual({ at: saidAt })
    expect((await arrived(dave))[0]!.forwarded).toEqual({ by: eve, at: saidAt })
  })

  test('names who said it to who forwards it in a large group, where it names them to nobody live', async () => {
    const { seq, at: saidAt } = await say(alice, 'words')
    await makeLarge(ctx.pool, target)
    const { entry } = await pass(bob, seq)
    expect(entry).toMatchObject({ forwarded: { by: alice, at: saidAt } })
    expect((chat.emitted.at(-1)!.event as EntryOf<'message.new'>).forwarded).toEqual({ at: saidAt })
  })

  test('does not name who said it in the answer to somebody whom they have blocked, whatever is answered', async () => {
    const [eve] = (await makeUsers(ctx.pool, 1)) as [string]
    conversation = await makeConversation(ctx.pool, [eve, bob])
    const asked = await post(ctx, eve, {
      conversation,
      clientId: randomUUID(),
      body: { type: 'poll', question: 'Lunch?', options: ['yes', 'no'], fallback: 'Lunch?', anonymous: true },
    })
    const clientId = randomUUID()
    const { seq } = await pass(bob, asked.seq, clientId)
    await block(ctx, eve, bob)
    const place = { conversation: target, target: seq }
    const answers = [
      await pass(bob, asked.seq),
      await pass(bob, asked.seq, clientId),
      await vote(ctx, bob, { ...place, clientId: randomUUID(), options: [0] }),
      await react(ctx, bob, { ...place, clientId, emoji: '👍', on: true }),
    ]
    await take(eve, asked.seq)
    answers.push(await pass(bob, asked.seq, clientId))
    for (const { entry } of answers) expect(entry).toMatchObject({ event: 'message.new', forwarded: { at: asked.at } })
    expect(JSON.stringify(answers)).not.toContain(eve)
  })
})
