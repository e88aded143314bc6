/** What a group allows whom, as every node keeps to it; `other` is a second node on the same store, whose caches are old. */
import { randomUUID } from 'node:crypto'
import { type Conversation, fold, emptyConversation, type Role } from '@flotilla/protocol'
import { makeUsers, openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { lift } from '../../operators/lift.ts'
import { suspend } from '../../operators/suspend.ts'
import { claim, done } from '../../store/jobs/index.ts'
import { leaveForGood } from '../../lifecycle/leave-for-good.ts'
import { edit, forward, history, pin, post, remove, versions } from '../messages/index.ts'
import { resume } from '../sync/index.ts'
import { addMembers } from './add-members.ts'
import { badge } from './badge.ts'
import { ban, bans, unban } from './bans.ts'
import { changeGroup } from './change-group.ts'
import { changePicture } from './change-picture.ts'
import { changeRole } from './change-role.ts'
import { createDirect } from './create-direct.ts'
import { createGroup } from './create-group.ts'
import { get } from './get.ts'
import { handOn, handOnAll } from './hand-on.ts'
import { leave } from './leave.ts'
import { members } from './members.ts'
import { removeMember } from './remove-member.ts'
import { rename } from './rename.ts'
import { silenceMember } from './silence-member.ts'

const masterKeys = [{ id: 'test', key: Buffer.alloc(32, 7) }]
let database: TestDatabase
let chat: TestChat
let other: TestChat
let ctx: ChatContext
let owner: string
let admin: string
let member: string
let newcomer: string
let conversation: string

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { masterKeys })
  other = await openTestChat(database.url, { masterKeys })
  ctx = chat.ctx
})
afterAll(async () => {
  await Promise.all([chat.close(), other.close()])
  await database.drop()
})
beforeEach(async () => {
  ;[owner, admin, member, newcomer] = (await makeUsers(ctx.pool, 4)) as [string, string, string, string]
  conversation = (await createGroup(ctx, owner, { name: 'Crew', members: [admin, member] })).id
  await changeRole(ctx, owner, { conversation, user: admin, role: 'admin' })
  // Both nodes know the group.
  await other.ctx.memberships.of(conversation)
})

const message = (text = 'hi', clientId: string = randomUUID()) => ({ conversation, clientId, body: { text } })
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code })
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )
const rolesNow = async (): Promise<Record<string, Role>> => {
  const present = await members(ctx, owner, { conversation, limit: 100 }).catch(() =>
    members(ctx, member, { conversation, limit: 100 }),
  )
  return Object.fromEntries(present.members.map(one => [one.user.id, one.role]))
}
const entriesOf = async (by: string) => (await history(ctx, by, { conversation, limit: 200 })).entries
const settingsOf = async (by = member) => (await get(ctx, by, conversation)).group!

