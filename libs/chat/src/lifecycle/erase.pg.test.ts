import { textOf } from '@flotilla/protocol'
import { randomUUID } from 'node:crypto'
import { openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import type { PoolClient } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChatContext } from '../context.ts'
import { addMembers } from '../log/conversations/add-members.ts'
import { changeRole } from '../log/conversations/change-role.ts'
import { createDirect } from '../log/conversations/create-direct.ts'
import { ban } from '../log/conversations/bans.ts'
import { createGroup } from '../log/conversations/create-group.ts'
import { get as getConversation } from '../log/conversations/get.ts'
import { claim, done, type Job } from '../store/jobs/index.ts'
import { react } from '../log/messages/react.ts'
import { star } from '../log/messages/star.ts'
import { history } from '../log/messages/history.ts'
import { make as makeLink } from '../log/links/make.ts'
import { put as putDraft } from '../log/drafts/index.ts'
import { post } from '../log/messages/post.ts'
import { list as listSecurity } from '../notices/security/list.ts'
import { check } from '../accounts/sessions/check.ts'
import type { ClientDevice } from '../notices/security/client-device.ts'
import { open } from '../accounts/sessions/open.ts'
import { requestDeletion } from '../accounts/request-deletion.ts'
import { cancelDeletion } from '../accounts/cancel-deletion.ts'
import { avatarKeys } from '../users/change-avatar.ts'
import { create } from '../accounts/registration/create.ts'
import { eraseDue } from './erase.ts'
import { find } from '../users/find.ts'
import { get } from '../users/get.ts'
import { me } from '../users/me.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let nth = 0

const client: ClientDevice = { deviceName: 'laptop', address: '192.0.2.1', country: 'NL', agent: 'Firefox' }
const dayMs = 86_400_000

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { settings: { erasureSettleMs: 0 }, presumedAbsent: users => users })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

interface Person {
  readonly id: string
  readonly username: string
  readonly session: string
}

async function person(name: string): Promise<Person> {
  const username = `${name}-${++nth}`
  const { id } = await create(ctx, { username, email: `${username}@example.org`, displayName: `The ${name}`, client })
  const { session } = await open(ctx, id, client, 'password')
  return { id, username, session }
}

const makeDue = (...people: readonly Person[]) =>
  ctx.pool.query(`UPDATE users SET delete_after = now() - interval '1 second' WHERE id = ANY($1)`, [
    people.map(one => one.id),
  ])
const say = (by: Person, conversation: string, text: string) =>
  post(ctx, by.id, { conversation, clientId: randomUUID(), body: { text } })
const group = async (owner: Person, ...members: readonly Person[]) =>
  (await createGroup(ctx, owner.id, { name: 'Group', members: members.map(one => one.id) })).id
const exists = async (conversation: string) => {
  const found = await ctx.pool.query<{ rows: number }>(
    `SELECT (SELECT count(*) FROM conversations WHERE id = $1)::int + (SELECT count(*) FROM messages WHERE conversation_id = $1)::int
          + (SELECT count(*) FROM members WHERE conversation_id = $1)::int AS rows`,
    [conversation],
  )
  return found.rows[0]!.rows > 0
}
const roles = async (conversation: string) => {
  const found = await ctx.pool.query<{ user_id: string; role: number }>(
    'SELECT user_id, role FROM members WHERE conversation_id = $1',
    [conversation],
  )
  return Object.fromEntries(found.rows.map(row => [row.user_id, row.role]))
}

