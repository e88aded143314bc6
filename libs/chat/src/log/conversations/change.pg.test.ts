import { randomUUID } from 'node:crypto'
import { limits, type Role } from '@flotilla/protocol'
import { makeUsers, openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { history, post } from '../messages/index.ts'
import { addMembers } from './add-members.ts'
import { change } from './change.ts'
import { changeRole } from './change-role.ts'
import { createDirect } from './create-direct.ts'
import { createGroup } from './create-group.ts'
import { get } from './get.ts'
import { leave } from './leave.ts'
import { removeMember } from './remove-member.ts'
import { rename } from './rename.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let absent: readonly string[]
let alice: string
let bob: string
let carol: string
let dave: string
let eve: string
let conversation: string

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, {
    presumedAbsent: users => users.filter(user => absent.includes(user)),
    settings: { interestRoutingMin: 6, interestSettleMs: 60_000 },
  })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
/** Alice owns the group, Bob and Carol are in it; Dave and Eve are not. */
beforeEach(async () => {
  absent = []
  const ids = await makeUsers(ctx.pool, 5)
  alice = ids[0]!
  bob = ids[1]!
  carol = ids[2]!
  dave = ids[3]!
  eve = ids[4]!
  conversation = (await createGroup(ctx, alice, { name: 'Crew', members: [bob, carol] })).id
  chat.emitted.length = 0
})

/** Whom the latest change names for every node. */
const named = async () => {
  const found = await ctx.pool.query<{ users: string[] }>(
    'SELECT users FROM changes WHERE conversation_id = $1 ORDER BY seq DESC LIMIT 1',
    [conversation],
  )
  return found.rows[0]!.users
}
const say = (by: string, text = 'hi') => post(ctx, by, { conversation, clientId: randomUUID(), body: { text } })
/** What was told of the log; notifications have tests of their own. */
const told = () => chat.emitted.filter(one => one.class === 'entry')
const sorted = (users: readonly string[]) => [...users].sort()
const refused = (promise: Promise<unknown>, code: string, field?: string) =>
  expect(promise).rejects.toMatchObject({ code, ...(field === undefined ? {} : { detail: { field } }) })

async function row() {
  const found = await ctx.pool.query<{
    name: string
    head: number
    version: number
    size: number
    byInterest: boolean
  }>(
    `SELECT name, head_seq AS head, version, member_count AS size, large_since IS NOT NULL AS "byInterest"
       FROM conversations WHERE id = $1`,
    [conversation],
  )
  return found.rows[0]!
}

async function roles(): Promise<Record<string, Role>> {
  const found = await ctx.pool.query<{ user_id: string; role: number }>(
    'SELECT user_id, role FROM members WHERE conversation_id = $1',
    [conversation],
  )
  const names: Record<number, Role> = { 1: 'member', 2: 'admin', 3: 'owner' }
  return Object.fromEntries(found.rows.map(one => [one.user_id, names[one.role]!]))
}

async function owed(): Promise<string[]> {
  const found = await ctx.pool.query<{ user_id: string; seq: number }>(
    'SELECT user_id, seq FROM offline_messages WHERE conversation_id = $1',
    [conversation],
  )
  return found.rows.map(one => `${one.user_id} ${one.seq}`)
}

const lastEntry = async (by = alice) => (await history(ctx, by, { conversation, limit: 1 })).entries[0]

/** What is true after every change: one entry more, told once to these people. */
async function expectTold(to: readonly string[], fields: object, membership: number | undefined, reader = alice) {
  const { head } = await row()
  const entry = await lastEntry(reader)
  expect(entry).toEqual({
    conversation,
    seq: head,
    epoch: ctx.epoch(),
    at: expect.any(Number),
    ...fields,
  })
  expect(told()).toEqual([
    {
      class: 'entry',
      to: expect.any(Array),
      event: entry,
      entry: { conversation, seq: head, at: entry!.at, ...(membership === undefined ? {} : { membership }) },
    },
  ])
  expect(sorted(told()[0]!.to as string[])).toEqual(sorted(to))
}

