/** Nobody is put into a conversation without their consent: requests of strangers, and into groups. */
import { textOf } from '@flotilla/protocol'
import { randomBytes, randomUUID } from 'node:crypto'
import type { QueryConfig } from 'pg'
import { makeUsers, openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { block, unblock } from '../../people/blocks/index.ts'
import { accept as acceptContact, request as requestContact } from '../../people/contacts/index.ts'
import type { ChatContext } from '../../context.ts'
import {
  addMembers,
  badge,
  changeRole,
  createDirect,
  createGroup,
  leave,
  list as listConversations,
  members,
  removeMember,
  get as getConversation,
} from '../conversations/index.ts'
import { history, post } from '../messages/index.ts'
import { count as notified } from '../../notices/notifications/index.ts'
import { demandAcquainted } from '../../privacy/index.ts'
import { delivered, read } from '../receipts/index.ts'
import { file } from '../../operators/reports/index.ts'
import { resume } from '../sync/index.ts'
import { tell as tellTyping } from '../typing/index.ts'
import { accept, cancel, decline, get, list } from './index.ts'

let database: TestDatabase
let chat: TestChat
/** Another process on the same store. */
let other: TestChat
let ctx: ChatContext
let [alice, bob, carol] = ['', '', '']

const masterKeys = [{ id: 'test', key: randomBytes(32) }]
const settings = { directFrom: 'known', requestMessagesMax: 3, requestPauseMs: 60_000, receiptWindowMs: 5 } as const

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { settings, masterKeys, presumedAbsent: users => users })
  other = await openTestChat(database.url, { settings, masterKeys })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await other.close()
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob, carol] = (await makeUsers(ctx.pool, 3)) as [string, string, string]
  chat.emitted.length = 0
})

const say = (conversation: string, by = alice, text = 'Hello', on = ctx) =>
  post(on, by, { conversation, clientId: randomUUID(), body: { text } })
const received = async (by: string) => (await list(ctx, by, { direction: 'received', limit: 100 })).requests
const sent = async (by: string) => (await list(ctx, by, { direction: 'sent', limit: 100 })).requests
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  )
const told = (user: string) =>
  chat.emitted.flatMap(({ to, event }) => (Array.isArray(to) && to.includes(user) ? [event.event] : []))
const setDirectFrom = (user: string, number: number | null) =>
  ctx.pool.query('UPDATE users SET direct_from = $2 WHERE id = $1', [user, number])
async function befriend(one: string, another: string) {
  const asked = await requestContact(ctx, one, { user: another })
  if ('request' in asked) await acceptContact(ctx, another, asked.request.id)
}
/** Alice has opened a conversation with Bob, who does not know her. */
async function asked(): Promise<{ conversation: string; request: string }> {
  const { conversation } = await createDirect(ctx, alice, bob)
  const [request] = await received(bob)
  return { conversation: conversation.id, request: request!.id }
}
const inGroup = async (conversation: string) =>
  (await members(ctx, alice, { conversation, limit: 100 })).members.map(one => one.user.id)