describe('settings', () => {
  test('a group begins as groups always were, and a direct conversation has none', async () => {
    expect(await settingsOf()).toEqual({
      description: '',
      avatar: null,
      permissions: {
        post: 'member',
        addMembers: 'admin',
        pin: 'admin',
        mentionEveryone: 'admin',
        edit: 'admin',
      },
      slowModeMs: 0,
      newcomerHistory: 0,
      forwarding: true,
      editWindowMs: null,
      deleteWindowMs: null,
      editHistory: true,
    })
    const { conversation: direct } = await createDirect(ctx, owner, member)
    expect(direct.group).toBeUndefined()
    await refused(changeGroup(ctx, owner, { conversation: direct.id, forwarding: false }), 'not_a_group')
  })

  test('a change is one entry that says what has changed, and folds to what the group is read as', async () => {
    const before = (await get(ctx, owner, conversation)).head
    await changeGroup(ctx, owner, {
      conversation,
      description: ' Ahoy ',
      permissions: { pin: 'member' },
      slowModeMs: 5,
    })
    await changeGroup(ctx, admin, { conversation, forwarding: false, newcomerHistory: null })
    await changeGroup(ctx, admin, { conversation, editWindowMs: 7, deleteWindowMs: null, editHistory: false })
    const entries = await entriesOf(member)
    expect(entries.filter(entry => entry.seq > before)).toMatchObject([
      { event: 'conversation.changed', by: owner, description: 'Ahoy', slowModeMs: 5, permissions: { pin: 'member' } },
      { event: 'conversation.changed', by: admin, forwarding: false, newcomerHistory: null },
      { event: 'conversation.changed', by: admin, editWindowMs: 7, deleteWindowMs: null, editHistory: false },
    ])
    expect(entries.at(-1)).not.toHaveProperty('permissions')
    const { settings } = entries.reduce(fold, emptyConversation)
    const { avatar, ...read } = await settingsOf()
    expect(Object.fromEntries(Object.entries(settings).map(([name, said]) => [name, said.value]))).toEqual(read)
    expect(avatar).toBeNull()
  })

  test('a picture is an entry too, and the files of the one before go with it', async () => {
    const [first, second] = [randomUUID(), randomUUID()]
    await changePicture(ctx, admin, { conversation, avatar: first })
    await changePicture(ctx, admin, { conversation, avatar: second })
    await changePicture(ctx, admin, { conversation, avatar: second })
    expect((await settingsOf()).avatar).toBe(second)
    const told = (await entriesOf(member)).flatMap(one => (one.event === 'conversation.changed' ? [one.avatar] : []))
    expect(told).toEqual([first, second])
    await refused(changePicture(ctx, member, { conversation, avatar: null }), 'role_insufficient')
    const jobs = await ctx.pool.query('SELECT FROM jobs')
    expect(jobs.rowCount).toBe(2)
  })

  test('what nobody knows in the store permits least', async () => {
    await ctx.pool.query(`UPDATE conversations SET settings = '{"permissions": {"post": "moderator"}}' WHERE id = $1`, [
      conversation,
    ])
    ctx.memberships.drop(conversation)
    await refused(post(ctx, admin, message()), 'role_insufficient')
    await post(ctx, owner, message())
  })
})