describe('asking for the end', () => {
  test('gives the grace period, ends the other sessions, and is told by mail; asking again moves nothing', async () => {
    const alice = await person('alice')
    const other = (await open(ctx, alice.id, client, 'passkey')).session
    await ctx.pool.query('DELETE FROM jobs')
    const { deleteAfter } = await requestDeletion(ctx, alice.id, { session: alice.session, client })
    expect(Math.abs(deleteAfter - Date.now() - 30 * dayMs)).toBeLessThan(60_000)
    expect([await check(ctx, alice.session), await check(ctx, other)]).toEqual([{ user: alice.id }, undefined])
    expect(await me(ctx, alice.id)).toMatchObject({ deleteAfter })
    await ctx.pool.query(`UPDATE users SET delete_after = delete_after - interval '3 days' WHERE id = $1`, [alice.id])
    expect(await requestDeletion(ctx, alice.id, { session: alice.session, client })).toEqual({
      deleteAfter: deleteAfter - 3 * dayMs,
    })
    const asked = (await listSecurity(ctx, alice.id, { limit: 50 })).events.filter(
      event => event.kind === 'deletion_requested',
    )
    expect(asked.map(event => event.detail)).toEqual([{ deleteAfter: new Date(deleteAfter).toISOString() }])
    const mails = (await claim(ctx, { max: 10, leaseMs: 1 })).map(one => one.job)
    expect(mails).toMatchObject([{ to: `${alice.username}@example.org`, mail: { kind: 'deletion_requested' } }])
  })

  test('wants reauthentication', async () => {
    const alice = await person('alice')
    await ctx.pool.query(`UPDATE sessions SET proved_at = now() - interval '1 hour' WHERE id = $1`, [alice.session])
    await expect(requestDeletion(ctx, alice.id, { session: alice.session, client })).rejects.toMatchObject({
      code: 'reauthentication_required',
    })
  })

  test('can be taken back by whoever signs in meanwhile, and nothing is erased', async () => {
    const alice = await person('alice')
    await requestDeletion(ctx, alice.id, { session: alice.session, client })
    expect(await eraseDue(ctx, 10)).toBe(0)
    const { session } = await open(ctx, alice.id, client, 'password')
    // Past its time, and no worker has come yet.
    await makeDue(alice)
    await cancelDeletion(ctx, alice.id, { session, client })
    await cancelDeletion(ctx, alice.id, { session, client })
    expect(await eraseDue(ctx, 10)).toBe(0)
    expect(await me(ctx, alice.id)).not.toHaveProperty('deleteAfter')
    const kinds = (await listSecurity(ctx, alice.id, { limit: 50 })).events.map(event => event.kind)
    expect(kinds.filter(kind => kind === 'deletion_cancelled')).toHaveLength(1)
  })

  test('a cancellation and the beginning of the erasure at once: one of them wins whole', async () => {
    for (let round = 0; round < 10; round++) {
      const alice = await person('racer')
      await makeDue(alice)
      const [, erased] = await Promise.all([
        cancelDeletion(ctx, alice.id, { session: alice.session, client }),
        eraseDue(ctx, 10),
      ])
      if (erased === 0) await eraseDue(ctx, 10)
      const { rows } = await ctx.pool.query<{ kept: boolean; due: boolean }>(
        'SELECT erased_at IS NULL AS kept, delete_after IS NOT NULL AS due FROM users WHERE id = $1',
        [alice.id],
      )
      expect(rows[0]!.due).toBe(false)
      expect((await check(ctx, alice.session)) !== undefined).toBe(rows[0]!.kept)
      expect((await get(ctx, [alice.id]))[0]!.username === alice.username).toBe(rows[0]!.kept)
    }
  })
})