describe('a direct conversation of a stranger', () => {
  test('is a request: the other is no member, and nothing of it is among their conversations', async () => {
    const opened = await createDirect(ctx, alice, bob)
    expect(opened).toMatchObject({ created: true, conversation: { kind: 'direct', pending: true, memberCount: 1 } })
    expect(opened.conversation.members!.map(one => one.user.id)).toEqual([alice, bob])
    const { id } = opened.conversation
    expect(told(bob)).toEqual(['conversation.requested'])
    const { seq } = await say(id)
    expect(told(bob)).toEqual(['conversation.requested', 'conversation.requested'])
    expect(await received(bob)).toMatchObject([
      { conversation: id, kind: 'direct', from: { id: alice }, to: { id: bob }, messages: 1 },
    ])
    expect(await sent(alice)).toEqual(await received(bob))

    expect(await listConversations(ctx, bob, { limit: 10 })).toEqual({ conversations: [] })
    expect(await badge(ctx, bob)).toBe(0)
    expect(await notified(ctx, bob)).toBe(0)
    expect((await resume(ctx, bob, { cursors: [] })).verdicts).toEqual([])
    const owed = await ctx.pool.query('SELECT FROM offline_messages WHERE user_id = $1', [bob])
    expect(owed.rowCount, 'so no push tells of it').toBe(0)
    expect(await codeOf(history(ctx, bob, { conversation: id }))).toBe('not_a_member')
    expect(await codeOf(say(id, bob))).toBe('not_a_member')
    // Neither sees when the other is here, and what Bob has had is told to nobody.
    for (const verb of [read, delivered])
      expect(await codeOf(verb(ctx, bob, { conversation: id, seq }))).toBe('not_a_member')
    expect(await codeOf(demandAcquainted(ctx, alice, [bob]))).toBe('no_shared_conversation')
    expect(await codeOf(demandAcquainted(ctx, bob, [alice]))).toBe('no_shared_conversation')
    chat.emitted.length = 0
    await tellTyping(ctx, alice, { conversation: id, typing: true })
    expect(told(bob)).toEqual([])
  })

  test('can be read before it is answered, and nobody is told', async () => {
    const { conversation, request } = await asked()
    await say(conversation)
    await say(conversation, alice, 'Are you there?')
    chat.emitted.length = 0
    const { messages } = await get(ctx, bob, request)
    expect(messages.map(one => textOf(one.body))).toEqual(['Hello', 'Are you there?'])
    expect(chat.emitted).toEqual([])
    for (const somebody of [alice, carol]) expect(await codeOf(get(ctx, somebody, request))).toBe('request_unknown')
    // What is shown can be reported.
    const report = { user: alice, reason: 'spam' as const, conversation, seq: 2 }
    expect(await file(ctx, bob, report)).toMatchObject({ created: true })
    expect(await codeOf(file(ctx, carol, report))).toBe('not_a_member')
  })

  test('takes few messages before it is accepted, through however many processes they come at once', async () => {
    const { conversation } = await asked()
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, nth) =>
        codeOf(say(conversation, alice, 'Hello', nth % 2 === 0 ? ctx : other.ctx)),
      ),
    )
    // What was refused for want of luck may come again, and never gets further than the limit.
    expect(outcomes.filter(one => one === 'done').length).toBeLessThanOrEqual(3)
    while ((await codeOf(say(conversation))) === 'done') continue
    await expect(say(conversation)).rejects.toMatchObject({
      code: 'request_pending',
      detail: { rule: 'maxItems 3 before it is accepted' },
    })
    const { entries } = await history(ctx, alice, { conversation })
    expect(entries.map(entry => entry.event)).toEqual(['conversation.created', ...Array(3).fill('message.new')])
  })

  test('has one last place: of two messages for it, through two processes, one is stored', async () => {
    const [here, there] = [ctx, other.ctx].map(one => ({
      ...one,
      settings: { ...one.settings, requestMessagesMax: 1 },
    }))
    const crowd = await makeUsers(ctx.pool, 12)
    const opened = await Promise.all(crowd.map(user => createDirect(ctx, alice, user)))
    const sendings = opened.map(async ({ conversation: { id } }) => {
      const outcomes = await Promise.all([here!, there!].map(on => codeOf(say(id, alice, 'Hello', on))))
      return outcomes.sort()
    })
    for (const outcomes of await Promise.all(sendings)) expect(outcomes).toEqual(['done', 'request_pending'])
  })

  test('keeps the order in which messages were sent, and a repetition is none', async () => {
    const { conversation } = await asked()
    const inputs = ['one', 'two', 'three'].map(text => ({ conversation, clientId: randomUUID(), body: { text } }))
    const seqs = (await Promise.all(inputs.map(input => post(ctx, alice, input)))).map(one => one.seq)
    expect(seqs).toEqual([2, 3, 4])
    expect((await Promise.all(inputs.map(input => post(ctx, alice, input)))).map(one => one.seq)).toEqual(seqs)
    expect(await codeOf(say(conversation))).toBe('request_pending')
  })

  test('goes on when it is accepted: both are members, and what was said is there', async () => {
    const { conversation, request } = await asked()
    await say(conversation)
    chat.emitted.length = 0
    const accepted = await accept(ctx, bob, request)
    expect(accepted).toMatchObject({ id: conversation, memberCount: 2, joinedSeq: 1, unread: 1, head: 3 })
    expect(accepted).not.toHaveProperty('pending')
    expect(told(alice)).toEqual(['member.added', 'conversation.answered'])
    expect(told(bob)).toEqual(['member.added', 'conversation.answered'])
    const { entries, from } = await history(ctx, bob, { conversation })
    expect(from).toBe(1)
    expect(entries.map(entry => entry.event)).toEqual(['conversation.created', 'message.new', 'member.added'])
    expect(entries[2]).toMatchObject({ by: bob, members: [{ user: bob, role: 'member' }], since: 1 })
    chat.emitted.length = 0
    await say(conversation)
    await say(conversation, bob)
    expect(chat.emitted.map(one => [...(one.to as string[])].sort())).toEqual(Array(2).fill([alice, bob].sort()))
    expect([await received(bob), await sent(alice)]).toEqual([[], []])
    expect(await codeOf(accept(ctx, bob, request))).toBe('request_unknown')
    expect(await codeOf(accept(ctx, alice, request))).toBe('request_unknown')
  })

  test('is accepted by opening it, also after it was declined', async () => {
    const { request } = await asked()
    await decline(ctx, bob, request)
    const opened = await createDirect(ctx, bob, alice)
    expect(opened).toMatchObject({ created: false, conversation: { memberCount: 2 } })
    expect(await sent(alice)).toEqual([])
  })

  test('accepted while it is being read, it names the other once', async () => {
    const { conversation, request } = await asked()
    const query = async (statement: QueryConfig) => {
      const found = await ctx.pool.query(statement)
      if (statement.name === 'conversations-one') await accept(other.ctx, bob, request)
      return found
    }
    const racing = { ...ctx, pool: Object.assign(Object.create(ctx.pool) as typeof ctx.pool, { query }) }
    const read = await getConversation(racing, alice, conversation)
    expect(read.members?.map(({ user }) => user.id).toSorted()).toEqual([alice, bob].toSorted())
    expect(read).toMatchObject({ memberCount: 2 })
    expect(read.pending).toBeUndefined()
  })

  test('both open it at once: they are in it, once', async () => {
    const [one, another] = await Promise.all([createDirect(ctx, alice, bob), createDirect(other.ctx, bob, alice)])
    expect(one.conversation.id).toBe(another.conversation.id)
    expect((await members(ctx, bob, { conversation: one.conversation.id, limit: 5 })).members).toHaveLength(2)
  })

  test('declined stays declined: nothing tells, and it is not asked again', async () => {
    const { conversation, request } = await asked()
    await say(conversation)
    const before = await sent(alice)
    chat.emitted.length = 0
    await decline(ctx, bob, request)
    expect(told(alice)).toEqual([])
    expect((await sent(alice)).map(one => one.id)).toEqual(before.map(one => one.id))
    expect(await received(bob)).toEqual([])
    chat.emitted.length = 0
    await say(conversation)
    await createDirect(ctx, alice, bob)
    expect(told(bob)).toEqual([])
    expect(await received(bob)).toEqual([])
    for (const verb of [accept, decline, get]) expect(await codeOf(verb(ctx, bob, request))).toBe('request_unknown')
    expect(await codeOf(cancel(ctx, alice, request)), 'it was begun').toBe('not_a_group')
  })

  test('is closed by a block, and does not come back by unblocking', async () => {
    const { conversation, request } = await asked()
    chat.emitted.length = 0
    await block(ctx, bob, alice)
    expect(told(bob)).toEqual(['block.changed', 'conversation.answered'])
    expect(told(alice)).toEqual([])
    expect(await codeOf(say(conversation))).toBe('blocked')
    expect(await codeOf(accept(ctx, bob, request))).toBe('request_unknown')
    expect(await codeOf(createDirect(ctx, bob, alice))).toBe('blocked')
    await unblock(ctx, bob, alice)
    await say(conversation)
    expect(await received(bob)).toEqual([])
  })

  test('nothing is stored after a block, however it races with messages', async () => {
    for (let turn = 0; turn < 5; turn++) {
      const [one, another] = (await makeUsers(ctx.pool, 2)) as [string, string]
      const { conversation } = await createDirect(ctx, one, another)
      const sending = [say(conversation.id, one), say(conversation.id, one, 'Hello', other.ctx)].map(codeOf)
      await block(ctx, another, one)
      const head = async () =>
        (
          await ctx.pool.query<{ head_seq: number }>('SELECT head_seq FROM conversations WHERE id = $1', [
            conversation.id,
          ])
        ).rows[0]!.head_seq
      const atBlock = await head()
      const outcomes = await Promise.all(sending)
      expect(await head()).toBe(atBlock)
      expect(outcomes.filter(one => one === 'done')).toHaveLength(atBlock - 1)
    }
  })

  test('needs no request of whom one knows: a contact, or whoever takes conversations from anyone', async () => {
    await befriend(alice, bob)
    expect((await createDirect(ctx, alice, bob)).conversation).toMatchObject({ memberCount: 2 })
    await setDirectFrom(carol, 1)
    expect((await createDirect(ctx, alice, carol)).conversation).toMatchObject({ memberCount: 2 })
  })

  test('begins with the contact that the two become', async () => {
    const { conversation } = await asked()
    await befriend(bob, alice)
    expect((await members(ctx, bob, { conversation, limit: 5 })).members).toHaveLength(2)
    expect(await received(bob)).toEqual([])
  })

  test('of a contact is a request too where all are to ask', async () => {
    await befriend(alice, bob)
    await setDirectFrom(bob, 4)
    expect((await createDirect(ctx, alice, bob)).conversation).toMatchObject({ pending: true })
  })
})

