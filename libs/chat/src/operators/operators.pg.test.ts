import { randomUUID } from 'node:crypto'
import type { EntryOf, User } from '@flotilla/protocol'
import { openTestChat, type TestChat, type TestDatabase, testDatabase, until as becomes } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import type { ChatContext } from '../context.ts'
import { createGroup } from '../log/conversations/create-group.ts'
import { history, post } from '../log/messages/index.ts'
import { claim, prepare, sweep } from '../push/index.ts'
import { decide, file, list as listReports } from './reports/index.ts'
import { list as listSecurity } from '../notices/security/index.ts'
import { begin } from '../accounts/sessions/begin.ts'
import { check } from '../accounts/sessions/check.ts'
import { admit } from '../accounts/sessions/admit.ts'
import { finish } from '../accounts/sessions/finish.ts'
import { open } from '../accounts/sessions/open.ts'
import { refresh } from '../accounts/sessions/refresh.ts'
import { signIn } from '../accounts/sessions/sign-in.ts'
import { changeUsername } from '../accounts/change-username.ts'
import { create, demandEmailFree, demandUsernameFree } from '../accounts/registration/create.ts'
import { eraseDue } from '../lifecycle/erase.ts'
import { isHeldBack } from '../accounts/registration/held-back.ts'
import { type Actor, ban, lift, list, removeMessage, signOut, standing, suspend } from './index.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let people = 0
let hash: string
let operator: User
let by: Actor

const password = 'correct horse'
const client = { deviceName: 'laptop', address: '192.0.2.1', country: 'NL', agent: 'Firefox' }
const dayMs = 86_400_000

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { settings: { erasureSettleMs: 0 }, presumedAbsent: users => users })
  ctx = chat.ctx
  hash = await ctx.passwords.hash(password)
  operator = await someone()
  by = { operator: operator.id }
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(() => ctx.pool.query('TRUNCATE operator_actions, jobs'))

function someone(): Promise<User> {
  const username = `person${++people}`
  return create(ctx, { username, email: `${username}@example.org`, passwordHash: hash })
}

const sessionOf = async (user: User) => (await open(ctx, user.id, client, 'password')).session
const enter = (user: User) => signIn(ctx, { username: user.username, password, client })
const refused = (work: Promise<unknown>, code: string, detail: object = {}) =>
  expect(work).rejects.toMatchObject({ code, detail })
const goodSessions = async (user: User) =>
  (await ctx.pool.query('SELECT FROM sessions WHERE user_id = $1 AND revoked_at IS NULL', [user.id])).rowCount
const lines = async () => (await list(ctx, {}, { limit: 100 })).actions
const mailed = async () => (await ctx.pool.query("SELECT FROM jobs WHERE kind = 'mail'")).rowCount
const trail = async (user: User) => (await listSecurity(ctx, user.id, { limit: 1 })).events[0]

test('the suspended are shut out until their time is over, and hear until when', async () => {
  const alice = await someone()
  const session = await sessionOf(alice)
  expect(await check(ctx, session)).toEqual({ user: alice.id })
  const until = Math.round(ctx.clock()) + dayMs
  await suspend(ctx, by, { user: alice.id, reason: ' Spam ', until })

  expect(await check(ctx, session)).toEqual({ user: alice.id, suspension: { until } })
  expect(await admit(ctx, { user: alice.id, session })).toMatchObject({ suspended: true })
  await refused(enter(alice), 'account_suspended', { until })
  await refused(refresh(ctx, { session, number: 1, client }), 'account_suspended', { until })
  // Who does not know the password hears nothing of it.
  await refused(signIn(ctx, { username: alice.username, password: 'wrong horse', client }), 'invalid_credentials')
  expect(await standing(ctx, alice.id)).toMatchObject({ suspended: true, until, banned: false, sessions: 0 })
  expect(await lines()).toMatchObject([
    { operator: { id: operator.id }, action: 'suspended', user: { id: alice.id }, reason: 'Spam' },
  ])
  expect(await mailed()).toBe(1)
  expect(await trail(alice)).toMatchObject({
    kind: 'suspended',
    detail: { reason: 'Spam', until: new Date(until).toISOString() },
  })

  await ctx.pool.query("UPDATE users SET suspended_until = now() - interval '1 second' WHERE id = $1", [alice.id])
  await enter(alice)
  expect(await goodSessions(alice)).toBe(1)
})