/** Rows of every kind that a person can have, and others who have something in common with them. */
async function life() {
  const [alice, bob, carol] = [await person('alice'), await person('bob'), await person('carol')]
  const owned = await group(alice, bob, carol)
  const joined = await group(bob, alice)
  const lonely = await group(alice)
  const direct = (await createDirect(ctx, alice.id, bob.id)).conversation.id
  for (const conversation of [owned, joined, lonely, direct])
    await say(alice, conversation, `by alice in ${conversation}`)
  await say(bob, direct, 'by bob')
  const target = (await history(ctx, alice.id, { conversation: direct })).head
  await react(ctx, alice.id, { conversation: direct, target, clientId: randomUUID(), emoji: '👍', on: true })
  await star(ctx, alice.id, { conversation: direct, seq: target })
  const avatar = randomUUID()
  await ctx.pool.query(
    `UPDATE users SET about = 'secret', avatar = $2, last_seen_at = now(), quiet_from = 1, quiet_until = 2,
            quiet_zone = 'UTC', direct_from = 2, password_hash = 'hash', mail_factor = true WHERE id = $1`,
    [alice.id, avatar],
  )
  await ctx.pool.query(
    `WITH device AS (
       INSERT INTO devices (id, user_id, session_id, name, platform, provider, token, token_hash)
       VALUES (gen_random_uuid(), $1, $2, 'phone', 'android', 'fcm', 'token', sha256($2::uuid::text::bytea))
     ), identity AS (
       INSERT INTO identities (issuer, subject, user_id, provider) VALUES ('https://idp.example', $1::uuid::text, $1, 'idp')
     ), passkey AS (
       INSERT INTO passkeys (id, user_id, name, public_key, counter, synced) VALUES ($1::uuid::text, $1, 'key', 'x', 0, true)
     ), totp AS (
       INSERT INTO totp_factors (user_id, key_id, secret) VALUES ($1, 1, 'x')
     ), recovery AS (
       INSERT INTO recovery_codes (user_id, code_hash) VALUES ($1, 'x')
     ), code AS (
       INSERT INTO codes (id, purpose, email, user_id, code_mac, tries_left, resend_at, expires_at)
       VALUES (gen_random_uuid(), 'sign-in', 'a@example.org', $1, 'x', 5, now(), now() + interval '1 hour')
     ), challenge AS (
       INSERT INTO challenges (id, kind, user_id, expires_at) VALUES (gen_random_uuid(), 'passkey', $1, now() + interval '1 hour')
     ), contact AS (
       INSERT INTO contacts (user_id, contact_id) VALUES ($1, $3), ($3, $1), ($3, $4), ($4, $3)
     ), request AS (
       INSERT INTO contact_requests (id, from_id, to_id, note) VALUES (gen_random_uuid(), $1, $4, 'hello') RETURNING id
     ), told AS (
       INSERT INTO notifications (id, user_id, kind, dedup, actor_id)
       SELECT gen_random_uuid(), $4, 'contact_request', 'contact-request ' || id, $1 FROM request
     ), block AS (
       INSERT INTO blocks (user_id, blocked_id) VALUES ($4, $1)
     ), notification AS (
       INSERT INTO notifications (id, user_id, kind, dedup) VALUES (gen_random_uuid(), $1, 'mention', 'x')
     ), upload AS (
       INSERT INTO uploads (id, user_id, purpose, expires_at) VALUES (gen_random_uuid(), $1, 'avatar', now() + interval '1 hour')
     ), delivery AS (
       INSERT INTO push_deliveries (id, user_id, conversation_id, device_id, provider, from_seq, upto_seq, message_at, state)
       VALUES (gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), 'fcm', 1, 1, now(), 'sent')
     ), thread AS (
       INSERT INTO thread_follows (user_id, conversation_id, root_seq, following, read_seq) VALUES ($1, $5, 1, true, 1)
     ), poll AS (
       INSERT INTO polls (conversation_id, seq, anonymous, counts, voters, told_seq, told_counts, told_voters, told_at)
       VALUES ($5, 1, true, '{1,0}', 1, 1, '{1,0}', 1, now()), ($5, 2, false, '{1,0}', 1, 2, '{1,0}', 1, now())
     ), vote AS (
       INSERT INTO poll_votes (conversation_id, seq, user_id, options) VALUES ($5, 1, $1, '{0}'), ($5, 2, $1, '{0}')
     )
     SELECT 1`,
    [alice.id, alice.session, bob.id, carol.id, joined],
  )
  await post(ctx, bob.id, {
    conversation: joined,
    clientId: randomUUID(),
    body: { text: 'x', mentions: [alice.id] },
  })
  await ctx.pool.query('UPDATE users SET notify = 2 WHERE id = $1', [alice.id])
  await putDraft(ctx, alice.id, { conversation: joined, at: Date.now(), content: { text: 'x' } })
  await ctx.pool.query(
    `INSERT INTO conversation_requests (id, conversation_id, user_id, from_id, state)
     VALUES (gen_random_uuid(), $1, $2, $3, 1), (gen_random_uuid(), $1, $3, $2, 1), (gen_random_uuid(), $1, $4, $3, 1)`,
    [joined, alice.id, bob.id, carol.id],
  )
  await ctx.pool.query(
    `WITH reminder AS (
       INSERT INTO reminders (user_id, conversation_id, seq, due_at) VALUES ($1, $2, 2, now() + interval '1 day')
     )
     INSERT INTO scheduled_messages (user_id, id, conversation_id, due_at, attempt_at, key_id, body)
     VALUES ($1, gen_random_uuid(), $2, now() + interval '1 day', now() + interval '1 day', 1, 'x')`,
    [alice.id, direct],
  )
  await ctx.pool.query('DELETE FROM jobs')
  return { alice, bob, carol, avatar, owned, joined, lonely, direct }
}