describe('into a group', () => {
  test('come at once those who know whoever adds them, and the others when they accept', async () => {
    await befriend(alice, bob)
    const group = await createGroup(ctx, alice, { name: 'Crew', members: [bob, carol] })
    expect(group.members!.map(one => one.user.id).sort()).toEqual([alice, bob].sort())
    expect(group.memberCount).toBe(2)
    const { entries } = await history(ctx, alice, { conversation: group.id })
    expect(entries[0]).toMatchObject({ members: [{ user: alice }, { user: bob }] })
    expect(told(carol)).toEqual(['conversation.requested'])
    const [request] = await received(carol)
    expect(request).toMatchObject({ kind: 'group', name: 'Crew', conversation: group.id, messages: 0 })
    await say(group.id)
    // A request shows nothing of what is said, and is no membership.
    expect(await get(ctx, carol, request!.id)).toEqual({ request, messages: [] })
    expect(await codeOf(history(ctx, carol, { conversation: group.id }))).toBe('not_a_member')
    const report = { user: alice, reason: 'spam' as const, conversation: group.id, seq: 2 }
    expect(await codeOf(file(ctx, carol, report))).toBe('not_a_member')
    expect(await accept(ctx, carol, request!.id)).toMatchObject({ joinedSeq: 3, memberCount: 3, role: 'member' })
    expect((await history(ctx, carol, { conversation: group.id })).entries.map(one => one.seq)).toEqual([3])
  })

  test('who has a conversation with whoever adds them knows them, whoever began it', async () => {
    await createDirect(ctx, bob, alice)
    const group = await createGroup(ctx, alice, { name: 'Crew', members: [bob] })
    expect(group.memberCount).toBe(2)
    // Bob has begun it: that Alice was only asked does not make her known to him the other way round.
    expect((await createGroup(ctx, bob, { name: 'Crew', members: [alice] })).memberCount).toBe(1)
  })

  test('are asked by an addition, and heads and order stay as they are', async () => {
    await befriend(alice, bob)
    const { id } = await createGroup(ctx, alice, { name: 'Crew', members: [] })
    expect(await addMembers(ctx, alice, { conversation: id, users: [carol] })).toEqual({ seq: 1, asked: [carol] })
    expect(await addMembers(ctx, alice, { conversation: id, users: [bob, carol] })).toEqual({ seq: 2, asked: [carol] })
    expect(await inGroup(id)).toEqual([alice, bob].sort())
    expect(await received(carol)).toHaveLength(1)
  })

  test('whoever has left is asked, whoever adds them and whatever they allow', async () => {
    await setDirectFrom(bob, 1)
    const { id } = await createGroup(ctx, alice, { name: 'Crew', members: [bob] })
    await leave(ctx, bob, { conversation: id })
    expect(await received(bob)).toEqual([])
    expect(await addMembers(ctx, alice, { conversation: id, users: [bob] })).toMatchObject({ asked: [bob] })
    expect(await inGroup(id)).toEqual([alice])
    await accept(ctx, bob, (await received(bob))[0]!.id)
    // Whoever was removed has not left.
    await removeMember(ctx, alice, { conversation: id, user: bob })
    expect(await addMembers(ctx, alice, { conversation: id, users: [bob] })).toMatchObject({ asked: [] })
  })

  test('whoever has declined is left alone for a time, and whoever asked is told', async () => {
    const { id } = await createGroup(ctx, alice, { name: 'Crew', members: [bob] })
    const request = (await received(bob))[0]!.id
    chat.emitted.length = 0
    await decline(ctx, bob, request)
    expect([told(alice), told(bob)]).toEqual([['conversation.answered'], ['conversation.answered']])
    expect(await sent(alice)).toEqual([])
    const again = () => addMembers(ctx, alice, { conversation: id, users: [bob] })
    await expect(again()).rejects.toMatchObject({ code: 'request_declined', detail: { field: 'users' } })
    await setDirectFrom(bob, 1)
    expect(await codeOf(again()), 'whatever they allow').toBe('request_declined')
    await ctx.pool.query(
      "UPDATE conversation_requests SET changed_at = now() - interval '61 seconds' WHERE user_id = $1",
      [bob],
    )
    expect(await again()).toMatchObject({ asked: [bob] })
  })

  test('is worth nothing any more when whoever asked is out or may add nobody', async () => {
    await befriend(alice, bob)
    const { id } = await createGroup(ctx, alice, { name: 'Crew', members: [bob] })
    await changeRole(ctx, alice, { conversation: id, user: bob, role: 'admin' })
    await addMembers(ctx, bob, { conversation: id, users: [carol] })
    const request = (await received(carol))[0]!.id
    await changeRole(ctx, alice, { conversation: id, user: bob, role: 'member' })
    expect(await codeOf(accept(ctx, carol, request))).toBe('request_unknown')
    await changeRole(ctx, alice, { conversation: id, user: bob, role: 'admin' })
    await removeMember(ctx, alice, { conversation: id, user: bob })
    expect(await received(carol)).toEqual([])
    expect(await codeOf(accept(ctx, carol, request))).toBe('request_unknown')
  })

  test('is taken back by whoever asked or manages the group, and by nobody else', async () => {
    const { id } = await createGroup(ctx, alice, { name: 'Crew', members: [bob] })
    const request = (await received(bob))[0]!.id
    for (const somebody of [bob, carol]) expect(await codeOf(cancel(ctx, somebody, request))).toBe('request_unknown')
    await cancel(ctx, alice, request)
    expect(await received(bob)).toEqual([])
    expect(await addMembers(ctx, alice, { conversation: id, users: [bob] })).toMatchObject({ asked: [bob] })
  })

  test('no request comes across a block, and one that was open is gone', async () => {
    const { id } = await createGroup(ctx, alice, { name: 'Crew', members: [bob] })
    await block(ctx, bob, alice)
    expect(await received(bob)).toEqual([])
    expect(await codeOf(addMembers(ctx, alice, { conversation: id, users: [bob] }))).toBe('blocked')
  })

  test('of an acceptance and a refusal at once one counts, and of two acceptances comes one entry', async () => {
    for (let turn = 0; turn < 6; turn++) {
      const [one] = (await makeUsers(ctx.pool, 1)) as [string]
      const { id } = await createGroup(ctx, alice, { name: 'Crew', members: [one] })
      const request = (await received(one))[0]!.id
      const rival = turn % 2 === 0 ? accept : decline
      const outcomes = await Promise.all([codeOf(accept(ctx, one, request)), codeOf(rival(other.ctx, one, request))])
      expect(outcomes).toContain('done')
      if (rival === decline) expect(outcomes).toContain('request_unknown')
      const entered = rival === accept || outcomes[0] === 'done'
      expect(await inGroup(id)).toHaveLength(entered ? 2 : 1)
      expect((await history(ctx, alice, { conversation: id })).head).toBe(entered ? 2 : 1)
    }
  })
})

