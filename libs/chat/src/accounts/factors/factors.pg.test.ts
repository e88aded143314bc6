import type { Factors } from '@flotilla/protocol'
import { openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { Secret, TOTP, URI } from 'otpauth'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { open } from '../sessions/open.ts'
import { create } from '../registration/create.ts'
import { beginTotp } from './begin-totp.ts'
import { confirmTotp } from './confirm-totp.ts'
import { disableEmailFactor } from './disable-email-factor.ts'
import { disableTotp } from './disable-totp.ts'
import { enableEmailFactor } from './enable-email-factor.ts'
import { factorsAfter, read } from './read.ts'
import { createRecoveryCodes, spendRecoveryCode } from './recovery-codes.ts'
import { spendTotp } from './totp.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let now = Date.now()
let people = 0

const client = { deviceName: 'laptop', address: '192.0.2.1', country: 'NL', agent: 'Firefox' }
const stepMs = 30_000

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { clock: () => now })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

/** Somebody who has just signed in, as the verbs take them: who, and from where. */
async function someone(): Promise<[string, { session: string; client: typeof client }]> {
  const username = `person${++people}`
  const { id } = await create(ctx, { username, email: `${username}@example.org`, passwordHash: 'x' })
  return [id, { session: (await open(ctx, id, client, 'password')).session, client }]
}
const age = (session: string) =>
  ctx.pool.query(`UPDATE sessions SET proved_at = now() - interval '1 hour' WHERE id = $1`, [session])
const trail = async (user: string) =>
  (
    await ctx.pool.query<{ kind: string }>('SELECT kind FROM security_events WHERE user_id = $1 ORDER BY id', [user])
  ).rows
    .map(row => row.kind)
    .filter(kind => kind !== 'registered')
const codeOf = (secret: string, steps = 0) =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: now + steps * stepMs })

async function withTotp() {
  const [user, from] = await someone()
  const { secret } = await beginTotp(ctx, user, { ...from, issuer: 'Flotilla' })
  const recoveryCodes = await confirmTotp(ctx, user, { ...from, code: codeOf(secret) })
  now += 3 * stepMs
  return { user, from, secret, recoveryCodes }
}