type Life = Awaited<ReturnType<typeof life>>

/** Everything that an erasure promises. */
async function expectErased({ alice, bob, carol, avatar, owned, joined, lonely, direct }: Life): Promise<void> {
  const asked = await ctx.pool.query('SELECT user_id, from_id FROM conversation_requests WHERE conversation_id = $1', [
    joined,
  ])
  expect(asked.rows).toEqual([{ user_id: carol.id, from_id: bob.id }])
  const { rows } = await ctx.pool.query('SELECT * FROM users WHERE id = $1', [alice.id])
  expect(rows).toEqual([
    {
      id: alice.id,
      username: expect.stringMatching(/^deleted-[0-9a-f]{12}$/),
      display_name: 'Deleted person',
      created_at: expect.any(Date),
      erased_at: expect.any(Date),
      password_hash: null,
      email: null,
      about: '',
      avatar: null,
      search_text: '',
      security_mail_due: null,
      last_seen_at: null,
      last_seen_to: 1,
      read_receipts_to: 1,
      found_by_email_to: 2,
      direct_from: null,
      hidden_at: null,
      push_names: true,
      notify: 1,
      quiet_from: null,
      quiet_until: null,
      quiet_zone: null,
      mail_factor: false,
      delete_after: null,
      suspended_until: null,
    },
  ])
  expect(await check(ctx, alice.session)).toBeUndefined()
  // How she voted where everybody was told stays, as what she wrote does; what was secret is known to nobody.
  expect(await rowsNaming(alice)).toEqual({ members: 1, poll_votes: 1, reactions: 1 })
  const polls = await ctx.pool.query(
    'SELECT p.seq, v.user_id FROM polls p LEFT JOIN poll_votes v USING (conversation_id, seq) WHERE conversation_id = $1 AND voters = 1 ORDER BY seq',
    [joined],
  )
  expect(polls.rows).toEqual([
    { seq: 1, user_id: null },
    { seq: 2, user_id: alice.id },
  ])
  const wanting = `SELECT FROM notifications WHERE kind = 'contact_request' AND actor_id = $1`
  expect((await ctx.pool.query(wanting, [alice.id])).rowCount).toBe(0)
  const upload = await ctx.pool.query('SELECT expires_at <= now() AS over FROM uploads WHERE user_id = $1', [alice.id])
  expect(upload.rows).toEqual([{ over: true }])
  const jobs = await claim(ctx, { max: 100, leaseMs: 1 })
  for (const one of jobs) await done(ctx, one)
  const files = jobs
    .map(one => one.job)
    .filter((job): job is Job & { kind: 'delete-files' } => job.kind === 'delete-files')
  expect(files.map(job => job.keys)).toEqual([avatarKeys(avatar)])

  // The others have lost nothing.
  expect(await exists(lonely)).toBe(false)
  // Both have been in it from the beginning: the order of their ids decides, and decides alike after a crash.
  const [heir, other] = [bob.id, carol.id].sort() as [string, string]
  expect(await roles(owned)).toEqual({ [heir]: 3, [other]: 1 })
  expect(await roles(joined)).toEqual({ [bob.id]: 3 })
  const texts = async (by: Person, conversation: string) =>
    (await history(ctx, by.id, { conversation })).entries.flatMap(entry =>
      entry.event === 'message.new' ? [textOf(entry.body)] : [],
    )
  expect(await texts(carol, owned)).toEqual([`by alice in ${owned}`])
  expect(await texts(bob, direct)).toEqual([`by alice in ${direct}`, 'by bob'])
  for (const conversation of [owned, joined]) {
    const { entries } = await history(ctx, bob.id, { conversation })
    expect(entries.filter(entry => entry.event === 'member.left')).toMatchObject([{ by: alice.id }])
    expect(entries.map(entry => entry.seq)).toEqual(entries.map((_, at) => at + 1))
  }
  const shown = (await getConversation(ctx, bob.id, direct)).members?.map(one => one.user)
  expect(shown).toContainEqual(expect.objectContaining({ id: alice.id, displayName: 'Deleted person', avatar: null }))
  expect((await check(ctx, bob.session))?.user).toBe(bob.id)
  const contacts = await ctx.pool.query('SELECT 1 FROM contacts WHERE user_id IN ($1, $2)', [bob.id, carol.id])
  expect(contacts.rowCount).toBe(2)
}