describe('how many', () => {
  const capped = (more: Partial<ChatContext['settings']>): ChatContext => ({
    ...ctx,
    settings: { ...ctx.settings, ...more },
  })

  test('requests one person sends is limited, however many are sent at once', async () => {
    const strict = capped({ conversationRequestsSentMax: 3 })
    const crowd = await makeUsers(ctx.pool, 6)
    const outcomes = await Promise.all(crowd.map(user => codeOf(createDirect(strict, alice, user))))
    expect(outcomes.sort()).toEqual(['done', 'done', 'done', 'limit_reached', 'limit_reached', 'limit_reached'])
    await expect(createGroup(strict, alice, { name: 'Crew', members: [bob] })).rejects.toMatchObject({
      code: 'limit_reached',
      detail: { field: 'members', rule: 'maxItems 3' },
    })
    // What is answered makes room.
    const [{ id, to }] = (await sent(alice)) as unknown as [{ id: string; to: { id: string } }]
    await accept(strict, to.id, id)
    expect(await codeOf(createDirect(strict, alice, carol))).toBe('done')
  })

  test('requests one person gets is limited, however many are sent at once', async () => {
    const strict = capped({ conversationRequestsReceivedMax: 2 })
    const crowd = await makeUsers(ctx.pool, 5)
    const outcomes = await Promise.all(crowd.map(user => codeOf(createDirect(strict, user, bob))))
    expect(outcomes.sort()).toEqual(['done', 'done', 'limit_reached', 'limit_reached', 'limit_reached'])
    await decline(strict, bob, (await received(bob))[0]!.id)
    expect(await codeOf(createDirect(strict, alice, bob))).toBe('done')
  })

  test('conversations one person is in is limited, by whichever way they come in, also at once', async () => {
    const strict = capped({ conversationsMax: 2, directFrom: 'anyone' })
    const crowd = await makeUsers(ctx.pool, 4)
    const ways = crowd.map((user, nth) =>
      codeOf(
        nth % 2 === 0 ? createDirect(strict, user, bob) : createGroup(strict, user, { name: 'Crew', members: [bob] }),
      ),
    )
    expect((await Promise.all(ways)).sort()).toEqual(['done', 'done', 'limit_reached', 'limit_reached'])
    await expect(createDirect(strict, alice, bob)).rejects.toMatchObject({
      code: 'limit_reached',
      detail: { field: 'user', rule: 'maxItems 2' },
    })
    const { id } = await createGroup(strict, alice, { name: 'Crew', members: [] })
    expect(await codeOf(addMembers(strict, alice, { conversation: id, users: [bob] }))).toBe('limit_reached')
    await createGroup(strict, alice, { name: 'Crew', members: [] })
    expect(await codeOf(createGroup(strict, alice, { name: 'Crew', members: [] })), 'the caller’s own').toBe(
      'limit_reached',
    )
    // A request is none, and cannot be accepted before there is room.
    const asking = capped({ conversationsMax: 2 })
    await createDirect(asking, carol, bob)
    const request = (await received(bob))[0]!.id
    expect(await codeOf(accept(asking, bob, request))).toBe('limit_reached')
    expect(await received(bob)).toHaveLength(1)
  })

  test('members a group has is limited, also by two who accept at once', async () => {
    const strict = capped({ groupMembersMax: 3 })
    expect(await codeOf(createGroup(strict, alice, { name: 'Crew', members: await makeUsers(ctx.pool, 3) }))).toBe(
      'conversation_full',
    )
    await setDirectFrom(carol, 1)
    const { id } = await createGroup(strict, alice, { name: 'Crew', members: [carol] })
    const two = await makeUsers(ctx.pool, 2)
    for (const user of two) await addMembers(strict, alice, { conversation: id, users: [user] })
    const outcomes = await Promise.all(
      two.map(async user => codeOf(accept(strict, user, (await received(user))[0]!.id))),
    )
    expect(outcomes.sort()).toEqual(['conversation_full', 'done'])
  })
})

test('are listed page by page, the latest first', async () => {
  const crowd = await makeUsers(ctx.pool, 5)
  for (const user of crowd) await createDirect(ctx, user, bob)
  const seen: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await list(ctx, bob, { direction: 'received', limit: 2, after })
    seen.push(...page.requests.map(one => one.from.id))
    after = page.next
    if (after === undefined) break
  }
  expect(seen).toEqual(crowd.toReversed())
})
