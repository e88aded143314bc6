import { randomUUID } from 'node:crypto'
import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ChatContext } from '../context.ts'
import { claim } from '../store/jobs/claim.ts'
import { get, list, members } from '../log/conversations/index.ts'
import { add, list as notified } from '../notices/notifications/index.ts'
import { upkeep } from '../lifecycle/upkeep.ts'
import { find as findUpload, promise } from '../store/uploads/uploads.ts'
import { avatarKeys, changeAvatar } from '../users/change-avatar.ts'
import { changeProfile } from '../users/change-profile.ts'
import { find } from '../users/find.ts'
import { me } from '../users/me.ts'
import { profile } from './profile.ts'
import { changeSettings, settings } from '../users/settings.ts'
import { tellChanged } from '../users/tell-changed.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let ann: string
let bob: string
let eve: string

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  ;[ann, bob, eve] = (await makeUsers(ctx.pool, 3)) as [string, string, string]
  chat.emitted.length = 0
})

const contact = (one: string, other: string) =>
  ctx.pool.query('INSERT INTO contacts (user_id, contact_id) VALUES ($1, $2), ($2, $1)', [one, other])
const block = (one: string, other: string) =>
  ctx.pool.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)', [one, other])
const setSeen = (user: string) =>
  ctx.pool.query("UPDATE users SET last_seen_at = '2026-01-02T03:04:05Z' WHERE id = $1", [user])
const seenAt = Date.UTC(2026, 0, 2, 3, 4, 5)

async function deletedFiles(): Promise<string[]> {
  const claimed = await claim(ctx, { max: 100, leaseMs: 60_000 })
  return claimed.flatMap(({ job }) => (job.kind === 'delete-files' ? job.keys : [])).sort()
}

test('a profile is changed in part, and what is left out stays', async () => {
  await changeProfile(ctx, ann, { displayName: ' Ännchen ', about: 'Tea.\r\nNo coffee.' })
  const changed = await changeProfile(ctx, ann, { displayName: 'Anna' })
  expect(changed).toMatchObject({ id: ann, displayName: 'Anna', about: 'Tea.\nNo coffee.', email: null, avatar: null })
  expect(changed.hasPassword).toBe(false)
  expect(await changeProfile(ctx, ann, { about: '' })).toMatchObject({ displayName: 'Anna', about: '' })
  expect(await me(ctx, ann)).not.toHaveProperty('deleteAfter')
})

test.each([
  [{ displayName: ' ' }, 'displayName', 'minLength 1'],
  [{ displayName: 'a\nb' }, 'displayName', 'no control characters'],
  [{ about: 'x'.repeat(501) }, 'about', 'maxLength 500'],
  [{ about: 'a\u0000' }, 'about', 'no control characters'],
])('a profile with %j is refused, and nothing is changed', async (change, field, rule) => {
  const before = await me(ctx, ann)
  const refused = changeProfile(ctx, ann, { displayName: 'New', about: 'New', ...change })
  await expect(refused).rejects.toMatchObject({ code: 'field_invalid', detail: { field, rule } })
  expect(await me(ctx, ann)).toEqual(before)
})

test('a change of name reaches oneself, contacts and the others of direct conversations, and nobody behind a block', async () => {
  const [contactOf, direct, blocked, blocker, inGroup] = (await makeUsers(ctx.pool, 5)) as [
    string,
    string,
    string,
    string,
    string,
  ]
  await contact(ann, contactOf)
  for (const other of [direct, blocked, blocker, contactOf]) await makeConversation(ctx.pool, [ann, other], 'direct')
  await makeConversation(ctx.pool, [ann, inGroup, direct])
  await block(ann, blocked)
  await block(blocker, ann)
  await changeProfile(ctx, ann, { displayName: 'Zoe' })
  expect(chat.emitted).toEqual([
    {
      class: 'signal',
      to: [ann, contactOf, direct],
      event: {
        event: 'user.changed',
        user: { id: ann, username: expect.any(String), displayName: 'Zoe', avatar: null },
      },
    },
  ])
  chat.emitted.length = 0
  await changeProfile(ctx, ann, { displayName: 'Zoe', about: 'new' })
  expect(chat.emitted).toEqual([])
})