describe('permissions', () => {
  test('each says who may, from the highest role down', async () => {
    const acts: Record<string, (by: string) => Promise<unknown>> = {
      post: by => post(ctx, by, message()),
      edit: by => rename(ctx, by, { conversation, name: 'Harbour' }),
      addMembers: async by => addMembers(ctx, by, { conversation, users: await makeUsers(ctx.pool, 1) }),
      pin: async by => pin(ctx, by, { conversation, clientId: randomUUID(), target: said.seq }),
    }
    const said = await post(ctx, owner, message('pinned'))
    for (const [what, act] of Object.entries(acts))
      for (const [nth, least] of (['member', 'admin', 'owner'] as const).entries()) {
        await changeGroup(ctx, owner, { conversation, permissions: { [what]: least } })
        const may = (place: number) => (place >= nth ? 'done' : 'role_insufficient')
        const outcomes = [await outcome(act(member)), await outcome(act(admin)), await outcome(act(owner))]
        expect(outcomes, `${what} ${least}`).toEqual([may(0), may(1), may(2)])
      }
  })

  test('owners give permissions, owners and admins set the rest, and who may edit describes', async () => {
    const may = async (by: string, change: object) => outcome(changeGroup(ctx, by, { conversation, ...change }))
    expect(await may(admin, { permissions: { post: 'admin' } })).toBe('role_insufficient')
    expect(await may(member, { slowModeMs: 1 })).toBe('role_insufficient')
    expect(await may(member, { description: 'x' })).toBe('role_insufficient')
    expect(await may(owner, { permissions: { edit: 'member' } })).toBe('done')
    expect(await may(member, { description: 'x' })).toBe('done')
    expect(await may(member, { description: 'x', forwarding: false })).toBe('role_insufficient')
  })

  test('a member cannot post after the entry that made it an announcement group, through a node that has not heard (P8)', async () => {
    const { seq } = await changeGroup(ctx, owner, { conversation, permissions: { post: 'admin' } })
    await refused(post(other.ctx, member, message()), 'role_insufficient')
    expect((await get(ctx, owner, conversation)).head).toBe(seq)
    expect((await post(other.ctx, admin, message())).seq).toBe(seq + 1)
    // And again at once, when it is none any more.
    await changeGroup(ctx, owner, { conversation, permissions: { post: 'member' } })
    await post(other.ctx, member, message())
  })

  test('what they refuse, and what is repeated, leaves the members in the cache that everybody needs', async () => {
    const once = message('once')
    await post(other.ctx, member, once)
    await changeGroup(ctx, owner, { conversation, permissions: { post: 'admin' }, slowModeMs: 60_000 })
    await refused(post(other.ctx, member, message()), 'role_insufficient')
    const held = await other.ctx.memberships.of(conversation)
    await refused(post(other.ctx, member, message()), 'role_insufficient')
    await refused(post(other.ctx, member, { ...message(), thread: 1 }), 'role_insufficient')
    await post(other.ctx, member, once)
    await post(other.ctx, admin, once)
    await post(other.ctx, admin, once)
    expect(await other.ctx.memberships.of(conversation)).toBe(held)
    // Of a reply in a thread it is decided anew as well, where the rules are others by now.
    const root = (await post(ctx, owner, message())).seq
    await changeGroup(ctx, owner, { conversation, permissions: { post: 'member' } })
    await post(other.ctx, member, { ...message(), thread: root })
    const slow = await other.ctx.memberships.of(conversation)
    await refused(post(other.ctx, member, message()), 'rate_limited')
    expect(await other.ctx.memberships.of(conversation)).toBe(slow)
  })

  test('nor forward into it, nor while they are silenced', async () => {
    const { conversation: direct } = await createDirect(ctx, owner, member)
    const said = await post(ctx, owner, { ...message(), conversation: direct.id })
    const source = { conversation: direct.id, seq: said.seq }
    const sendOn = () => forward(ctx, member, { conversation, clientId: randomUUID(), source })
    await sendOn()
    await changeGroup(ctx, owner, { conversation, permissions: { post: 'admin' } })
    await refused(sendOn(), 'role_insufficient')
    await changeGroup(ctx, owner, { conversation, permissions: { post: 'member' } })
    await silenceMember(ctx, owner, { conversation, user: member, until: ctx.clock() + 60_000 })
    await refused(sendOn(), 'silenced')
  })

  test('messages that race with the change stand before it, or nowhere', async () => {
    const sends = Array.from({ length: 20 }, () => outcome(post(other.ctx, member, message())))
    const changed = changeGroup(ctx, owner, { conversation, permissions: { post: 'admin' } })
    const late = Array.from({ length: 20 }, () => outcome(post(other.ctx, member, message())))
    const { seq } = await changed
    const sent = (await Promise.all([...sends, ...late])).filter(one => one === 'done').length
    const said = (await entriesOf(owner)).filter(entry => entry.event === 'message.new')
    expect(said).toHaveLength(sent)
    expect(said.every(entry => entry.seq < seq)).toBe(true)
  })
})

describe('the windows of a group', () => {
  /** Everything that was said there was said so long ago. */
  const age = (minutes: number) =>
    ctx.pool.query(`UPDATE messages SET created_at = now() - $2 * interval '1 minute' WHERE conversation_id = $1`, [
      conversation,
      minutes,
    ])
  const change = (by: string, target: number, via = ctx) =>
    edit(via, by, { conversation, clientId: randomUUID(), target, body: { text: 'other' } })
  const take = (by: string, target: number, via = ctx) =>
    remove(via, by, { conversation, clientId: randomUUID(), target })

  test('are narrower than those of the deployment, for what was said before too; those who see to order delete at any time', async () => {
    const { seq } = await post(ctx, member, message())
    const own = await post(ctx, admin, message())
    await age(10)
    await changeGroup(ctx, admin, { conversation, editWindowMs: 5 * 60_000, deleteWindowMs: 5 * 60_000 })
    await refused(change(member, seq), 'too_late')
    await refused(take(member, seq), 'too_late')
    await refused(change(admin, own.seq), 'too_late')
    await take(admin, own.seq)
    await changeGroup(ctx, admin, { conversation, editWindowMs: 20 * 60_000 })
    await change(member, seq)
    await refused(take(member, seq), 'too_late')
    await changeGroup(ctx, admin, { conversation, deleteWindowMs: null })
    await take(member, seq)
    await changeGroup(ctx, admin, { conversation, editWindowMs: 0 })
    await refused(change(member, (await post(ctx, member, message())).seq), 'too_late')
  })

  test('cannot be wider: a longer one is refused, and of one that has become that the shorter counts', async () => {
    const { seq } = await post(ctx, member, message())
    await age(10)
    const hour = 3_600_000
    await changeGroup(ctx, admin, { conversation, editWindowMs: hour, deleteWindowMs: hour })
    Object.assign(ctx.settings, { editWindowMs: 60_000, deleteWindowMs: 60_000 })
    try {
      for (const field of ['editWindowMs', 'deleteWindowMs']) {
        await refused(changeGroup(ctx, owner, { conversation, [field]: 60_001 }), 'field_invalid')
        await changeGroup(ctx, owner, { conversation, [field]: null })
        await changeGroup(ctx, owner, { conversation, [field]: 60_000 })
      }
      await refused(change(member, seq), 'too_late')
      await refused(take(member, seq), 'too_late')
    } finally {
      Object.assign(ctx.settings, { editWindowMs: Infinity, deleteWindowMs: Infinity })
    }
  })

  test('hold from their entry on, through a node that has not heard, and no longer than that', async () => {
    const { seq } = await post(ctx, member, message())
    await age(10)
    await changeGroup(ctx, admin, { conversation, editWindowMs: 60_000, deleteWindowMs: 60_000 })
    await refused(change(member, seq, other.ctx), 'too_late')
    await refused(take(member, seq, other.ctx), 'too_late')
    await changeGroup(ctx, admin, { conversation, editWindowMs: null, deleteWindowMs: null })
    await change(member, seq, other.ctx)
    await take(member, seq, other.ctx)
  })
})