describe('an authenticator app', () => {
  test('is on once a code of it has come, and not before', async () => {
    const [user, from] = await someone()
    const { secret, uri } = await beginTotp(ctx, user, { ...from, issuer: 'Flotilla' })
    expect(URI.parse(uri)).toMatchObject({ issuer: 'Flotilla', label: `person${people}`, algorithm: 'SHA1', digits: 6 })
    expect(Secret.fromBase32(secret).bytes).toHaveLength(20)
    expect((await read(ctx, user)).totp).toBe(false)
    expect(await spendTotp(ctx, user, codeOf(secret))).toBe(false)
    const wrong = confirmTotp(ctx, user, { ...from, code: '000000' })
    await expect(wrong).rejects.toMatchObject({ code: 'second_factor_invalid' })
    const codes = await confirmTotp(ctx, user, { ...from, code: codeOf(secret) })
    expect(await read(ctx, user)).toMatchObject({ totp: true, recoveryCodesLeft: 10 })
    expect(new Set(codes).size).toBe(10)
    for (const code of codes) expect(code).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/)
    expect(await trail(user)).toEqual(['totp_enabled'])
  })

  test('lies sealed, bound to its person', async () => {
    const { user, secret } = await withTotp()
    const other = await withTotp()
    const rows = await ctx.pool.query<{ secret: Buffer }>('SELECT secret FROM totp_factors WHERE user_id = $1', [user])
    expect(rows.rows[0]!.secret.includes(secret)).toBe(false)
    await ctx.pool.query(
      `UPDATE totp_factors SET (key_id, secret) = (SELECT key_id, secret FROM totp_factors WHERE user_id = $2)
        WHERE user_id = $1`,
      [other.user, user],
    )
    await expect(spendTotp(ctx, other.user, codeOf(secret))).rejects.toThrow()
  })

  test('is begun anew until it is confirmed, then there is one already', async () => {
    const [user, from] = await someone()
    const first = await beginTotp(ctx, user, { ...from, issuer: 'Flotilla' })
    const second = await beginTotp(ctx, user, { ...from, issuer: 'Flotilla' })
    const old = confirmTotp(ctx, user, { ...from, code: codeOf(first.secret) })
    await expect(old).rejects.toMatchObject({ code: 'second_factor_invalid' })
    const both = await Promise.allSettled(
      [1, 2].map(() => confirmTotp(ctx, user, { ...from, code: codeOf(second.secret) })),
    )
    expect(both.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected'])
    expect((await read(ctx, user)).recoveryCodesLeft).toBe(10)
    const third = beginTotp(ctx, user, { ...from, issuer: 'Flotilla' })
    await expect(third).rejects.toMatchObject({ code: 'factor_conflict' })
  })

  test('must be confirmed within the hour', async () => {
    const [user, from] = await someone()
    const { secret } = await beginTotp(ctx, user, { ...from, issuer: 'Flotilla' })
    await ctx.pool.query("UPDATE totp_factors SET created_at = now() - interval '61 minutes' WHERE user_id = $1", [
      user,
    ])
    const late = confirmTotp(ctx, user, { ...from, code: codeOf(secret) })
    await expect(late).rejects.toMatchObject({ code: 'factor_conflict' })
  })

  test('a clock may be half a minute wrong, not more', async () => {
    const { user, secret } = await withTotp()
    for (const steps of [-2, 2]) expect(await spendTotp(ctx, user, codeOf(secret, steps))).toBe(false)
    for (const steps of [-1, 0, 1]) expect(await spendTotp(ctx, user, codeOf(secret, steps))).toBe(true)
  })

  test('a code is good once, also for two at once, and so are those before it', async () => {
    const { user, secret } = await withTotp()
    const code = codeOf(secret)
    const shown = await Promise.all(Array.from({ length: 8 }, () => spendTotp(ctx, user, code)))
    expect(shown.filter(Boolean)).toHaveLength(1)
    expect(await spendTotp(ctx, user, code)).toBe(false)
    expect(await spendTotp(ctx, user, codeOf(secret, -1))).toBe(false)
    now += stepMs
    const spaced = codeOf(secret)
    expect(await spendTotp(ctx, user, `${spaced.slice(0, 3)} ${spaced.slice(3)}`)).toBe(true)
  })

  test('the code that confirmed it is used up', async () => {
    const [user, from] = await someone()
    const { secret } = await beginTotp(ctx, user, { ...from, issuer: 'Flotilla' })
    await confirmTotp(ctx, user, { ...from, code: codeOf(secret) })
    expect(await spendTotp(ctx, user, codeOf(secret))).toBe(false)
  })

  test('is turned off, and its recovery codes with it', async () => {
    const { user, from, secret } = await withTotp()
    await disableTotp(ctx, user, from)
    expect(await read(ctx, user)).toMatchObject({ totp: false, recoveryCodesLeft: 0 })
    expect(await spendTotp(ctx, user, codeOf(secret))).toBe(false)
    await expect(disableTotp(ctx, user, from)).rejects.toMatchObject({ code: 'factor_conflict' })
    expect((await trail(user)).at(-1)).toBe('totp_disabled')
  })
})