test('a change is told to a thousand at most, contacts first', async () => {
  await ctx.pool.query(
    `WITH made AS (INSERT INTO users (id, username, display_name)
       SELECT gen_random_uuid(), 'crowd' || n, 'x' FROM generate_series(1, 1100) n RETURNING id)
     INSERT INTO contacts (user_id, contact_id) SELECT $1, id FROM made`,
    [ann],
  )
  await makeConversation(ctx.pool, [ann, bob], 'direct')
  const { about: _, email: __, hasPassword: ___, createdAt: ____, ...user } = await me(ctx, ann)
  await tellChanged(ctx, user)
  expect(chat.emitted[0]!.to).toHaveLength(1_001)
  expect(chat.emitted[0]!.to).not.toContain(bob)
})

test('a stranger sees name, about and last seen; a contact is named as such', async () => {
  await changeProfile(ctx, bob, { about: 'Hello.' })
  await setSeen(bob)
  const seen = await profile(ctx, ann, bob)
  expect(seen).toEqual({
    id: bob,
    username: `u${bob}`,
    displayName: expect.any(String),
    avatar: null,
    about: 'Hello.',
    lastSeenAt: seenAt,
    contact: false,
    blocked: false,
  })
  await contact(ann, bob)
  expect(await profile(ctx, ann, bob)).toEqual({ ...seen, contact: true })
  await expect(profile(ctx, ann, randomUUID())).rejects.toMatchObject({ code: 'user_unknown' })
})

test('last seen is shown to those it is meant for', async () => {
  await setSeen(bob)
  await contact(ann, bob)
  const shown = async () => [
    'lastSeenAt' in (await profile(ctx, ann, bob)),
    'lastSeenAt' in (await profile(ctx, eve, bob)),
    'lastSeenAt' in (await profile(ctx, bob, bob)),
  ]
  expect(await shown()).toEqual([true, true, true])
  await changeSettings(ctx, bob, { lastSeenVisibility: 'contacts' })
  expect(await shown()).toEqual([true, false, true])
  await changeSettings(ctx, bob, { lastSeenVisibility: 'nobody' })
  expect(await shown()).toEqual([false, false, true])
})

test('whom a person has blocked sees neither picture nor about nor last seen, and is not told why', async () => {
  await changeProfile(ctx, bob, { about: 'Hello.' })
  await changeAvatar(ctx, bob, { avatar: randomUUID() })
  await setSeen(bob)
  await block(bob, ann)
  const seen = await profile(ctx, ann, bob)
  expect(seen).toMatchObject({ avatar: null, about: '', contact: false, blocked: false })
  expect(seen).not.toHaveProperty('lastSeenAt')
  await ctx.pool.query("UPDATE users SET username = 'bob.blocks' WHERE id = $1", [bob])
  expect((await find(ctx, 'bob.blocks', ann)).avatar).toBeNull()
  expect((await find(ctx, 'bob.blocks', eve)).avatar).not.toBeNull()
  const conversation = await makeConversation(ctx.pool, [ann, bob, eve])
  await add(ctx, { user: ann, kind: 'mention', dedup: 'from before', conversation })
  await ctx.pool.query('UPDATE notifications SET actor_id = $2 WHERE user_id = $1', [ann, bob])
  for (const [by, expected] of [
    [ann, null],
    [eve, expect.any(String)],
  ] as const) {
    const lists = [
      (await members(ctx, by, { conversation, limit: 10 })).members,
      (await get(ctx, by, conversation)).members!,
      (await list(ctx, by, { limit: 10 })).conversations[0]!.members!,
    ]
    for (const people of lists) expect(people.find(one => one.user.id === bob)!.user.avatar).toEqual(expected)
  }
  expect((await notified(ctx, ann, { limit: 10 })).notifications[0]!.actor).toMatchObject({ id: bob, avatar: null })
  // The other way round one still sees them, and that one has blocked them.
  await block(eve, bob)
  expect(await profile(ctx, eve, bob)).toMatchObject({ about: 'Hello.', blocked: true })
})