describe('each change is one entry, rows and a version', () => {
  test('people are added and see the log from their entry on', async () => {
    await say(alice, 'before')
    chat.emitted.length = 0
    absent = [carol, eve]
    expect(await addMembers(ctx, alice, { conversation, users: [dave, eve, dave] })).toEqual({ seq: 3, asked: [] })
    expect(await row()).toMatchObject({ head: 3, version: 2, size: 5, byInterest: false })
    const members = [dave, eve].map(user => ({ user, role: 'member' }))
    await expectTold([alice, bob, carol, dave, eve], { event: 'member.added', by: alice, members }, 2)
    expect(sorted(await owed())).toEqual(sorted([`${carol} 3`, `${eve} 3`]))
    expect(await history(ctx, dave, { conversation })).toMatchObject({ from: 3, entries: [{ seq: 3 }] })
    expect(await get(ctx, dave, conversation)).toMatchObject({ joinedSeq: 3, unread: 0, role: 'member' })
    expect((await say(dave)).seq).toBe(4)
  })

  test('a member is removed: told a last time, owed nothing any more', async () => {
    absent = [carol]
    await say(alice)
    chat.emitted.length = 0
    absent = [bob, carol]
    expect(await removeMember(ctx, alice, { conversation, user: carol })).toEqual({ seq: 3 })
    expect(await row()).toMatchObject({ head: 3, version: 2, size: 2 })
    expect(Object.keys(await roles()).sort()).toEqual(sorted([alice, bob]))
    await expectTold([alice, bob, carol], { event: 'member.removed', by: alice, user: carol }, 2)
    expect(await owed()).toEqual([`${bob} 3`])
    await refused(say(carol), 'not_a_member')
    await refused(history(ctx, carol, { conversation }), 'not_a_member')
    await say(alice)
    expect(chat.emitted.at(-1)?.to).not.toContain(carol)
  })

  test('a member leaves, and removing oneself is leaving', async () => {
    expect(await leave(ctx, bob, { conversation })).toEqual({ seq: 2 })
    expect(await row()).toMatchObject({ head: 2, version: 2, size: 2 })
    await expectTold([alice, bob, carol], { event: 'member.left', by: bob }, 2)
    await refused(say(bob), 'not_a_member')
    chat.emitted.length = 0
    await removeMember(ctx, carol, { conversation, user: carol })
    await expectTold([alice, carol], { event: 'member.left', by: carol }, 3)
  })

  test('a role is changed', async () => {
    expect(await changeRole(ctx, alice, { conversation, user: bob, role: 'admin' })).toEqual({ seq: 2 })
    expect(await row()).toMatchObject({ head: 2, version: 2, size: 3 })
    expect(await roles()).toEqual({ [alice]: 'owner', [bob]: 'admin', [carol]: 'member' })
    await expectTold([alice, bob, carol], { event: 'member.changed', by: alice, user: bob, role: 'admin' }, 2)
  })

  test('a name is changed; the membership stays as it was', async () => {
    expect(await rename(ctx, alice, { conversation, name: ' Fleet ' })).toEqual({ seq: 2 })
    expect(await row()).toMatchObject({ name: 'Fleet', head: 2, version: 1 })
    await expectTold([alice, bob, carol], { event: 'conversation.renamed', by: alice, name: 'Fleet' }, undefined)
  })

  test('the last owner leaves as the last member', async () => {
    await leave(ctx, bob, { conversation })
    await refused(leave(ctx, alice, { conversation }), 'last_owner')
    await leave(ctx, carol, { conversation })
    await leave(ctx, alice, { conversation })
    expect(await row()).toMatchObject({ size: 0, head: 4 })
  })

  test('an owner hands the role on and goes', async () => {
    await changeRole(ctx, alice, { conversation, user: bob, role: 'owner' })
    await changeRole(ctx, alice, { conversation, user: alice, role: 'member' })
    await refused(changeRole(ctx, bob, { conversation, user: bob, role: 'admin' }), 'last_owner')
    await leave(ctx, alice, { conversation })
    expect(await roles()).toEqual({ [bob]: 'owner', [carol]: 'member' })
  })
})