test('for good it is without a time, until it is lifted; then the person signs in anew', async () => {
  const alice = await someone()
  const session = await sessionOf(alice)
  await suspend(ctx, by, { user: alice.id, reason: 'Spam' })
  await expect(enter(alice)).rejects.toMatchObject({ code: 'account_suspended', detail: {} })
  expect(await standing(ctx, alice.id)).not.toHaveProperty('until')
  await lift(ctx, { program: 'root@host' }, { user: alice.id, reason: 'A mistake' })
  ctx.admissions.forget([session])
  expect(await check(ctx, session)).toBeUndefined()
  await enter(alice)
  expect((await lines())[0]).toMatchObject({ program: 'root@host', action: 'suspension_lifted', reason: 'A mistake' })
  expect(await trail(alice)).toMatchObject({ kind: 'signed_in' })
  await refused(lift(ctx, by, { user: alice.id, reason: 'Twice' }), 'suspension_unknown')
})

test('a session that was left open is refused all the same', async () => {
  const alice = await someone()
  await suspend(ctx, by, { user: alice.id, reason: 'Spam' })
  const left = randomUUID()
  await ctx.pool.query(
    `INSERT INTO sessions (id, user_id, device_name, expires_at) VALUES ($1, $2, 'x', now() + interval '1 day')`,
    [left, alice.id],
  )
  expect(await check(ctx, left)).toHaveProperty('suspension')
})

test.each([
  ['no reason', { reason: ' ' }, 'reason'],
  ['a time that is over', { reason: 'x', until: 1_000 }, 'until'],
  ['a time without end', { reason: 'x', until: Number.MAX_SAFE_INTEGER }, 'until'],
])('%s is refused, and nobody is shut out', async (_what, input, field) => {
  const alice = await someone()
  await refused(suspend(ctx, by, { user: alice.id, ...input }), 'field_invalid', { field })
  await enter(alice)
  expect(await lines()).toEqual([])
})

test('nobody who is not there is suspended, banned or signed out', async () => {
  const nobody = { user: randomUUID(), reason: 'x' }
  for (const act of [suspend, ban, signOut]) await refused(act(ctx, by, nobody), 'user_unknown')
  expect(await lines()).toEqual([])
})