test('the erased are not found by name', async () => {
  await ctx.pool.query("UPDATE users SET username = 'bob.erased' WHERE id = $1", [bob])
  expect((await find(ctx, 'bob.erased')).id).toBe(bob)
  await ctx.pool.query('UPDATE users SET erased_at = now() WHERE id = $1', [bob])
  await expect(find(ctx, 'bob.erased')).rejects.toMatchObject({ code: 'user_unknown' })
  await expect(changeProfile(ctx, bob, { displayName: 'Back' })).rejects.toMatchObject({ code: 'user_unknown' })
  await expect(changeSettings(ctx, bob, { pushNames: false })).rejects.toMatchObject({ code: 'user_unknown' })
})

// ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const untouched = {
  lastSeenVisibility: 'everyone',
  readReceiptVisibility: 'everyone',
  emailDiscoverability: 'contacts',
  directFrom: null,
  pushNames: true,
  quietHours: null,
  notify: 'all',
}

test('settings are changed in part, and taken back', async () => {
  expect(await settings(ctx, ann)).toEqual(untouched)
  const quietHours = { from: '22:00', until: '07:05', zone: 'Europe/Amsterdam' }
  await changeSettings(ctx, ann, { quietHours, directFrom: 'contacts' })
  await changeSettings(ctx, ann, {
    readReceiptVisibility: 'nobody',
    emailDiscoverability: 'everyone',
    pushNames: false,
  })
  const changed = {
    ...untouched,
    readReceiptVisibility: 'nobody',
    emailDiscoverability: 'everyone',
    pushNames: false,
    quietHours,
    directFrom: 'contacts',
  }
  expect(await settings(ctx, ann)).toEqual(changed)
  expect(await changeSettings(ctx, ann, {})).toEqual(changed)
  expect(await changeSettings(ctx, ann, { quietHours: null, directFrom: null })).toEqual({
    ...changed,
    quietHours: null,
    directFrom: null,
  })
})

test.each([
  [{ from: '24:00', until: '07:00', zone: 'UTC' }, 'quietHours.from'],
  [{ from: '22:00', until: '7:00', zone: 'UTC' }, 'quietHours.until'],
  [{ from: '22:00', until: '22:00', zone: 'UTC' }, 'quietHours.until'],
  [{ from: '22:00', until: '07:00', zone: 'Mars/Olympus' }, 'quietHours.zone'],
  [{ from: '22:00', until: '07:00', zone: '+02:00' }, 'quietHours.zone'],
])('quiet hours %j are refused', async (quietHours, field) => {
  const refused = changeSettings(ctx, ann, { quietHours, pushNames: false })
  await expect(refused).rejects.toMatchObject({ code: 'field_invalid', detail: { field } })
  expect(await settings(ctx, ann)).toEqual(untouched)
})

test.each([
  [{ lastSeenVisibility: 'contacts' }, true],
  [{ readReceiptVisibility: 'nobody' }, true],
  [{ readReceiptVisibility: 'everyone' }, false],
  [{ lastSeenVisibility: 'everyone' }, false],
  [{ emailDiscoverability: 'nobody' }, false],
  [{ pushNames: false }, false],
] as const)('after %j the nodes look again who sees what: %s', async (change, expected) => {
  await changeSettings(ctx, ann, change)
  const row = await ctx.pool.query<{ hidden_at: Date | null }>('SELECT hidden_at FROM users WHERE id = $1', [ann])
  expect(row.rows[0]!.hidden_at !== null).toBe(expected)
})

test('a deployment says which choices there are', async () => {
  const strict = { ...ctx, settings: { ...ctx.settings, directFromAllowed: ['known', 'request'] as const } }
  expect(await changeSettings(strict, ann, { directFrom: 'request' })).toMatchObject({ directFrom: 'request' })
  await expect(changeSettings(strict, ann, { directFrom: 'anyone' })).rejects.toMatchObject({
    code: 'field_invalid',
    detail: { field: 'directFrom', rule: 'null or one of known, request' },
  })
  expect(await changeSettings(strict, ann, { directFrom: null })).toMatchObject({ directFrom: null })
})