describe('refusals leave everything as it was', () => {
  test('by role, by membership, by kind', async () => {
    await changeRole(ctx, alice, { conversation, user: bob, role: 'admin' })
    await addMembers(ctx, bob, { conversation, users: [dave] })
    await changeRole(ctx, alice, { conversation, user: dave, role: 'admin' })
    const before = [await row(), await roles()]
    chat.emitted.length = 0
    // A member changes nothing.
    await refused(rename(ctx, carol, { conversation, name: 'Mine' }), 'role_insufficient')
    await refused(addMembers(ctx, carol, { conversation, users: [eve] }), 'role_insufficient')
    await refused(removeMember(ctx, carol, { conversation, user: bob }), 'role_insufficient')
    await refused(changeRole(ctx, carol, { conversation, user: carol, role: 'owner' }), 'role_insufficient')
    // An admin touches neither admins nor owners, and gives no roles.
    await refused(removeMember(ctx, bob, { conversation, user: dave }), 'role_insufficient')
    await refused(removeMember(ctx, bob, { conversation, user: alice }), 'role_insufficient')
    await refused(changeRole(ctx, bob, { conversation, user: carol, role: 'admin' }), 'role_insufficient')
    // Somebody else's group, and none at all.
    for (const [by, id, code] of [
      [eve, conversation, 'not_a_member'],
      [alice, randomUUID(), 'conversation_unknown'],
    ] as const) {
      await refused(rename(ctx, by, { conversation: id, name: 'Mine' }), code)
      await refused(addMembers(ctx, by, { conversation: id, users: [carol] }), code)
      await refused(removeMember(ctx, by, { conversation: id, user: carol }), code)
      await refused(changeRole(ctx, by, { conversation: id, user: carol, role: 'admin' }), code)
      await refused(leave(ctx, by, { conversation: id }), code)
    }
    await refused(leave(ctx, alice, { conversation }), 'last_owner')
    await refused(changeRole(ctx, alice, { conversation, user: alice, role: 'member' }), 'last_owner')
    expect([await row(), await roles()]).toEqual(before)
    expect(chat.emitted).toEqual([])
  })

  test('by what is named', async () => {
    const before = [await row(), await roles()]
    await refused(addMembers(ctx, alice, { conversation, users: [dave, bob] }), 'already_a_member', 'users')
    await refused(addMembers(ctx, alice, { conversation, users: [alice] }), 'already_a_member', 'users')
    await refused(addMembers(ctx, alice, { conversation, users: [randomUUID(), dave] }), 'user_unknown', 'users')
    await refused(addMembers(ctx, alice, { conversation, users: [] }), 'field_invalid', 'users')
    const tooMany = Array.from({ length: limits.membersAtOnceMax + 1 }, () => randomUUID())
    await refused(addMembers(ctx, alice, { conversation, users: tooMany }), 'field_invalid', 'users')
    await refused(removeMember(ctx, alice, { conversation, user: dave }), 'user_unknown', 'user')
    await refused(changeRole(ctx, alice, { conversation, user: dave, role: 'admin' }), 'user_unknown', 'user')
    await refused(rename(ctx, alice, { conversation, name: '' }), 'field_invalid', 'name')
    expect([await row(), await roles()]).toEqual(before)
  })

  test('a direct conversation has no name and fixed members', async () => {
    const direct = (await createDirect(ctx, alice, bob)).conversation.id
    await refused(rename(ctx, alice, { conversation: direct, name: 'Us' }), 'not_a_group')
    await refused(addMembers(ctx, alice, { conversation: direct, users: [carol] }), 'not_a_group')
    await refused(removeMember(ctx, alice, { conversation: direct, user: bob }), 'not_a_group')
    await refused(changeRole(ctx, alice, { conversation: direct, user: bob, role: 'admin' }), 'not_a_group')
    await refused(leave(ctx, alice, { conversation: direct }), 'not_a_group')
    expect((await get(ctx, alice, direct)).head).toBe(1)
  })

  test('a full group takes exactly as many as it may have', async () => {
    await ctx.pool.query('UPDATE conversations SET member_count = $2 WHERE id = $1', [
      conversation,
      limits.groupMembersMax - 1,
    ])
    await refused(addMembers(ctx, alice, { conversation, users: [dave, eve] }), 'conversation_full', 'users')
    await addMembers(ctx, alice, { conversation, users: [dave] })
    expect((await row()).size).toBe(limits.groupMembersMax)
  })
})