test('a sign-in that is being written ends with the others', async () => {
  await ctx.pool.query(`
    CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END';
    CREATE TRIGGER linger BEFORE INSERT ON sessions FOR EACH ROW WHEN (NEW.agent = 'slow') EXECUTE FUNCTION linger()`)
  onTestFinished(async () => void (await ctx.pool.query('DROP TRIGGER linger ON sessions; DROP FUNCTION linger')))
  const alice = await someone()
  let isOver = false
  const signing = begin(ctx, alice, 'password', { ...client, agent: 'slow' }).finally(() => (isOver = true))
  await becomes(
    async () => {
      const sleeping = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`
      return isOver || (await ctx.pool.query(sleeping)).rowCount === 1
    },
    { what: 'the session is being written' },
  )
  await suspend(ctx, by, { user: alice.id, reason: 'Spam' })
  await signing
  expect(await goodSessions(alice)).toBe(0)
})

test('a sign-in that waits for the suspension is refused', async () => {
  const alice = await someone()
  const suspending = await ctx.pool.connect()
  await suspending.query('BEGIN')
  await suspending.query('SELECT FROM users WHERE id = $1 FOR UPDATE', [alice.id])
  await suspending.query(`UPDATE users SET suspended_until = 'infinity' WHERE id = $1`, [alice.id])
  const signing = begin(ctx, alice, 'password', client)
  const settled = signing.catch((error: unknown) => error)
  await becomes(
    async () => {
      const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
      return (await suspending.query(waiting)).rowCount === 1
    },
    { what: 'the sign-in waits' },
  )
  await suspending.query('COMMIT')
  suspending.release()
  expect(await settled).toMatchObject({ code: 'account_suspended' })
  expect(await goodSessions(alice)).toBe(0)
})

test('signed out everywhere, also where a second factor was still asked for', async () => {
  const alice = await someone()
  await Promise.all([sessionOf(alice), sessionOf(alice)])
  await ctx.pool.query('UPDATE users SET mail_factor = true WHERE id = $1', [alice.id])
  const begun = await begin(ctx, alice, 'email_code', client)
  await signOut(ctx, by, { user: alice.id, reason: 'Stolen' })
  expect(await goodSessions(alice)).toBe(0)
  const shown = { factor: 'password', password } as const
  const challenge = 'challenge' in begun ? begun.challenge : ''
  await refused(finish(ctx, { challenge, shown, client }), 'challenge_invalid')
  expect(await lines()).toMatchObject([{ action: 'signed_out', detail: { sessions: '2' } }])
  expect(await begin(ctx, alice, 'email_code', client)).toHaveProperty('challenge')
})

const passTime = (user: User) =>
  ctx.pool.query(`UPDATE users SET delete_after = now() - interval '1 second' WHERE id = $1`, [user.id])

test('the banned do not come back by their name, address or identity, also after their account was erased', async () => {
  const mallory = await someone()
  const email = `${mallory.username}@example.org`
  await ctx.pool.query(
    `INSERT INTO identities (issuer, subject, user_id, provider, email) VALUES ('https://id', $1, $2, 'one', $3)`,
    [mallory.username, mallory.id, `also-${email}`],
  )
  await ban(ctx, by, { user: mallory.id, reason: 'Threats' })
  expect(await standing(ctx, mallory.id)).toMatchObject({ suspended: true, banned: true })
  await refused(enter(mallory), 'account_suspended')

  await passTime(mallory)
  await eraseDue(ctx, 10)
  await passTime(mallory)
  await eraseDue(ctx, 10)
  expect(await standing(ctx, mallory.id)).toMatchObject({ erased: true, banned: true })
  const stored = await ctx.pool.query<{ key: Buffer }>('SELECT key FROM held_back')
  expect(stored.rows).toHaveLength(4)

  const back = [
    () => create(ctx, { username: mallory.username.toUpperCase() }),
    () => demandUsernameFree(ctx, mallory.username),
    () => changeUsername(ctx, operator.id, { username: mallory.username, session: randomUUID(), client }),
  ]
  for (const attempt of back) await refused(attempt(), 'username_taken')
  for (const address of [email.toUpperCase(), `also-${email}`]) {
    await refused(create(ctx, { email: address }), 'email_taken')
    await refused(demandEmailFree(ctx.pool, address), 'email_taken')
  }
  const identity = await ctx.pool.query(`SELECT WHERE ${isHeldBack('identity', '$1')}`, [
    `https://id\n${mallory.username}`,
  ])
  expect(identity.rowCount).toBe(1)

  await lift(ctx, by, { user: mallory.id, reason: 'Enough' })
  // The name was held back as that of somebody erased too.
  await ctx.pool.query(`UPDATE held_names SET freed_at = freed_at - interval '91 days'`)
  await create(ctx, { username: mallory.username, email })
})

test('a suspension takes the place of a ban, and holds nothing back', async () => {
  const alice = await someone()
  await ban(ctx, by, { user: alice.id, reason: 'Threats' })
  await suspend(ctx, by, { user: alice.id, reason: 'It was less', until: ctx.clock() + dayMs })
  expect(await standing(ctx, alice.id)).toMatchObject({ suspended: true, banned: false, until: expect.any(Number) })
})

// ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────

async function talk() {
  const [alice, bob] = [await someone(), await someone()]
  const { id: conversation } = await createGroup(ctx, alice.id, { name: 'Crew', members: [bob.id] })
  await ctx.pool.query(
    `INSERT INTO devices (id, user_id, session_id, name, platform, provider, token, token_hash)
     VALUES ($1::uuid, $2, $3, 'phone', 'android', 'fcm', $1::text, decode(replace($1::text, '-', ''), 'hex'))`,
    [randomUUID(), bob.id, await sessionOf(bob)],
  )
  const input = { conversation, clientId: randomUUID(), body: { text: 'vile', mentions: [bob.id] } }
  const { seq } = await post(ctx, alice.id, input)
  return { alice, bob, conversation, seq, input }
}

const removedBody = { body: { text: 'This message was removed.' }, removed: 'operator' }