test.each(['readReceiptVisibility', 'lastSeenVisibility'] as const)(
  'what %s says is known everywhere at once, also when it is more again: receipts go by it',
  async what => {
    await changeSettings(ctx, ann, { [what]: 'nobody' })
    expect(await ctx.restrictions.of(ann)).toMatchObject({ [what]: 'nobody' })
    await ctx.pool.query('UPDATE users SET hidden_at = NULL WHERE id = $1', [ann])
    await changeSettings(ctx, ann, { [what]: 'everyone' })
    expect(await ctx.restrictions.of(ann)).toMatchObject({ [what]: 'everyone' })
    const row = await ctx.pool.query<{ hidden_at: Date | null }>('SELECT hidden_at FROM users WHERE id = $1', [ann])
    expect(row.rows[0]!.hidden_at).not.toBeNull()
  },
)

// ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────────

test('another picture is told, and the files of the one before go with the change', async () => {
  const [first, second] = [randomUUID(), randomUUID()]
  await changeAvatar(ctx, ann, { avatar: first })
  expect(await deletedFiles()).toEqual([])
  await changeAvatar(ctx, ann, { avatar: second })
  expect(await deletedFiles()).toEqual(avatarKeys(first).sort())
  await changeAvatar(ctx, ann, { avatar: null })
  expect(await deletedFiles()).toEqual(avatarKeys(second).sort())
  expect(chat.emitted.map(({ event }) => event.event === 'user.changed' && event.user.avatar)).toEqual([
    first,
    second,
    null,
  ])
  await changeAvatar(ctx, ann, { avatar: null })
  expect(chat.emitted).toHaveLength(3)
})

test('of two pictures at once one stays, and the files of the other go', async () => {
  const both = [randomUUID(), randomUUID()]
  await Promise.all(both.map(avatar => changeAvatar(ctx, ann, { avatar })))
  const kept = (await me(ctx, ann)).avatar!
  expect(both).toContain(kept)
  expect(await deletedFiles()).toEqual(avatarKeys(both.find(one => one !== kept)!).sort())
})

test('an upload is taken over once, by its owner, in time', async () => {
  const { id, key } = await promise(ctx, ann, 'avatar')
  expect(await findUpload(ctx, ann, id, 'avatar')).toEqual({ key })
  await expect(findUpload(ctx, bob, id)).rejects.toMatchObject({ code: 'upload_unknown' })
  await expect(changeAvatar(ctx, bob, { avatar: randomUUID(), upload: id })).rejects.toMatchObject({
    code: 'upload_unknown',
  })
  const both = [randomUUID(), randomUUID()]
  const tried = await Promise.allSettled(both.map(avatar => changeAvatar(ctx, ann, { avatar, upload: id })))
  expect(tried.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(both).toContain((await me(ctx, ann)).avatar)
  expect(await deletedFiles()).toEqual([key])
  await expect(findUpload(ctx, ann, id)).rejects.toMatchObject({ code: 'upload_unknown' })

  const late = await promise(ctx, ann, 'avatar')
  await ctx.pool.query('UPDATE uploads SET expires_at = now() WHERE id = $1', [late.id])
  await expect(changeAvatar(ctx, ann, { avatar: null, upload: late.id })).rejects.toMatchObject({
    code: 'upload_unknown',
  })
})

test('what is sent to an upload after it was used is deleted as well', async () => {
  const { id, key } = await promise(ctx, ann, 'avatar')
  await changeAvatar(ctx, ann, { avatar: randomUUID(), upload: id })
  await upkeep(ctx)
  expect(await deletedFiles(), 'bytes can still arrive').toEqual([key])
  await ctx.pool.query(`UPDATE uploads SET expires_at = expires_at - interval '61 minutes' WHERE id = $1`, [id])
  await upkeep(ctx)
  expect(await deletedFiles()).toEqual([key])
})

test('a person has so many uploads open, and those that expired do not count', async () => {
  for (let n = 0; n < 20; n++) await promise(ctx, ann, 'avatar')
  await expect(promise(ctx, ann, 'avatar')).rejects.toMatchObject({ code: 'limit_reached' })
  await promise(ctx, bob, 'avatar')
  await ctx.pool.query('UPDATE uploads SET expires_at = now() WHERE user_id = $1', [ann])
  await promise(ctx, ann, 'avatar')
})
