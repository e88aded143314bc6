import { randomUUID } from 'node:crypto'
import { openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { claim } from '../../store/jobs/claim.ts'
import type { CodePurpose, Job } from '../../store/jobs/job.ts'
import { create } from '../registration/create.ts'
import { ask } from './ask.ts'
import { check, redeem, type SubmittedCode, spend } from './redeem.ts'
import { resend } from './resend.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let alice: string
let bob: string

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
  alice = (await create(ctx, { username: 'alice', email: 'Alice@example.org' })).id
  bob = (await create(ctx, { username: 'bob', email: 'bob@example.org' })).id
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(() => ctx.pool.query('DELETE FROM jobs'))

/** What the worker would find, and then no more. */
const takeJobs = async (): Promise<Job[]> => (await claim(ctx, { max: 100, leaseMs: 600_000 })).map(one => one.job)

const codeOf = (job: Job | undefined): string => {
  if (job?.kind !== 'mail' || job.mail.template !== 'code') throw new Error(`no code: ${JSON.stringify(job)}`)
  return job.mail.code
}

/** Asks, and reads the mail. */
async function asked(purpose: CodePurpose, email: string, user?: string) {
  const { request } = await ask(ctx, { purpose, email, user })
  const [job] = await takeJobs()
  return { request, code: codeOf(job), purpose, ...(user === undefined ? {} : { user }) }
}

const wrong = (code: string) => (code === '111111' ? '222222' : '111111')
const change = (request: string, set: string) => ctx.pool.query(`UPDATE codes SET ${set} WHERE id = $1`, [request])
const triesLeft = async (request: string) =>
  (await ctx.pool.query<{ tries_left: number }>('SELECT tries_left FROM codes WHERE id = $1', [request])).rows[0]
    ?.tries_left
const refused = (shown: SubmittedCode) => expect(redeem(ctx, shown)).rejects.toMatchObject({ code: 'code_invalid' })

describe('asking', () => {
  test('sends six digits to the address, and says how long they are good', async () => {
    const answer = await ask(ctx, { purpose: 'register', email: ' New@Example.org ' })
    expect(answer).toEqual({ request: expect.any(String), expiresInMs: 600_000, resendAfterMs: 30_000 })
    expect(await takeJobs()).toEqual([
      {
        kind: 'mail',
        to: 'New@example.org',
        mail: { template: 'code', purpose: 'register', code: expect.stringMatching(/^\d{6}$/), lifeMs: 600_000 },
      },
    ])
  })

  test('keeps no code: a copy of the store does not tell six digits', async () => {
    const { request, code } = await asked('register', 'kept@example.org')
    const { rows } = await ctx.pool.query<{ row: string }>('SELECT c::text AS row FROM codes c WHERE id = $1', [
      request,
    ])
    expect(rows[0]!.row).not.toContain(`,${code},`)
    expect(rows[0]!.row).toContain('\\x')
  })

  test('to register with an address that is known tells its owner, and the request is good for nothing', async () => {
    const { request } = await ask(ctx, { purpose: 'register', email: 'ALICE@EXAMPLE.ORG' })
    expect(await takeJobs()).toEqual([
      { kind: 'mail', to: 'Alice@example.org', mail: { template: 'registered-already', username: 'alice' } },
    ])
    expect(await triesLeft(request)).toBe(5)
  })

  test.each(['sign-in', 'reset-password'] as const)('to %s with an unknown address sends nothing', async purpose => {
    const { request } = await ask(ctx, { purpose, email: 'nobody@example.org' })
    const [job] = await takeJobs()
    expect(job).toMatchObject({ kind: 'nothing' })
    expect(await triesLeft(request)).toBe(5)
    // Even the digits that were drawn are worth nothing.
    const { code } = (job as { mail: { code: string } }).mail
    await create(ctx, { username: `late-${purpose}`, email: 'nobody@example.org' })
    await refused({ request, code, purpose })
    await ctx.pool.query("DELETE FROM users WHERE email = 'nobody@example.org'")
  })

  test('for an erased account sends nothing', async () => {
    const { id } = await create(ctx, { username: 'erased', email: 'erased@example.org' })
    await ctx.pool.query('UPDATE users SET erased_at = now() WHERE id = $1', [id])
    await ask(ctx, { purpose: 'sign-in', email: 'erased@example.org' })
    expect(await takeJobs()).toMatchObject([{ kind: 'nothing' }])
  })

  test('is shown however it was typed', async () => {
    for (const write of [
      (code: string) => ` ${code.slice(0, 3)}-${code.slice(3)} `,
      (code: string) => code.replace(/\d/g, digit => String.fromCharCode(0x660 + Number(digit))),
      (code: string) => code.replace(/\d/g, digit => String.fromCharCode(0xff10 + Number(digit))),
    ]) {
      const shown = await asked('sign-in', 'bob@example.org')
      expect(await redeem(ctx, { ...shown, code: write(shown.code) })).toMatchObject({ user: bob })
    }
  })

  test('leaves at most three open requests of one address, the youngest', async () => {
    const requests: SubmittedCode[] = []
    for (let count = 0; count < 4; count++) requests.push(await asked('sign-in', 'bob@example.org'))
    const [oldest, ...rest] = requests
    await refused(oldest!)
    for (const shown of rest) expect(await redeem(ctx, shown)).toMatchObject({ user: bob })
  })

  test.each([
    'no-at.example.org',
    'two@at@example.org',
    'blank in@example.org',
    'line\n@example.org',
    'nul\u0000@example.org',
    'no-dot@example',
    'list,of@example.org',
    '<angle>@example.org',
    '@example.org',
    'a@',
    `${'x'.repeat(65)}@example.org`,
    `a@${'x'.repeat(250)}.org`,
  ])('refuses %j, which is no address', async email => {
    await expect(ask(ctx, { purpose: 'register', email })).rejects.toMatchObject({
      code: 'field_invalid',
      detail: { field: 'email' },
    })
  })

  test.each(['a@localhost', 'a+tag@example.org', 'ümlaut@exämple.org', "o'brien@example.co.uk"])('takes %s', email =>
    expect(ask(ctx, { purpose: 'register', email })).resolves.toMatchObject({ request: expect.any(String) }),
  )

  test('refuses where no mail is sent', async () => {
    const mute = { ...ctx, settings: { ...ctx.settings, mail: false } }
    const refusal = { code: 'mail_disabled' }
    await expect(ask(mute, { purpose: 'register', email: 'a@example.org' })).rejects.toMatchObject(refusal)
    await expect(resend(mute, randomUUID())).rejects.toMatchObject(refusal)
  })
})

describe('redeeming', () => {
  test('verifies the address, and whose it is', async () => {
    expect(await redeem(ctx, await asked('register', 'fresh@example.org'))).toEqual({
      email: 'fresh@example.org',
      user: undefined,
    })
    expect(await redeem(ctx, await asked('sign-in', 'alice@EXAMPLE.org'))).toMatchObject({ user: alice })
    expect(await redeem(ctx, await asked('change-email', 'next@example.org', alice))).toEqual({
      email: 'next@example.org',
      user: alice,
    })
  })

  test('a code is good once, also when many show it at once', async () => {
    const shown = await asked('sign-in', 'alice@example.org')
    const answers = await Promise.allSettled(Array.from({ length: 5 }, () => redeem(ctx, shown)))
    expect(answers.filter(one => one.status === 'fulfilled')).toHaveLength(1)
    await refused(shown)
  })

  test('five wrong tries end it, and the right code comes too late', async () => {
    const shown = await asked('sign-in', 'alice@example.org')
    for (let tries = 0; tries < 5; tries++) await refused({ ...shown, code: wrong(shown.code) })
    await refused(shown)
  })

  test('guesses made at once get no more than five tries', async () => {
    const shown = await asked('sign-in', 'alice@example.org')
    let looked = 0
    const counting = { ...ctx, seal: { ...ctx.seal, isMac: () => (looked++, false) } }
    const guesses = Array.from({ length: 40 }, () => redeem(counting, { ...shown, code: wrong(shown.code) }))
    await Promise.allSettled(guesses)
    expect(looked).toBe(5)
    await refused(shown)
  })

  test('a code is bound to its request, its purpose and who asked', async () => {
    const shown = await asked('sign-in', 'alice@example.org')
    const other = await asked('sign-in', 'bob@example.org')
    await refused({ ...shown, request: other.request, code: shown.code === other.code ? 'x' : shown.code })
    await refused({ ...shown, purpose: 'reset-password' })
    await refused({ ...shown, user: alice })
    await refused({ ...shown, request: randomUUID() })
    const own = await asked('change-email', 'mine@example.org', alice)
    await refused({ ...own, user: bob })
    expect(await redeem(ctx, shown)).toMatchObject({ user: alice })
  })

  test('a code that is too old is refused', async () => {
    const shown = await asked('sign-in', 'alice@example.org')
    await change(shown.request, 'expires_at = now()')
    await refused(shown)
  })

  test('whoever lost the address meanwhile is not signed in by it', async () => {
    const { id } = await create(ctx, { username: 'mover', email: 'mover@example.org' })
    const shown = await asked('sign-in', 'mover@example.org')
    await ctx.pool.query("UPDATE users SET email = 'elsewhere@example.org' WHERE id = $1", [id])
    await refused(shown)
  })

  test('a code that was looked at and then replaced is not spent', async () => {
    const shown = await asked('sign-in', 'alice@example.org')
    const right = await check(ctx, shown)
    await change(shown.request, 'resend_at = now()')
    await resend(ctx, shown.request)
    await expect(spend(ctx.pool, right)).rejects.toMatchObject({ code: 'code_invalid' })
  })
})

describe('sending again', () => {
  const due = (request: string) => change(request, 'resend_at = now()')

  test('waits for a pause that doubles, and then no more', async () => {
    const { request } = await asked('sign-in', 'alice@example.org')
    for (const pauseMs of [60_000, 120_000, 240_000, 480_000]) {
      await expect(resend(ctx, request)).rejects.toMatchObject({
        code: 'rate_limited',
        detail: { retryMs: expect.any(Number) },
      })
      await due(request)
      expect(await resend(ctx, request)).toEqual({ request, expiresInMs: 600_000, resendAfterMs: pauseMs })
    }
    await due(request)
    await expect(resend(ctx, request)).rejects.toMatchObject({
      code: 'limit_reached',
      detail: { rule: 'at most 5 emails' },
    })
    expect(await takeJobs()).toHaveLength(4)
  })

  test('makes a new code, lives on from then, and gives no new tries', async () => {
    const first = await asked('sign-in', 'alice@example.org')
    await refused({ ...first, code: wrong(first.code) })
    await change(first.request, "resend_at = now(), expires_at = now() + interval '1 minute'")
    await resend(ctx, first.request)
    const { rowCount } = await ctx.pool.query(
      "SELECT FROM codes WHERE id = $1 AND expires_at > now() + interval '8 minutes'",
      [first.request],
    )
    expect(rowCount).toBe(1)
    const code = codeOf((await takeJobs())[0])
    expect(await triesLeft(first.request)).toBe(4)
    if (code !== first.code) await refused(first)
    expect(await redeem(ctx, { ...first, code })).toMatchObject({ user: alice })
  })

  test('of two at once one sends', async () => {
    const { request } = await asked('sign-in', 'alice@example.org')
    await due(request)
    const both = await Promise.allSettled([resend(ctx, request), resend(ctx, request)])
    expect(both.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await takeJobs()).toHaveLength(1)
  })

  test('an unknown address is answered as a known one, and nothing is sent', async () => {
    const { request } = await ask(ctx, { purpose: 'sign-in', email: 'nobody@example.org' })
    await due(request)
    expect(await resend(ctx, request)).toEqual({ request, expiresInMs: 600_000, resendAfterMs: 60_000 })
    expect((await takeJobs()).map(job => job.kind)).toEqual(['nothing', 'nothing'])
  })

  test('a request that is unknown, too old or without tries is not sent', async () => {
    const invalid = (request: string) => expect(resend(ctx, request)).rejects.toMatchObject({ code: 'code_invalid' })
    await invalid(randomUUID())
    const old = await asked('sign-in', 'alice@example.org')
    await change(old.request, 'resend_at = now(), expires_at = now()')
    await invalid(old.request)
    const tried = await asked('sign-in', 'bob@example.org')
    await change(tried.request, 'resend_at = now(), tries_left = 0')
    await invalid(tried.request)
  })
})