test('of a removed message nothing is left but its place, its sender and its time', async () => {
  const { alice, bob, conversation, seq, input } = await talk()
  const before = (await history(ctx, bob.id, { conversation })).entries.at(-1) as EntryOf<'message.new'>
  await removeMessage(ctx, by, { conversation, seq, reason: 'Threats' })

  const { entries } = await history(ctx, bob.id, { conversation })
  expect(entries.at(-2)).toEqual({ ...before, ...removedBody, changedSeq: seq + 1 })
  expect(entries.at(-1)).toMatchObject({ event: 'message.removed', target: seq, by: alice.id, ...removedBody })
  // A repetition of the send is answered as before, and tells nothing of it (P2).
  chat.emitted.length = 0
  expect(await post(ctx, alice.id, input)).toMatchObject({ seq })
  expect(chat.emitted[0]!.event).toMatchObject({ seq, ...removedBody })
  const { rows } = await ctx.pool.query<{ key_id: number; body: Buffer }>(
    'SELECT key_id, body FROM messages WHERE conversation_id = $1 AND seq = $2',
    [conversation, seq],
  )
  const place = { conversation, sender: alice.id, clientId: input.clientId, kind: 1 }
  expect(JSON.parse(ctx.seal.open(place, rows[0]!.key_id, rows[0]!.body))).toEqual(removedBody)
  expect(await lines()).toMatchObject([
    { action: 'message_removed', user: { id: alice.id }, conversation, seq, reason: 'Threats' },
  ])
  expect(await trail(alice)).toMatchObject({ kind: 'message_removed', detail: { conversation, seq: String(seq) } })
  await removeMessage(ctx, by, { conversation, seq, reason: 'Twice' })
})

test.each(['is looked for', 'is prepared', 'is sent'])('removed before its push %s, it is not pushed', async when => {
  const { bob, conversation, seq } = await talk()
  const due = () => ctx.pool.query('UPDATE pushes SET due_at = now()')
  const owed = async () =>
    (await ctx.pool.query('SELECT FROM offline_messages WHERE user_id = $1 AND seq = $2', [bob.id, seq])).rowCount
  expect(await owed()).toBe(1)
  if (when !== 'is looked for') await sweep(ctx, 100)
  await due()
  if (when === 'is sent') expect(await prepare(ctx, { max: 10, providers: ['fcm'] })).toMatchObject({ deliveries: 1 })
  await removeMessage(ctx, by, { conversation, seq, reason: 'Threats' })
  expect(await owed()).toBe(0)
  await sweep(ctx, 100)
  await due()
  await prepare(ctx, { max: 10, providers: ['fcm'] })
  expect((await claim(ctx, { provider: 'fcm', max: 10 })).deliveries).toEqual([])
})

test('the copy of a report stays with the report', async () => {
  const { alice, bob, conversation, seq } = await talk()
  const { id: report } = await file(ctx, bob.id, { user: alice.id, reason: 'violence', conversation, seq })
  await removeMessage(ctx, by, { conversation, seq, reason: 'Threats' })
  const { reports } = await listReports(ctx, { limit: 100 })
  expect(reports.find(one => one.id === report)).toMatchObject({ message: { body: { text: 'vile' } } })
  await decide(ctx, operator.id, { report, decision: 'upheld', note: 'Removed' })
  expect((await lines())[0]).toMatchObject({
    operator: { id: operator.id },
    action: 'report_decided',
    user: { id: alice.id },
    seq,
    reason: 'Removed',
    detail: { report, decision: 'upheld' },
  })
})

test('what is no message is not removed', async () => {
  const { conversation, seq } = await talk()
  const at = (more: object) => removeMessage(ctx, by, { conversation, seq, reason: 'x', ...more })
  // The first entry of a conversation says that it begins.
  for (const more of [{ seq: 1 }, { seq: seq + 1 }, { conversation: randomUUID() }])
    await refused(at(more), 'message_unknown')
  await refused(at({ reason: '' }), 'field_invalid', { field: 'reason' })
  expect(await lines()).toEqual([])
})

test('the trail is read page by page, and by whom and what it is about', async () => {
  const [alice, bob] = [await someone(), await someone()]
  for (const user of [alice, bob, alice, bob, alice]) await signOut(ctx, by, { user: user.id, reason: 'x' })
  await ban(ctx, { program: 'root@host' }, { user: bob.id, reason: 'y' })
  const seen: string[] = []
  for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
    const page = await list(ctx, {}, { limit: 4, after })
    seen.push(...page.actions.map(one => one.action))
    after = page.next
  }
  expect(seen).toEqual(['banned', ...Array.from({ length: 5 }, () => 'signed_out')])
  const count = async (filter: Parameters<typeof list>[1]) => (await list(ctx, filter, { limit: 100 })).actions.length
  expect(await count({ user: alice.id })).toBe(3)
  expect(await count({ operator: operator.id })).toBe(5)
  expect(await count({ action: 'banned', user: bob.id })).toBe(1)
  expect(await count({ conversation: randomUUID() })).toBe(0)
})