test('a group turns off what the deployment keeps of edits, and never on what it does not keep', async () => {
  const { seq } = await post(ctx, member, message())
  const says = (text: string, via = ctx) =>
    edit(via, member, { conversation, clientId: randomUUID(), target: seq, body: { text } })
  const kept = async (via = ctx) => (await versions(via, owner, { conversation, seq, limit: 50 })).versions.length
  const count = async () =>
    (await ctx.pool.query('SELECT FROM message_versions WHERE conversation_id = $1', [conversation])).rowCount
  await says('one')
  expect([await kept(), await count()]).toEqual([1, 0])
  const settings = [ctx.settings, other.ctx.settings]
  for (const one of settings) Object.assign(one, { editHistory: true })
  try {
    await says('two')
    expect([await kept(), await count()]).toEqual([2, 1])
    await changeGroup(ctx, admin, { conversation, editHistory: false })
    // Also through a node that has not heard.
    await says('three', other.ctx)
    expect([await kept(), await count()]).toEqual([1, 1])
    await changeGroup(ctx, admin, { conversation, editHistory: true })
    await says('four', other.ctx)
    expect([await kept(), await count()]).toEqual([3, 2])
  } finally {
    for (const one of settings) Object.assign(one, { editHistory: false })
  }
})

describe('an owner', () => {
  test('hands the group on in one entry', async () => {
    await refused(handOn(ctx, admin, { conversation, user: member }), 'role_insufficient')
    await refused(handOn(ctx, owner, { conversation, user: newcomer }), 'user_unknown')
    const { seq } = await handOn(ctx, owner, { conversation, user: member })
    expect(await rolesNow()).toEqual({ [owner]: 'admin', [admin]: 'admin', [member]: 'owner' })
    const entry = (await entriesOf(member)).at(-1)
    expect(entry).toMatchObject({ seq, event: 'member.changed', user: member, role: 'owner', byRole: 'admin' })
    const folded = (await entriesOf(member)).reduce(fold, emptyConversation)
    expect(folded.members.get(owner)?.value).toBe('admin')
  })

  test('is there whatever the owners do at once: leave, demote each other, hand on, ban', async () => {
    for (let round = 0; round < 8; round++) {
      const [a, b, c] = (await makeUsers(ctx.pool, 3)) as [string, string, string]
      const group = (await createGroup(ctx, a, { name: 'Crew', members: [b, c] })).id
      await changeRole(ctx, a, { conversation: group, user: b, role: 'owner' })
      await other.ctx.memberships.of(group)
      const ways = [
        () => leave(ctx, a, { conversation: group }),
        () => changeRole(other.ctx, b, { conversation: group, user: b, role: 'member' }),
        () => ban(ctx, a, { conversation: group, user: b }),
        () => changeRole(other.ctx, a, { conversation: group, user: b, role: 'admin' }),
        () => leaveForGood(other.ctx, a, async () => {}),
        () => leave(ctx, b, { conversation: group }),
      ]
      await Promise.all([ways[round % 6]!(), ways[(round + 1) % 6]!(), ways[(round * 5 + 2) % 6]!()].map(outcome))
      const left = await ctx.pool.query<{ owners: number; all: number }>(
        'SELECT count(*) FILTER (WHERE role = 3)::int AS owners, count(*)::int AS all FROM members WHERE conversation_id = $1',
        [group],
      )
      expect(left.rows[0]!.all).toBeGreaterThan(0)
      expect(left.rows[0]!.owners, `round ${round}`).toBeGreaterThan(0)
    }
  })

  test('who is erased leaves an heir, the longest-standing admin, in the entry that says that they left', async () => {
    await leaveForGood(ctx, owner, async () => {})
    expect(await rolesNow()).toEqual({ [admin]: 'owner', [member]: 'member' })
    const last = (await entriesOf(admin)).at(-1)
    expect(last).toMatchObject({ event: 'member.left', by: owner, heir: admin })
    expect((await entriesOf(admin)).reduce(fold, emptyConversation).members.get(admin)?.value).toBe('owner')
    await leaveForGood(ctx, admin, async () => {})
    expect(await rolesNow()).toEqual({ [member]: 'owner' })
  })

  test('of members the one who came first inherits, whatever of the history the others see', async () => {
    await removeMember(ctx, owner, { conversation, user: admin })
    await changeGroup(ctx, owner, { conversation, newcomerHistory: null })
    await addMembers(ctx, owner, { conversation, users: [newcomer] })
    await leaveForGood(ctx, owner, async () => {})
    expect((await rolesNow())[member]).toBe('owner')
  })

  test('who is shut out for good hands on what they alone own, once, and only while they are', async () => {
    const operator = { operator: owner }
    /** As the worker does them. */
    const doJobs = async () => {
      for (const { id, attempt, job } of await claim(ctx, { max: 10, leaseMs: 1_000 })) {
        if (job.kind === 'hand-on') await handOnAll(ctx, job.user)
        await done(ctx, { id, attempt })
      }
    }
    await doJobs()
    await suspend(ctx, operator, { user: owner, reason: 'Spam', until: ctx.clock() + 60_000 })
    await doJobs()
    expect((await rolesNow())[owner]).toBe('owner')
    await suspend(ctx, operator, { user: owner, reason: 'Spam' })
    await lift(ctx, operator, { user: owner, reason: 'A mistake' })
    await doJobs()
    expect((await rolesNow())[owner]).toBe('owner')
    await suspend(ctx, operator, { user: owner, reason: 'Spam' })
    await doJobs()
    expect(await rolesNow()).toEqual({ [owner]: 'member', [admin]: 'owner', [member]: 'member' })
    const { head } = await get(ctx, member, conversation)
    await suspend(ctx, operator, { user: owner, reason: 'Spam' })
    await doJobs()
    expect((await get(ctx, member, conversation)).head).toBe(head)
  })
})