describe('recovery codes', () => {
  test('each is good once, also for two at once, however it is typed', async () => {
    const { user, recoveryCodes } = await withTotp()
    const [first, second] = recoveryCodes as [string, string]
    const shown = await Promise.all(Array.from({ length: 8 }, () => spendRecoveryCode(ctx, user, first, client)))
    expect(shown.filter(Boolean)).toHaveLength(1)
    const typed = ` ${second.toUpperCase().replaceAll('-', ' ').replaceAll('0', 'O').replaceAll('1', 'l')} `
    expect(await spendRecoveryCode(ctx, user, typed, client)).toBe(true)
    const wide = recoveryCodes[2]!.replace(/[0-9a-z]/g, sign => String.fromCharCode(sign.charCodeAt(0) + 0xfee0))
    expect(await spendRecoveryCode(ctx, user, wide.replaceAll('-', 'ー'), client)).toBe(true)
    expect((await read(ctx, user)).recoveryCodesLeft).toBe(7)
  })

  test('are nobody else’s', async () => {
    const { recoveryCodes } = await withTotp()
    const { user } = await withTotp()
    expect(await spendRecoveryCode(ctx, user, recoveryCodes[0]!, client)).toBe(false)
  })

  test('made anew, those of before are worth nothing', async () => {
    const { user, from, recoveryCodes } = await withTotp()
    const made = await Promise.all([createRecoveryCodes(ctx, user, from), createRecoveryCodes(ctx, user, from)])
    expect((await read(ctx, user)).recoveryCodesLeft).toBe(10)
    expect(await spendRecoveryCode(ctx, user, recoveryCodes[0]!, client)).toBe(false)
    const good = await Promise.all(made.map(codes => spendRecoveryCode(ctx, user, codes[0]!, client)))
    expect(good.filter(Boolean)).toHaveLength(1)
  })

  test('there are none without a second factor', async () => {
    const [user, from] = await someone()
    await expect(createRecoveryCodes(ctx, user, from)).rejects.toMatchObject({ code: 'factor_conflict' })
  })
})

describe('a code by mail', () => {
  test('is turned on and off; its recovery codes go with the last factor only', async () => {
    const { user, from } = await withTotp()
    await enableEmailFactor(ctx, user, from)
    await enableEmailFactor(ctx, user, from)
    expect((await read(ctx, user)).emailFactor).toBe(true)
    await disableTotp(ctx, user, from)
    expect(await read(ctx, user)).toMatchObject({ emailFactor: true, recoveryCodesLeft: 10 })
    await disableEmailFactor(ctx, user, from)
    expect(await read(ctx, user)).toMatchObject({ emailFactor: false, recoveryCodesLeft: 0 })
    await expect(disableEmailFactor(ctx, user, from)).rejects.toMatchObject({ code: 'factor_conflict' })
    expect((await trail(user)).slice(1)).toEqual(['email_factor_enabled', 'totp_disabled', 'email_factor_disabled'])
  })

  test('needs an address', async () => {
    const [user, from] = await someone()
    await ctx.pool.query('UPDATE users SET email = NULL WHERE id = $1', [user])
    await expect(enableEmailFactor(ctx, user, from)).rejects.toMatchObject({ code: 'factor_conflict' })
  })
})

test('whatever an intruder at an open screen would change asks for reauthentication', async () => {
  const { user, from } = await withTotp()
  await age(from.session)
  const verbs = [
    () => beginTotp(ctx, user, { ...from, issuer: 'Flotilla' }),
    () => disableTotp(ctx, user, from),
    () => createRecoveryCodes(ctx, user, from),
    () => enableEmailFactor(ctx, user, from),
    () => disableEmailFactor(ctx, user, from),
  ]
  for (const verb of verbs) await expect(verb()).rejects.toMatchObject({ code: 'reauthentication_required' })
})

describe('what is asked for after the first factor', () => {
  const nothing: Factors = {
    password: true,
    email: true,
    totp: false,
    emailFactor: false,
    recoveryCodesLeft: 0,
    passkeys: 0,
  }
  test.each<[Parameters<typeof factorsAfter>[0], Partial<Factors>, ReturnType<typeof factorsAfter>]>([
    ['password', {}, []],
    ['password', { passkeys: 2 }, []],
    ['password', { totp: true, recoveryCodesLeft: 3 }, ['totp', 'recovery_code']],
    ['password', { totp: true, emailFactor: true, passkeys: 1 }, ['totp', 'email_code', 'passkey']],
    ['password', { emailFactor: true }, ['email_code']],
    ['identity', { emailFactor: true }, ['email_code']],
    ['identity', { totp: true }, ['totp']],
    ['email_code', { totp: true, emailFactor: true }, ['totp']],
    ['email_code', { emailFactor: true }, ['password']],
    ['email_code', { emailFactor: true, password: false, passkeys: 1 }, ['passkey']],
    ['email_code', { emailFactor: true, password: false }, []],
    ['passkey', { totp: true, emailFactor: true, passkeys: 1 }, []],
  ])('%s with %j: %j', (first, has, asked) => {
    expect(factorsAfter(first, { ...nothing, ...has })).toEqual(asked)
  })
})