/** How many rows are the person's, in every table that has such; not what others have of them: messages, notifications. */
async function rowsNaming({ id }: Person): Promise<Record<string, number>> {
  const columns = await ctx.pool.query<{ table: string; column: string }>(
    `SELECT c.table_name AS "table", c.column_name AS "column" FROM information_schema.columns c
       JOIN pg_class r ON r.relname = c.table_name AND r.relnamespace = 'public'::regnamespace
      WHERE c.table_schema = 'public' AND c.data_type = 'uuid' AND NOT r.relispartition
        AND c.column_name ~ '(user|contact|from|to|blocked|reporter)_id$'`,
  )
  const counts: Record<string, number> = {}
  for (const { table, column } of columns.rows) {
    if (table === 'uploads') continue
    const found = await ctx.pool.query<{ rows: number }>(
      `SELECT count(*)::int AS rows FROM ${table} WHERE ${column} = $1`,
      [id],
    )
    const { rows } = found.rows[0]!
    if (rows > 0) counts[table] = (counts[table] ?? 0) + rows
  }
  return counts
}

describe('erasing', () => {
  test('takes what is theirs alone, leaves groups with an owner, and leaves what others have', async () => {
    const story = await life()
    chat.emitted.length = 0
    await makeDue(story.alice)
    expect(await eraseDue(ctx, 10)).toBe(1)
    await expectErased(story)
    expect(await eraseDue(ctx, 10)).toBe(0)
    const told = (event: string) =>
      chat.emitted.filter(one => one.event.event === event && Array.isArray(one.to) && one.to.includes(story.bob.id))
    expect(told('user.changed')).toHaveLength(1)
    expect(told('contact.removed')).toHaveLength(1)
    await expect(find(ctx, story.alice.username)).rejects.toMatchObject({ code: 'user_unknown' })
    const { username } = (await get(ctx, [story.alice.id]))[0]!
    await expect(find(ctx, username)).rejects.toMatchObject({ code: 'user_unknown' })
    // The address is free at once, the name when nobody takes the next one for her any more.
    const anew = { username: story.alice.username, email: `${story.alice.username}@example.org` }
    await expect(create(ctx, anew)).rejects.toMatchObject({ code: 'username_taken' })
    await ctx.pool.query(`UPDATE held_names SET freed_at = freed_at - interval '91 days'`)
    await create(ctx, anew)
  })

  test('takes along what somebody has said to themselves', async () => {
    const [alice, bob] = [await person('alice'), await person('bob')]
    const saved = (await createDirect(ctx, alice.id, alice.id)).conversation.id
    const others = (await createDirect(ctx, bob.id, bob.id)).conversation.id
    for (const [by, conversation] of [
      [alice, saved],
      [bob, others],
    ] as const)
      await post(ctx, by.id, { conversation, clientId: randomUUID(), body: { text: 'note' } })
    await makeDue(alice)
    expect(await eraseDue(ctx, 10)).toBe(1)
    for (const table of ['conversations WHERE id', 'messages WHERE conversation_id', 'members WHERE conversation_id'])
      expect((await ctx.pool.query(`SELECT FROM ${table} = $1`, [saved])).rowCount, table).toBe(0)
    expect((await getConversation(ctx, bob.id, others)).head).toBe(2)
  })

  test('takes along what groups hold of the person, and what the person made in them', async () => {
    const [alice, bob] = [await person('alice'), await person('bob')]
    const [own, other] = [await group(alice, bob), await group(bob)]
    await makeLink(ctx, alice.id, { conversation: own })
    await ban(ctx, alice.id, { conversation: own, user: (await person('carol')).id })
    await ban(ctx, bob.id, { conversation: other, user: alice.id })
    await ctx.pool.query('INSERT INTO join_requests (conversation_id, user_id) VALUES ($1, $2)', [other, alice.id])
    await ctx.pool.query(
      `INSERT INTO group_silences (conversation_id, user_id, until) VALUES ($1, $2, now() + interval '1 hour')`,
      [other, alice.id],
    )
    await ctx.pool.query('INSERT INTO slow_posts (conversation_id, user_id, client_id) VALUES ($1, $2, $1)', [
      other,
      alice.id,
    ])
    await makeDue(alice)
    await eraseDue(ctx, 10)
    const left = await ctx.pool.query<{ all: string }>(
      `SELECT concat((SELECT json_agg(l) FROM invite_links l), (SELECT json_agg(b) FROM group_bans b),
                     (SELECT json_agg(j) FROM join_requests j), (SELECT json_agg(g) FROM group_silences g),
                     (SELECT json_agg(p) FROM slow_posts p)) AS all`,
    )
    expect(left.rows[0]!.all).not.toContain(alice.id)
    // The ban that she made stands.
    expect(left.rows[0]!.all).toContain(own)
  })

  test('interrupted at any statement, it is finished by the next run, and nobody loses anything', {
    timeout: 90_000,
  }, async () => {
    let statement = 1
    for (let broken = true; broken; statement++) {
      const story = await life()
      await makeDue(story.alice)
      const faulty = breakAt(ctx, statement)
      await eraseDue(faulty.ctx, 10).catch((error: unknown) => expect(String(error)).toContain('the process died'))
      broken = faulty.broke()
      const buried = (await get(ctx, [story.alice.id]))[0]!.displayName === 'Deleted person'
      // The lease of the run that died is over.
      if (!buried) await makeDue(story.alice)
      expect(await eraseDue(ctx, 10)).toBe(buried ? 0 : 1)
      await expectErased(story)
    }
    expect(statement).toBeGreaterThan(30)
  })

  test('two runs at once erase each account once', async () => {
    const stories = [await life(), await life(), await life()]
    await makeDue(...stories.map(one => one.alice))
    const counts = await Promise.all([eraseDue(ctx, 10), eraseDue(ctx, 10), eraseDue(ctx, 10)])
    expect(counts.reduce((sum, one) => sum + one)).toBe(3)
    for (const { alice, owned } of stories) {
      expect(await rowsNaming(alice)).toEqual({ members: 1, poll_votes: 1, reactions: 1 })
      const { rows } = await ctx.pool.query<{ count: number }>(
        'SELECT count(*)::int AS count FROM messages WHERE conversation_id = $1 AND kind = 6',
        [owned],
      )
      expect(rows).toEqual([{ count: 1 }])
    }
  })

  test('an account that cannot be erased does not hold up the others, and comes again', async () => {
    const [stuck, alice] = [await person('stuck'), await person('alice')]
    await group(stuck, alice)
    await makeDue(stuck, alice)
    await ctx.pool.query(`UPDATE users SET delete_after = delete_after - interval '1 hour' WHERE id = $1`, [stuck.id])
    const failing = { ...ctx, seal: { ...ctx.seal, seal: () => expect.unreachable('no key') } }
    await eraseDue(failing, 1)
    expect(await eraseDue(ctx, 10)).toBe(1)
    expect((await get(ctx, [alice.id]))[0]!.displayName).toBe('Deleted person')
    await makeDue(stuck)
    expect(await eraseDue(ctx, 10)).toBe(1)
  })

  test('what was under way when it began gets time to end, and leaves nothing', async () => {
    const alice = await person('alice')
    await makeDue(alice)
    const settling = { ...ctx, settings: { ...ctx.settings, erasureSettleMs: 60_000 } }
    expect(await eraseDue(settling, 10)).toBe(0)
    expect(await check(ctx, alice.session)).toBeUndefined()
    // A request that was authenticated a moment ago.
    await ctx.pool.query(
      `INSERT INTO passkeys (id, user_id, name, public_key, counter, synced) VALUES ('late', $1, 'key', 'x', 0, true)`,
      [alice.id],
    )
    await expect(open(ctx, alice.id, client, 'passkey')).rejects.toMatchObject({ code: 'unavailable' })
    expect(await eraseDue(settling, 10)).toBe(0)
    await makeDue(alice)
    expect(await eraseDue(settling, 10)).toBe(1)
    expect(await rowsNaming(alice)).toEqual({})
  })

  test('no sign-in that is made at the same moment survives', async () => {
    for (let round = 0; round < 10; round++) {
      const alice = await person('racer')
      await makeDue(alice)
      await Promise.allSettled([
        open(ctx, alice.id, client, 'password'),
        eraseDue(ctx, 10),
        open(ctx, alice.id, client, 'password'),
      ])
      await eraseDue(ctx, 10)
      const { rows } = await ctx.pool.query('SELECT 1 FROM sessions WHERE user_id = $1 AND revoked_at IS NULL', [
        alice.id,
      ])
      expect(rows).toEqual([])
    }
  })
})

