/** Ways into a group: links, and asking to be let in. */
import { randomUUID } from 'node:crypto'
import { makeUsers, openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ChatContext } from '../../context.ts'
import {
  addMembers,
  ban,
  changeGroup,
  changeRole,
  createGroup,
  get,
  leave,
  removeMember,
  unban,
} from '../conversations/index.ts'
import { approve, decline, list as listRequests, own, withdraw } from '../join-requests/index.ts'
import { history } from '../messages/index.ts'
import { accept, list as listAsked } from '../requests/index.ts'
import { join, list, make, preview, revoke } from './index.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let owner: string
let admin: string
let member: string
let newcomer: string
let another: string
let conversation: string

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { settings: { inviteLinksMax: 4, joinRequestsMax: 2, groupMembersMax: 5 } })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  ;[owner, admin, member, newcomer, another] = (await makeUsers(ctx.pool, 5)) as [
    string,
    string,
    string,
    string,
    string,
  ]
  conversation = (await createGroup(ctx, owner, { name: 'Crew', members: [admin, member] })).id
  await changeRole(ctx, owner, { conversation, user: admin, role: 'admin' })
  chat.emitted.length = 0
})

const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code })
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )
const lastEntry = async () => (await history(ctx, owner, { conversation, limit: 1 })).entries[0]
const signals = (event: string) => chat.emitted.filter(one => one.event.event === event)
/** Who heard what, people in the order of their ids. */
const heard = (event: string) => signals(event).map(one => ({ ...one.event, to: [...(one.to as string[])].sort() }))
/** As if somebody of the group had asked them in. */
async function asked(user: string, from = owner): Promise<string> {
  const id = randomUUID()
  await ctx.pool.query(
    'INSERT INTO conversation_requests (id, conversation_id, user_id, from_id, state) VALUES ($1, $2, $3, $4, 1)',
    [id, conversation, user, from],
  )
  return id
}
const page = { limit: 50 }