describe('whoever is silenced', () => {
  const until = () => ctx.clock() + 3_600_000

  test('reads and does not post or edit, through no node, and is told until when', async () => {
    const said = await post(ctx, member, message())
    const late = until()
    const { seq } = await silenceMember(ctx, admin, { conversation, user: member, until: late })
    const refusal = { code: 'silenced', detail: { until: late } }
    await expect(post(other.ctx, member, message())).rejects.toMatchObject(refusal)
    const edited = { conversation, clientId: randomUUID(), target: said.seq, body: { text: 'other' } }
    await expect(edit(other.ctx, member, edited)).rejects.toMatchObject(refusal)
    expect((await get(ctx, member, conversation)).silencedUntil).toBe(late)
    expect((await entriesOf(member)).at(-1)).toMatchObject({ seq, event: 'member.silenced', user: member, until: late })
    const listed = (await members(ctx, owner, { conversation, limit: 10 })).members
    expect(listed.find(one => one.user.id === member)?.silencedUntil).toBe(late)
    await silenceMember(ctx, admin, { conversation, user: member, until: null })
    await post(other.ctx, member, message())
  })

  test('stays so when they leave and come back, and is free when the time is up', async () => {
    await silenceMember(ctx, admin, { conversation, user: member, until: until() })
    await removeMember(ctx, owner, { conversation, user: member })
    await addMembers(ctx, owner, { conversation, users: [member] })
    await refused(post(ctx, member, message()), 'silenced')
    await ctx.pool.query(`UPDATE group_silences SET until = now() WHERE conversation_id = $1`, [conversation])
    ctx.memberships.drop(conversation)
    await post(ctx, member, message())
  })

  test('stands below whoever silences', async () => {
    const may = (by: string, user: string) => outcome(silenceMember(ctx, by, { conversation, user, until: until() }))
    expect(await may(member, admin)).toBe('role_insufficient')
    expect(await may(admin, owner)).toBe('role_insufficient')
    expect(await may(admin, admin)).toBe('role_insufficient')
    expect(await may(owner, admin)).toBe('done')
    expect(await may(owner, newcomer)).toBe('user_unknown')
  })
})

