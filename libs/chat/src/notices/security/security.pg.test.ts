import type { User } from '@flotilla/protocol'
import { openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { claim, type Job } from '../../store/jobs/index.ts'
import { list as listNotifications } from '../notifications/list.ts'
import type { ClientDevice } from './client-device.ts'
import { transaction } from '../../store/transaction.ts'
import { create } from '../../accounts/registration/create.ts'
import { gathered } from './gathered.ts'
import { list } from './list.ts'
import { note, type SecurityEventKind } from './note.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let nth = 0
let alice: User

const client: ClientDevice = { deviceName: 'laptop', address: '192.0.2.1', country: 'NL', agent: 'Firefox' }

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
  nth++
  await ctx.pool.query('DELETE FROM jobs')
  alice = await create(ctx, { username: `alice${nth}`, email: `alice${nth}@example.org`, client })
})

/** The mails that wait, to whom and about what. */
async function mails(): Promise<[string, string][]> {
  const claimed = await claim(ctx, { max: 100, leaseMs: 1 })
  return claimed
    .map(one => one.job as Extract<Job, { kind: 'mail' }>)
    .map(({ to, mail }) => [to, mail.template === 'security-notice' ? mail.kind : mail.template])
}
/** Mails that are there, due or not. */
const waiting = async () => (await ctx.pool.query(`SELECT FROM jobs WHERE kind = 'mail'`)).rowCount
const notices = async () =>
  (await listNotifications(ctx, alice.id, { limit: 50 })).notifications.map(one => [one.kind, one.detail['event']])
const trail = async () => (await list(ctx, alice.id, { limit: 100 })).events
/** What was put off, as if its time had come. */
async function dueMail() {
  await ctx.pool.query('UPDATE jobs SET due_at = now()')
  const claimed = await claim(ctx, { max: 100, leaseMs: 1 })
  return claimed.flatMap(one => (one.job.kind === 'mail' && 'gathered' in one.job.mail ? [one.job.mail] : []))[0]!
}
const kinds = async () => (await trail()).map(event => event.kind)

test('a line says what, when, from where and by what', async () => {
  const session = '11111111-1111-4111-8111-111111111111'
  await note(ctx, { user: alice.id, kind: 'passkey_added', session, client, detail: { name: 'Blue key' } })
  const { events } = await list(ctx, alice.id, { limit: 1 })
  expect(events).toEqual([
    {
      id: expect.any(Number),
      kind: 'passkey_added',
      at: expect.any(Number),
      session,
      address: '192.0.2.1',
      country: 'NL',
      agent: 'Firefox',
      detail: { name: 'Blue key' },
    },
  ])
  expect(Math.abs(events[0]!.at - Date.now())).toBeLessThan(60_000)
})

test('the trail is read page by page, the latest first, and nobody reads another one', async () => {
  const bob = await create(ctx, { username: `bob${nth}` })
  for (let turn = 0; turn < 7; turn++) {
    await note(ctx, { user: alice.id, kind: 'sign_in_failed', detail: { turn: String(turn) } })
    await note(ctx, { user: bob.id, kind: 'sign_in_failed' })
  }
  const turns: unknown[] = []
  let pages = 0
  for (let after: number | undefined; ; pages++) {
    const page = await list(ctx, alice.id, { limit: 3, after })
    turns.push(...page.events.filter(event => event.kind === 'sign_in_failed').map(event => event.detail['turn']))
    if (page.next === undefined) break
    after = page.next
  }
  expect(turns).toEqual(['6', '5', '4', '3', '2', '1', '0'])
  expect(pages).toBe(2)
})

test.each<SecurityEventKind>([
  'refresh_token_reused',
  'password_set',
  'password_changed',
  'password_reset',
  'email_changed',
  'email_removed',
  'username_changed',
  'totp_enabled',
  'totp_disabled',
  'email_factor_enabled',
  'email_factor_disabled',
  'recovery_codes_created',
  'recovery_code_used',
  'passkey_added',
  'passkey_removed',
  'identity_linked',
  'identity_unlinked',
  'deletion_requested',
  'deletion_cancelled',
  'data_exported',
])('%s is told by mail and in the application', async kind => {
  await note(ctx, { user: alice.id, kind, client })
  expect(await mails()).toEqual([[`alice${nth}@example.org`, kind]])
  expect(await notices()).toEqual([['security_notice', kind]])
})

test.each<SecurityEventKind>(['signed_out', 'session_revoked', 'sign_in_failed', 'second_factor_failed'])(
  '%s is only noted',
  async kind => {
    await note(ctx, { user: alice.id, kind, client })
    expect((await kinds())[0]).toBe(kind)
    expect([await mails(), await notices()]).toEqual([[], []])
  },
)

test('a sign-in is told when the account has not seen that program in that country', async () => {
  const signIn = (from: ClientDevice) => note(ctx, { user: alice.id, kind: 'signed_in', client: from })
  await signIn(client)
  expect(await mails()).toEqual([])
  // A wrong guess makes nobody familiar.
  const thief = { ...client, country: 'ZZ' }
  await note(ctx, { user: alice.id, kind: 'sign_in_failed', client: thief })
  await signIn(thief)
  await signIn({ ...client, agent: 'curl' })
  expect(await waiting()).toBe(2)
  await signIn({ ...thief, address: '198.51.100.1' })
  expect(await waiting()).toBe(2)
  expect(await notices()).toHaveLength(2)
})