describe('a link', () => {
  test('lets people in, tells it in the log, and counts', async () => {
    const { token, ...link } = await make(ctx, admin, { conversation })
    expect(link).toMatchObject({ by: admin, uses: null, used: 0, approval: false })
    const joined = await join(ctx, newcomer, token)
    expect(joined).toMatchObject({ conversation: { id: conversation, role: 'member', memberCount: 4 } })
    expect(await lastEntry()).toMatchObject({
      event: 'member.added',
      by: newcomer,
      members: [{ user: newcomer, role: 'member' }],
      via: 'link',
    })
    // Whoever is in it already stays so, and takes no use.
    await join(ctx, newcomer, token)
    await join(ctx, member, token)
    expect((await list(ctx, owner, { conversation, ...page })).links).toEqual([{ ...link, used: 1 }])
  })

  test('is stored as a hash, and shown to nobody again', async () => {
    const { token } = await make(ctx, admin, { conversation })
    const stored = await ctx.pool.query<{ all: string }>('SELECT row_to_json(l)::text AS all FROM invite_links l')
    expect(stored.rows.map(row => row.all).join()).not.toContain(token)
    expect(JSON.stringify(await list(ctx, owner, { conversation, ...page }))).not.toContain(token)
  })

  test('is for those who may add people', async () => {
    await refused(make(ctx, member, { conversation }), 'role_insufficient')
    await refused(list(ctx, member, { conversation, ...page }), 'role_insufficient')
    const { id, token } = await make(ctx, admin, { conversation })
    await refused(revoke(ctx, member, { conversation, link: id }), 'role_insufficient')
    await changeGroup(ctx, owner, { conversation, permissions: { addMembers: 'member' } })
    await make(ctx, member, { conversation })
    // It works as long as whoever made it may add people.
    await changeGroup(ctx, owner, { conversation, permissions: { addMembers: 'owner' } })
    await refused(join(ctx, newcomer, token), 'invitation_invalid')
    await refused(preview(ctx, newcomer, token), 'invitation_invalid')
    await changeGroup(ctx, owner, { conversation, permissions: { addMembers: 'admin' } })
    await join(ctx, newcomer, token)
  })

  test('of its last use one of two gets it, who come at once', async () => {
    for (let round = 0; round < 5; round++) {
      const { token, id } = await make(ctx, owner, { conversation, uses: 1 })
      const [one, two] = (await makeUsers(ctx.pool, 2)) as [string, string]
      const outcomes = await Promise.all([one, two].map(user => outcome(join(ctx, user, token))))
      expect(outcomes.sort()).toEqual(['done', 'invitation_invalid'])
      await revoke(ctx, owner, { conversation, link: id })
      for (const user of [one, two]) await outcome(removeMember(ctx, owner, { conversation, user }))
    }
  })

  test('ends when its time is up, when it is revoked, and when whoever made it goes', async () => {
    const [early, revoked, orphaned] = [
      await make(ctx, owner, { conversation, lifeMs: 60_000 }),
      await make(ctx, owner, { conversation }),
      await make(ctx, admin, { conversation }),
    ]
    await ctx.pool.query(`UPDATE invite_links SET expires_at = now() WHERE id = $1`, [early.id])
    await revoke(ctx, owner, { conversation, link: revoked.id })
    await refused(revoke(ctx, owner, { conversation, link: revoked.id }), 'invitation_unknown')
    await leave(ctx, admin, { conversation })
    for (const { token } of [early, revoked, orphaned]) await refused(join(ctx, newcomer, token), 'invitation_invalid')
    await refused(join(ctx, newcomer, 'none-such'), 'invitation_invalid')
    expect((await list(ctx, owner, { conversation, ...page })).links).toEqual([])
  })

  test('shows the group to whoever has it, and tells nobody', async () => {
    await changeGroup(ctx, owner, { conversation, description: 'Ahoy' })
    chat.emitted.length = 0
    const { token } = await make(ctx, admin, { conversation, approval: true })
    const shown = { conversation, name: 'Crew', description: 'Ahoy', avatar: null, memberCount: 3, approval: true }
    expect(await preview(ctx, newcomer, token.toUpperCase())).toEqual({ ...shown, member: false })
    expect(await preview(ctx, member, token)).toEqual({ ...shown, member: true })
    expect(chat.emitted).toEqual([])
  })

  test('does not let in whoever is banned, also at the same moment, nor more than the group takes', async () => {
    const { token } = await make(ctx, owner, { conversation })
    await ban(ctx, admin, { conversation, user: newcomer })
    await refused(join(ctx, newcomer, token), 'banned')
    await refused(preview(ctx, newcomer, token), 'banned')
    for (let round = 0; round < 5; round++) {
      const [one] = (await makeUsers(ctx.pool, 1)) as [string]
      await Promise.all([outcome(join(ctx, one, token)), ban(ctx, admin, { conversation, user: one })])
      await refused(get(ctx, one, conversation), 'not_a_member')
    }
    await Promise.all((await makeUsers(ctx.pool, 4)).map(user => outcome(join(ctx, user, token))))
    await refused(join(ctx, another, token), 'conversation_full')
    expect((await get(ctx, owner, conversation)).memberCount).toBe(5)
  })

  test('is one of a few', async () => {
    for (let nth = 0; nth < 4; nth++) await make(ctx, owner, { conversation })
    await refused(make(ctx, admin, { conversation }), 'limit_reached')
  })

  test('lets in who had left or was asked, and asks them no more', async () => {
    await leave(ctx, member, { conversation })
    const added = await addMembers(ctx, owner, { conversation, users: [member] })
    expect(added.asked).toEqual([member])
    const { token } = await make(ctx, owner, { conversation })
    await join(ctx, member, token)
    const { requests } = await listAsked(ctx, member, { direction: 'received', ...page })
    expect(requests).toEqual([])
  })
})

