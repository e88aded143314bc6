import { openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ask } from '../codes/ask.ts'
import type { ChatContext } from '../../context.ts'
import { claim } from '../../store/jobs/claim.ts'
import { create } from '../registration/create.ts'
import { signIn } from './sign-in.ts'
import { signInWithCode } from './sign-in-with-code.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let alice: string

const password = 'correct horse'
const client = { deviceName: 'laptop', address: '192.0.2.1', country: 'NL', agent: 'Firefox' }
/** Nothing here takes so long, unless the machine is busy with something else. */
const patient = { timeout: 10_000 }
const wrong = { code: 'invalid_credentials', detail: {} }

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
  const passwordHash = await ctx.passwords.hash(password)
  alice = (await create(ctx, { username: 'alice', email: 'alice@example.org', passwordHash })).id
  await create(ctx, { username: 'guest' })
  const { id } = await create(ctx, { username: 'erased', email: 'erased@example.org', passwordHash })
  await ctx.pool.query('UPDATE users SET erased_at = now() WHERE id = $1', [id])
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(() => ctx.pool.query('DELETE FROM security_events'))

const trail = async () =>
  (
    await ctx.pool.query<{ kind: string; detail: { by?: string } }>(
      'SELECT kind, detail, address FROM security_events WHERE user_id = $1 ORDER BY id',
      [alice],
    )
  ).rows
const failures = async () => (await trail()).filter(row => row.kind === 'sign_in_failed').length

async function codeFor(email: string) {
  await ctx.pool.query('DELETE FROM jobs')
  const { request } = await ask(ctx, { purpose: 'sign-in', email })
  const [job] = await claim(ctx, { max: 1, leaseMs: 1_000 })
  if (job?.job.kind !== 'mail' || job.job.mail.template !== 'code') throw new Error('no code was sent')
  return { request, code: job.job.mail.code }
}

test.each(['alice', 'ALICE', 'alice@example.org', 'Alice@Example.ORG'])(
  '%s and the password sign in',
  async username => {
    expect(await signIn(ctx, { username, password, client })).toMatchObject({ user: { id: alice } })
    expect(await trail()).toMatchObject([{ kind: 'signed_in', detail: { by: 'password' } }])
  },
)

test.each([
  'nobody',
  'nobody@example.org',
  'guest',
  'erased',
  'erased@example.org',
  'not a name',
  'a\u0000b@example.org',
])('%s signs in with no password', username =>
  expect(signIn(ctx, { username, password, client })).rejects.toMatchObject(wrong),
)

test('every try costs a hash, whether or not there is one to compare with', async () => {
  const tried: (string | undefined)[] = []
  const passwords = { ...ctx.passwords, verify: async (hash: string | undefined) => (tried.push(hash), false) }
  for (const username of ['alice', 'guest', 'nobody', 'nobody@example.org', 'erased'])
    await expect(signIn({ ...ctx, passwords }, { username, password, client })).rejects.toMatchObject(wrong)
  expect(tried).toHaveLength(5)
  expect(tried.slice(1)).toEqual(Array(4).fill(undefined))
  // What is noted late must not fall into the next test.
  await expect.poll(failures, patient).toBe(1)
})

test('a failed try is in the trail of its account, soon after the answer, and at most twenty in a row', async () => {
  const attempt = () => signIn(ctx, { username: 'alice', password: 'wrong horse', client }).catch(() => {})
  await attempt()
  await expect
    .poll(trail, patient)
    .toMatchObject([{ kind: 'sign_in_failed', address: '192.0.2.1', detail: { by: 'password' } }])
  const { request, code } = await codeFor('alice@example.org')
  await signInWithCode(ctx, { request, code: code === '111111' ? '222222' : '111111', client }).catch(() => {})
  await expect.poll(trail, patient).toMatchObject([{}, { kind: 'sign_in_failed', detail: { by: 'email_code' } }])
  const passwords = { ...ctx.passwords, verify: async () => false }
  for (let tries = 0; tries < 25; tries++) {
    await signIn({ ...ctx, passwords }, { username: 'alice', password, client }).catch(() => {})
    await expect.poll(failures, patient).toBe(Math.min(20, tries + 3))
  }
})

test('a code signs in once, and a wrong one does not', async () => {
  const shown = await codeFor('alice@example.org')
  await expect(signInWithCode(ctx, { ...shown, code: '00000x', client })).rejects.toMatchObject({
    code: 'code_invalid',
  })
  expect(await signInWithCode(ctx, { ...shown, client })).toMatchObject({ user: { id: alice } })
  await expect(signInWithCode(ctx, { ...shown, client })).rejects.toMatchObject({ code: 'code_invalid' })
})

test('of as many sign-ins as one may have the longest unseen ends, however many come at once', async () => {
  await ctx.pool.query('DELETE FROM sessions WHERE user_id = $1', [alice])
  const three = { ...ctx, settings: { ...ctx.settings, sessionsMax: 3 } }
  const enter = () => signIn(three, { username: 'alice', password, client })
  const good = async () => {
    const found = await ctx.pool.query<{ id: string }>(
      'SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()',
      [alice],
    )
    return found.rows.map(row => row.id)
  }
  await enter()
  const [oldest] = await good()
  await ctx.pool.query("UPDATE sessions SET seen_at = now() - interval '1 day' WHERE id = $1", [oldest])
  await Promise.all([enter(), enter()])
  expect(await good()).toContain(oldest)
  await enter()
  expect(await good()).not.toContain(oldest)
  await Promise.all(Array.from({ length: 4 }, enter))
  expect(await good()).toHaveLength(3)
})