describe('whoever is banned', () => {
  test('is removed, comes in by no way, and may again when it is lifted', async () => {
    await ban(ctx, admin, { conversation, user: member })
    expect((await entriesOf(owner)).at(-1)).toMatchObject({ event: 'member.removed', user: member, banned: true })
    await refused(post(other.ctx, member, message()), 'not_a_member')
    await refused(addMembers(ctx, owner, { conversation, users: [member, newcomer] }), 'banned')
    expect((await bans(ctx, admin, { conversation, limit: 10 })).bans).toMatchObject([
      { user: { id: member }, by: admin },
    ])
    await unban(ctx, owner, { conversation, user: member })
    await refused(unban(ctx, owner, { conversation, user: member }), 'ban_unknown')
    await addMembers(ctx, owner, { conversation, users: [member] })
    await post(ctx, member, message())
  })

  test('may be no member, and then no entry tells of it', async () => {
    const { head } = await get(ctx, owner, conversation)
    await ban(ctx, admin, { conversation, user: newcomer })
    expect((await get(ctx, owner, conversation)).head).toBe(head)
    await refused(addMembers(ctx, owner, { conversation, users: [newcomer] }), 'banned')
  })

  test('does not come in by being added at the same moment', async () => {
    for (let round = 0; round < 6; round++) {
      const [one] = (await makeUsers(ctx.pool, 1)) as [string]
      await Promise.all([
        outcome(addMembers(other.ctx, owner, { conversation, users: [one] })),
        ban(ctx, admin, { conversation, user: one }),
      ])
      expect(await rolesNow()).not.toHaveProperty(one)
    }
  })

  test('is nobody above, and not oneself', async () => {
    await refused(ban(ctx, admin, { conversation, user: owner }), 'role_insufficient')
    await refused(ban(ctx, member, { conversation, user: newcomer }), 'role_insufficient')
    await refused(ban(ctx, owner, { conversation, user: owner }), 'field_invalid')
    await refused(bans(ctx, member, { conversation, limit: 10 }), 'role_insufficient')
  })
})