describe('a conversation that grows past the size up to which it is addressed person by person', () => {
  /** That is six members here. */
  async function grow() {
    const more = await makeUsers(ctx.pool, 4)
    await addMembers(ctx, alice, { conversation, users: more.slice(0, 3) })
    expect((await row()).byInterest).toBe(false)
    await addMembers(ctx, alice, { conversation, users: more.slice(3) })
    expect((await row()).byInterest).toBe(true)
  }
  const settle = () =>
    ctx.pool.query("UPDATE conversations SET large_since = now() - interval '2 minutes' WHERE id = $1", [conversation])

  test('is addressed person by person until the nodes have joined, then by interest', async () => {
    await grow()
    expect(told().at(-1)!.to).toHaveLength(7)
    await settle()
    absent = [bob, dave]
    chat.emitted.length = 0
    await addMembers(ctx, alice, { conversation, users: [dave] })
    const { head, version } = await row()
    const event = await lastEntry()
    const entry = { conversation, seq: head, at: event!.at, membership: version }
    expect(told()).toEqual([
      { class: 'entry', to: { conversation, version }, event, entry },
      { class: 'entry', to: [dave], event, entry },
    ])
    expect(await owed()).toEqual([])
  })

  test('names those who go, and nobody when nobody comes or goes', async () => {
    await grow()
    await settle()
    chat.emitted.length = 0
    await removeMember(ctx, alice, { conversation, user: carol })
    await leave(ctx, bob, { conversation })
    await rename(ctx, alice, { conversation, name: 'Fleet' })
    const { version } = await row()
    expect(told().map(emission => emission.to)).toEqual([
      { conversation, version: version - 1 },
      [carol],
      { conversation, version },
      [bob],
      { conversation, version },
    ])
  })

  test('goes by interest also when people have left', async () => {
    await grow()
    await leave(ctx, bob, { conversation })
    await leave(ctx, carol, { conversation })
    expect(await row()).toMatchObject({ size: 5, byInterest: true })
  })
})