test('many failed sign-ins are told once, and so is the sign-in that comes after them', async () => {
  const fail = (times: number) =>
    Promise.all(Array.from({ length: times }, () => note(ctx, { user: alice.id, kind: 'sign_in_failed', client })))
  const signIn = () => note(ctx, { user: alice.id, kind: 'signed_in', client })
  await fail(9)
  await signIn()
  expect(await mails()).toEqual([])
  await note(ctx, { user: alice.id, kind: 'sign_in_failed', client })
  expect(await mails()).toEqual([[`alice${nth}@example.org`, 'sign_in_failed']])
  await fail(20)
  await signIn()
  await signIn()
  // By mail at the end of the window, in the application at once.
  expect(await waiting()).toBe(2)
  expect(await notices()).toHaveLength(2)
  // Half a day later it is told again.
  await ctx.pool.query(`UPDATE security_events SET at = at - interval '13 hours' WHERE user_id = $1`, [alice.id])
  await fail(3)
  expect(await notices()).toHaveLength(3)
})

test('a second factor that fails is told at once where the program or the place is new, else from the third', async () => {
  const fail = (from: ClientDevice) => note(ctx, { user: alice.id, kind: 'second_factor_failed', client: from })
  await fail(client)
  await fail(client)
  expect(await mails()).toEqual([])
  await fail(client)
  await fail(client)
  expect(await mails()).toEqual([[`alice${nth}@example.org`, 'second_factor_failed']])

  alice = await create(ctx, { username: `alice${nth}b`, client })
  await fail({ ...client, country: 'ZZ' })
  await fail({ ...client, country: 'ZZ' })
  expect(await notices()).toEqual([['security_notice', 'second_factor_failed']])
})

test('the mail goes where the event says: after a change to the address before', async () => {
  await note(ctx, { user: alice.id, kind: 'email_changed', client, notify: 'before@example.org' })
  expect(await mails()).toEqual([['before@example.org', 'email_changed']])
})

test('without an address it is told in the application alone', async () => {
  alice = await create(ctx, { username: `alone${nth}` })
  await note(ctx, { user: alice.id, kind: 'password_changed', client })
  expect([await mails(), await notices()]).toEqual([[], [['security_notice', 'password_changed']]])
})

test('what is rolled back leaves no line, no mail and no notice; what is committed leaves each once', async () => {
  const change = (fail: boolean) =>
    transaction(ctx, async tx => {
      await note(ctx, { user: alice.id, kind: 'password_changed', client }, tx)
      expect(await notices()).toEqual([])
      if (fail) throw new Error('afterwards')
    })
  await expect(change(true)).rejects.toThrow('afterwards')
  expect([await kinds(), await mails(), await notices()]).toEqual([['registered'], [], []])
  await change(false)
  expect([await kinds(), await mails(), await notices()]).toEqual([
    ['password_changed', 'registered'],
    [[`alice${nth}@example.org`, 'password_changed']],
    [['security_notice', 'password_changed']],
  ])
})

test('whatever happens within the window is one mail at its end, and each is told in the application at once', async () => {
  const toggles = 60
  const change = () => note(ctx, { user: alice.id, kind: 'email_factor_enabled', client })
  for (let turn = 0; turn < toggles; turn += 10) await Promise.all(Array.from({ length: 10 }, change))
  expect(await mails(), 'the first goes out at once').toEqual([[`alice${nth}@example.org`, 'email_factor_enabled']])
  expect(await waiting()).toBe(2)
  expect((await kinds()).filter(kind => kind === 'email_factor_enabled').length).toBeGreaterThan(40)
  const put = await dueMail()
  const { due } = put.gathered!
  const { securityMailWindowMs } = ctx.settings
  expect(due - (await trail())[0]!.at).toBeGreaterThan(securityMailWindowMs - 60_000)
  const { events, more } = await gathered(ctx, put.gathered!)
  expect(events).toHaveLength(20)
  expect(events[0]).toMatchObject({
    kind: 'email_factor_enabled',
    address: '192.0.2.1',
    country: 'NL',
    agent: 'Firefox',
  })
  expect(events.length + more).toBe(toggles - 1)
})

test('after a window that told of nothing more, the next is told at once; after a gathered one, a window later', async () => {
  const { securityMailWindowMs } = ctx.settings
  const later = () =>
    ctx.pool.query(`UPDATE users SET security_mail_due = security_mail_due - $2 * interval '1 ms' WHERE id = $1`, [
      alice.id,
      securityMailWindowMs,
    ])
  const change = () => note(ctx, { user: alice.id, kind: 'username_changed', client })
  await change()
  await later()
  await change()
  expect(await mails()).toHaveLength(2)
  await change()
  expect(await waiting(), 'put off').toBe(3)
  await later()
  await change()
  expect(await waiting(), 'the window of the one that was put off').toBe(4)
  expect(await mails()).toHaveLength(2)
})