describe('slow mode', () => {
  const slowModeMs = 3_600_000

  test('of two messages of a member that are sent at once, by two devices through two nodes, one goes', async () => {
    await changeGroup(ctx, owner, { conversation, slowModeMs })
    const sends = [ctx, other.ctx, ctx, other.ctx].map(node => outcome(post(node, member, message())))
    expect((await Promise.all(sends)).sort()).toEqual(['done', 'rate_limited', 'rate_limited', 'rate_limited'])
    await expect(post(ctx, member, message())).rejects.toMatchObject({
      code: 'rate_limited',
      detail: { rule: `slowModeMs ${slowModeMs}` },
    })
    const late = await post(ctx, member, message()).catch((error: { detail: { retryMs: number } }) => error.detail)
    expect(late).toHaveProperty('retryMs', expect.closeTo(slowModeMs, -6))
  })

  test('a repetition gets the first result, and takes no turn', async () => {
    await changeGroup(ctx, owner, { conversation, slowModeMs })
    const first = message('once')
    const placed = await post(ctx, member, first)
    expect(await post(other.ctx, member, first)).toEqual(placed)
    // Long after: the next message still goes.
    await ctx.pool.query(`UPDATE slow_posts SET at = now() - interval '2 hours' WHERE user_id = $1`, [member])
    expect(await post(other.ctx, member, first)).toEqual(placed)
    await post(ctx, member, message())
  })

  test('a message that was not stored in its turn keeps it, and waits anew before the next', async () => {
    await changeGroup(ctx, owner, { conversation, slowModeMs })
    const lost = message('lost')
    await ctx.pool.query('INSERT INTO slow_posts (user_id, conversation_id, client_id) VALUES ($1, $2, $3)', [
      member,
      conversation,
      lost.clientId,
    ])
    await refused(post(ctx, member, message()), 'rate_limited')
    await ctx.pool.query(`UPDATE slow_posts SET at = now() - interval '59 minutes' WHERE user_id = $1`, [member])
    await post(ctx, member, lost)
    await ctx.pool.query(`UPDATE slow_posts SET at = at - interval '5 minutes' WHERE user_id = $1`, [member])
    await refused(post(ctx, member, message()), 'rate_limited')
  })

  test('who sees to order does not wait, edits do not, and it is over when it is off', async () => {
    await changeGroup(ctx, owner, { conversation, slowModeMs })
    const said = await post(ctx, member, message())
    for (const by of [owner, admin, owner, admin]) await post(ctx, by, message())
    await edit(ctx, member, { conversation, clientId: randomUUID(), target: said.seq, body: { text: 'b' } })
    await refused(post(other.ctx, member, message()), 'rate_limited')
    await changeGroup(ctx, admin, { conversation, slowModeMs: 0 })
    await post(other.ctx, member, message())
    await post(ctx, member, message())
  })
})

describe('newcomers', () => {
  const seenBy = async (by: string) => {
    const { entries, from } = await history(ctx, by, { conversation, after: 0, limit: 200 })
    return {
      from,
      texts: entries.flatMap(one => (one.event === 'message.new' ? [(one.body as { text: string }).text] : [])),
    }
  }
  const add = async (user = newcomer): Promise<Conversation> => {
    await addMembers(ctx, owner, { conversation, users: [user] })
    return get(ctx, user, conversation)
  }

  beforeEach(async () => {
    for (const text of ['one', 'two', 'three']) await post(ctx, owner, message(text))
  })

  test('see the log from their coming on, unless the group says otherwise', async () => {
    const seen = await add()
    expect(seen.joinedSeq).toBe(seen.head)
    expect((await seenBy(newcomer)).texts).toEqual([])
  })

  test.each([
    ['all of it', null, ['one', 'two', 'three']],
    ['the last entries', 3, ['two', 'three']],
    ['no more than there are', 1_000, ['one', 'two', 'three']],
  ])('may see %s, as read, and get it when they resume', async (_, newcomerHistory, texts) => {
    await changeGroup(ctx, owner, { conversation, newcomerHistory })
    const seen = await add()
    expect(seen).toMatchObject({ unread: 0, readSeq: seen.head - 1, deliveredSeq: seen.head - 1 })
    expect(await badge(ctx, newcomer)).toBe(0)
    const { from, texts: shown } = await seenBy(newcomer)
    expect(shown).toEqual(texts)
    expect(from).toBe(seen.joinedSeq)
    expect((await entriesOf(owner)).at(-1)).toMatchObject({ event: 'member.added', since: from })
    const { verdicts } = await resume(ctx, newcomer, { cursors: [] })
    expect(verdicts).toMatchObject([{ conversation, verdict: 'replayed', entries: { length: seen.head - from + 1 } }])
    await post(ctx, owner, message('four'))
    expect(await get(ctx, newcomer, conversation)).toMatchObject({ unread: 1 })
  })

  test('who come back see what their membership says now', async () => {
    await changeGroup(ctx, owner, { conversation, newcomerHistory: null })
    await removeMember(ctx, owner, { conversation, user: member })
    await post(ctx, owner, message('while away'))
    await add(member)
    expect((await seenBy(member)).texts).toContain('while away')
    await changeGroup(ctx, owner, { conversation, newcomerHistory: 0 })
    await removeMember(ctx, owner, { conversation, user: member })
    await add(member)
    expect((await seenBy(member)).texts).toEqual([])
  })
})