describe('at the same time', () => {
  test('a removal and sends: nothing later than the removal is by the removed', async () => {
    const outcomes = await Promise.all([
      ...Array.from({ length: 60 }, (_, n) =>
        say(n % 2 === 0 ? bob : alice).catch((error: { code: string }) => error.code),
      ),
      new Promise(resolve => setImmediate(resolve)).then(() => removeMember(ctx, alice, { conversation, user: bob })),
      ...Array.from({ length: 60 }, (_, n) =>
        say(n % 2 === 0 ? bob : alice).catch((error: { code: string }) => error.code),
      ),
    ])
    const removal = (outcomes[60] as { seq: number }).seq
    const { entries } = await history(ctx, alice, { conversation, after: 0, limit: 200 })
    expect(entries.map(entry => entry.seq)).toEqual(Array.from({ length: entries.length }, (_, n) => n + 1))
    expect(entries.filter(entry => entry.seq > removal && entry.by === bob)).toEqual([])
    expect(entries.filter(entry => entry.by === alice && entry.event === 'message.new')).toHaveLength(60)
    expect(new Set(outcomes.filter(outcome => typeof outcome === 'string'))).toEqual(
      entries.filter(entry => entry.by === bob).length === 60 ? new Set() : new Set(['not_a_member']),
    )
    for (const { to, entry } of told()) if (entry.seq > removal) expect(to).not.toContain(bob)
  })

  test('a send decided by the membership before is refused, not stored', async () => {
    // Bob's node has him cached as a member and does not hear of the removal.
    const other = await openTestChat(database.url, { masterKeys: [{ id: 'other', key: Buffer.alloc(32, 7) }] })
    try {
      await other.ctx.memberships.of(conversation)
      await removeMember(ctx, alice, { conversation, user: bob })
      const { head } = await row()
      await refused(
        post(other.ctx, bob, { conversation, clientId: randomUUID(), body: { text: 'still here' } }),
        'not_a_member',
      )
      expect(other.ctx.inserts.stats.stale).toBe(1)
      expect((await row()).head).toBe(head)
    } finally {
      await other.close()
    }
  })

  test('two admins cannot remove each other', async () => {
    await changeRole(ctx, alice, { conversation, user: bob, role: 'owner' })
    const both = await Promise.allSettled([
      removeMember(ctx, alice, { conversation, user: bob }),
      removeMember(ctx, bob, { conversation, user: alice }),
    ])
    expect(both.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find(one => one.status === 'rejected')?.reason).toMatchObject({ code: 'not_a_member' })
  })

  test('two owners cannot leave both when others stay', async () => {
    await changeRole(ctx, alice, { conversation, user: bob, role: 'owner' })
    const both = await Promise.allSettled([leave(ctx, alice, { conversation }), leave(ctx, bob, { conversation })])
    expect(both.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find(one => one.status === 'rejected')?.reason).toMatchObject({ code: 'last_owner' })
    expect((await row()).size).toBe(2)
  })

  test('one person added by two is added once', async () => {
    const both = await Promise.allSettled([
      addMembers(ctx, alice, { conversation, users: [dave] }),
      addMembers(ctx, alice, { conversation, users: [dave, eve] }),
    ])
    expect(both.find(one => one.status === 'rejected')?.reason).toMatchObject({ code: 'already_a_member' })
    expect((await row()).size).toBe(Object.keys(await roles()).length)
  })

  test('a connection that breaks in the middle changes nothing, and the process lives on', async () => {
    const before = [await row(), await roles()]
    const broken = change(ctx, alice, conversation, async () => {
      await ctx.pool.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()",
      )
      return { event: 'member.removed', user: bob }
    })
    await refused(broken, 'unavailable')
    expect([await row(), await roles()]).toEqual(before)
    await removeMember(ctx, alice, { conversation, user: bob })
    expect((await row()).size).toBe(2)
  })

  test('a process that stalls in the middle loses the lock, so that others go on', async () => {
    const [locked, stalled] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const stuck = change(ctx, alice, conversation, async () => {
      locked.resolve()
      await stalled.promise
      return { event: 'member.removed', user: bob }
    })
    await locked.promise
    const said = await say(carol)
    stalled.resolve()
    await refused(stuck, 'unavailable')
    expect(said.seq).toBe(2)
    expect(await roles()).toHaveProperty(bob)
  })
})

test('a change names those who came or went; the one from which on a group goes by interest, everybody', async () => {
  const more = await makeUsers(ctx.pool, 4)
  const add = (users: readonly string[]) => addMembers(ctx, alice, { conversation, users })
  await add([dave])
  expect(await named()).toEqual([dave])
  await add(more.slice(0, 3))
  expect(sorted(await named())).toEqual(sorted([alice, bob, carol, dave, ...more.slice(0, 3)]))
  await add([more[3]!])
  expect(await named()).toEqual([more[3]])
  await removeMember(ctx, alice, { conversation, user: bob })
  expect(await named()).toEqual([bob])
})