describe('a request to join', () => {
  const aLink = async () => (await make(ctx, owner, { conversation, approval: true })).token

  test('is told to those who may let people in, and is approved by one of them', async () => {
    const joined = await join(ctx, newcomer, await aLink())
    expect(joined).toMatchObject({ request: { conversation, name: 'Crew', user: { id: newcomer } } })
    expect(signals('join.requested').map(one => [...(one.to as string[])].sort())).toEqual([
      [newcomer, owner, admin].sort(),
    ])
    await refused(get(ctx, newcomer, conversation), 'not_a_member')
    const { requests } = await listRequests(ctx, admin, { conversation, ...page })
    expect(requests).toMatchObject([{ user: { id: newcomer } }])
    await refused(listRequests(ctx, member, { conversation, ...page }), 'role_insufficient')
    await refused(approve(ctx, member, { conversation, user: newcomer }), 'role_insufficient')
    const { seq } = await approve(ctx, admin, { conversation, user: newcomer })
    expect(await lastEntry()).toMatchObject({ seq, event: 'member.added', by: admin, via: 'request' })
    expect(signals('join.answered').at(-1)).toMatchObject({ event: { user: newcomer, answer: 'approved' } })
    await refused(approve(ctx, owner, { conversation, user: newcomer }), 'request_unknown')
  })

  test('is one, however often they ask, and counts one use', async () => {
    const { token } = await make(ctx, owner, { conversation, approval: true, uses: 2 })
    await join(ctx, newcomer, token)
    await join(ctx, newcomer, token)
    expect(signals('join.requested')).toHaveLength(1)
    expect((await list(ctx, owner, { conversation, ...page })).links).toMatchObject([{ used: 1 }])
    const sent = await own(ctx, newcomer, { direction: 'sent', ...page })
    expect(sent.requests).toMatchObject([{ conversation }])
    for (const [by, count] of [
      [owner, 1],
      [admin, 1],
      [member, 0],
      [newcomer, 0],
    ] as const)
      expect((await own(ctx, by, { direction: 'received', ...page })).requests).toHaveLength(count)
    // A role of a later version: the highest decides, in both lists.
    await ctx.pool.query(
      `UPDATE conversations SET settings = '{"permissions": {"addMembers": "warden"}}' WHERE id = $1`,
      [conversation],
    )
    await refused(listRequests(ctx, admin, { conversation, ...page }), 'role_insufficient')
    expect((await own(ctx, admin, { direction: 'received', ...page })).requests).toEqual([])
    expect((await own(ctx, owner, { direction: 'received', ...page })).requests).toHaveLength(1)
  })

  test('is declined, and not made again for a time', async () => {
    const token = await aLink()
    await join(ctx, newcomer, token)
    await decline(ctx, admin, { conversation, user: newcomer })
    await expect(join(ctx, newcomer, token)).rejects.toMatchObject({
      code: 'request_declined',
      detail: { retryMs: expect.any(Number) },
    })
    expect((await own(ctx, newcomer, { direction: 'sent', ...page })).requests).toEqual([])
    await ctx.pool.query(`UPDATE join_requests SET changed_at = now() - interval '8 days'`)
    await join(ctx, newcomer, token)
    await approve(ctx, admin, { conversation, user: newcomer })
  })

  test('is withdrawn: of that and an approval at once the first one counts', async () => {
    const token = await aLink()
    for (let round = 0; round < 5; round++) {
      await join(ctx, newcomer, token)
      const outcomes = await Promise.all([
        outcome(withdraw(ctx, newcomer, conversation)),
        outcome(approve(ctx, admin, { conversation, user: newcomer })),
      ])
      expect(outcomes.sort()).toEqual(['done', 'request_unknown'])
      await outcome(removeMember(ctx, owner, { conversation, user: newcomer }))
    }
    await refused(withdraw(ctx, newcomer, conversation), 'request_unknown')
  })

  test('ends with a ban, and when they come in by another way', async () => {
    const token = await aLink()
    await join(ctx, newcomer, token)
    await ban(ctx, admin, { conversation, user: newcomer })
    await refused(approve(ctx, admin, { conversation, user: newcomer }), 'request_unknown')
    await refused(join(ctx, newcomer, token), 'banned')
    await join(ctx, another, token)
    await addMembers(ctx, owner, { conversation, users: [another] })
    await refused(approve(ctx, admin, { conversation, user: another }), 'request_unknown')
  })

  test('is told as it ends to whoever asks and to those who may let them in, however it ends', async () => {
    const token = await aLink()
    const open = (await make(ctx, owner, { conversation })).token
    const ways: [answer: string, end: (user: string) => Promise<unknown>][] = [
      ['declined', user => ban(ctx, admin, { conversation, user })],
      ['declined', user => decline(ctx, admin, { conversation, user })],
      ['withdrawn', user => withdraw(ctx, user, conversation)],
      ['approved', user => approve(ctx, admin, { conversation, user })],
      ['approved', user => addMembers(ctx, owner, { conversation, users: [user] })],
      ['approved', user => join(ctx, user, open)],
      ['approved', async user => accept(ctx, user, await asked(user))],
    ]
    for (const [answer, end] of ways) {
      const [user] = (await makeUsers(ctx.pool, 1)) as [string]
      await join(ctx, user, token)
      chat.emitted.length = 0
      await end(user)
      const to = [user, owner, admin].sort()
      expect(heard('join.answered')).toEqual([{ event: 'join.answered', conversation, user, answer, to }])
      if (answer === 'approved') await removeMember(ctx, owner, { conversation, user })
    }
  })

  test('is answered, and heard of, though the store fails after the commit', async () => {
    const token = await aLink()
    const query = ctx.pool.query.bind(ctx.pool) as (...args: unknown[]) => Promise<unknown>
    const answer = (...args: unknown[]) =>
      String(args[0]).includes('FROM invite_links')
        ? query(...args)
        : Promise.reject(new Error('the connection is gone'))
    const failing = vi.spyOn(ctx.pool, 'query').mockImplementation(answer as () => void)
    try {
      await expect(join(ctx, newcomer, token)).rejects.toThrow('the connection is gone')
      expect(heard('refresh').map(one => one.to)).toEqual([[newcomer, owner, admin].sort()])
      await decline(ctx, admin, { conversation, user: newcomer })
      expect(heard('join.answered')).toMatchObject([{ user: newcomer, answer: 'declined' }])
    } finally {
      failing.mockRestore()
    }
  })

  test('a ban keeps whoever was asked into the group from accepting, and all concerned hear of it', async () => {
    const request = await asked(newcomer)
    await ban(ctx, admin, { conversation, user: newcomer })
    await refused(accept(ctx, newcomer, request), 'request_unknown')
    const to = [newcomer, owner, admin].sort()
    expect(heard('conversation.answered')).toMatchObject([{ request, answer: 'cancelled', to }])
  })

  test('that somebody had left still stands when a ban of theirs is lifted', async () => {
    await leave(ctx, member, { conversation })
    await ban(ctx, admin, { conversation, user: member })
    await unban(ctx, admin, { conversation, user: member })
    expect(signals('conversation.answered')).toEqual([])
    expect(await addMembers(ctx, owner, { conversation, users: [member] })).toMatchObject({ asked: [member] })
  })

  test('who was asked and comes by a link is asked no more, nor by whoever is gone: both sides hear of it', async () => {
    const { token } = await make(ctx, owner, { conversation })
    const one = await asked(newcomer)
    await join(ctx, newcomer, token)
    const other = await asked(another, admin)
    await removeMember(ctx, owner, { conversation, user: admin })
    expect(heard('conversation.answered')).toMatchObject([
      { request: one, answer: 'accepted', to: [newcomer, owner].sort() },
      { request: other, answer: 'cancelled', to: [another, admin].sort() },
    ])
  })

  test('is one of a few', async () => {
    const token = await aLink()
    const users = await makeUsers(ctx.pool, 3)
    const outcomes = await Promise.all(users.map(user => outcome(join(ctx, user, token))))
    expect(outcomes.sort()).toEqual(['done', 'done', 'limit_reached'])
  })
})