describe('a group whose last owner is erased', () => {
  test('goes to the longest-standing admin, before members who are longer in it', async () => {
    const [alice, member, late, early] = [
      await person('alice'),
      await person('member'),
      await person('late'),
      await person('early'),
    ]
    const conversation = await group(alice, member)
    for (const user of [early.id, late.id]) {
      await addMembers(ctx, alice.id, { conversation, users: [user] })
      await changeRole(ctx, alice.id, { conversation, user, role: 'admin' })
    }
    await makeDue(alice)
    await eraseDue(ctx, 10)
    expect(await roles(conversation)).toEqual({ [early.id]: 3, [late.id]: 2, [member.id]: 1 })
  })

  test('is left as it is while another owner is there', async () => {
    const [alice, bob, carol] = [await person('alice'), await person('bob'), await person('carol')]
    const conversation = await group(alice, bob, carol)
    await changeRole(ctx, alice.id, { conversation, user: carol.id, role: 'owner' })
    await makeDue(alice)
    await eraseDue(ctx, 10)
    expect(await roles(conversation)).toEqual({ [bob.id]: 1, [carol.id]: 3 })
  })

  test('and the heirs are erased at the same time: it is gone when nobody is left, and kept while somebody is', async () => {
    const people = [await person('one'), await person('two'), await person('three')]
    const stays = await person('stays')
    const gone = await group(people[0]!, ...people.slice(1))
    const kept = await group(people[0]!, ...people.slice(1), stays)
    await say(people[1]!, gone, 'read by nobody')
    await say(people[1]!, kept, 'read by one')
    await makeDue(...people)
    await Promise.all([eraseDue(ctx, 10), eraseDue(ctx, 10)])
    await eraseDue(ctx, 10)
    expect(await exists(gone)).toBe(false)
    expect(await roles(kept)).toEqual({ [stays.id]: 3 })
    expect(
      (await history(ctx, stays.id, { conversation: kept })).entries.some(entry => entry.event === 'message.new'),
    ).toBe(true)
  })

  test('a direct conversation goes with the second of the two', async () => {
    const [alice, bob] = [await person('alice'), await person('bob')]
    const { conversation } = await createDirect(ctx, alice.id, bob.id)
    await say(alice, conversation.id, 'between us')
    await makeDue(alice)
    await eraseDue(ctx, 10)
    expect((await history(ctx, bob.id, { conversation: conversation.id })).entries.length).toBeGreaterThan(1)
    await makeDue(bob)
    await eraseDue(ctx, 10)
    expect(await exists(conversation.id)).toBe(false)
  })

  test('a long log that nobody is left to read is deleted in pieces', async () => {
    const alice = await person('alice')
    const conversation = await group(alice)
    await ctx.pool.query(
      `INSERT INTO messages (conversation_id, seq, created_at, sender_id, client_id, key_id, kind, body)
       SELECT $1, n, now(), $2, gen_random_uuid(), 1, 1, 'x' FROM generate_series(2, 4500) n`,
      [conversation, alice.id],
    )
    await makeDue(alice)
    expect(await eraseDue(ctx, 10)).toBe(1)
    expect(await exists(conversation)).toBe(false)
  })
})

/** A context whose nth statement, counted over all connections, fails, and every one after it: the process has died. */
function breakAt(whole: ChatContext, nthStatement: number) {
  let count = 0
  let broke = false
  const query =
    (target: { query(...args: unknown[]): Promise<unknown> }) =>
    (...args: unknown[]): Promise<unknown> => {
      // A connection that breaks rolls back by itself.
      if (args[0] === 'ROLLBACK') return target.query(...args)
      if (++count < nthStatement) return target.query(...args)
      broke = true
      return Promise.reject(new Error('the process died'))
    }
  const pool = Object.create(whole.pool) as typeof whole.pool
  pool.query = query(whole.pool as never) as never
  pool.connect = (async () => {
    const real = await whole.pool.connect()
    const faulty = Object.create(real) as PoolClient
    faulty.query = query(real as never) as never
    faulty.release = (...args) => real.release(...args)
    return faulty
  }) as never
  return { ctx: { ...whole, pool }, broke: () => broke }
}
