import type { Factor, SecondFactorChallenge, User } from '@flotilla/protocol'
import { openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { Secret, TOTP } from 'otpauth'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { beginTotp } from '../factors/begin-totp.ts'
import { confirmTotp } from '../factors/confirm-totp.ts'
import { enableEmailFactor } from '../factors/enable-email-factor.ts'
import { claim } from '../../store/jobs/claim.ts'
import { add, beginAdd } from '../passkeys/add.ts'
import type { ShownPasskey } from '../passkeys/passkey.ts'
import { create } from '../registration/create.ts'
import type { FirstFactor } from '../factors/read.ts'
import { begin } from './begin.ts'
import { sendSecondFactorCode, beginPasskeySecondFactor, challenged, finish } from './finish.ts'
import { demandReauthentication } from './demand-reauthentication.ts'
import { open } from './open.ts'
import {
  sendReauthenticationCode,
  beginPasskeyReauthentication,
  reauthenticate,
  markReauthenticated,
} from './reauthenticate.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let now = Date.now()
let people = 0

const password = 'correct horse'
const client = { deviceName: 'laptop', address: '192.0.2.1', country: 'NL', agent: 'Firefox' }
const invalid = { code: 'challenge_invalid' }
const wrong = { code: 'second_factor_invalid' }

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, { clock: () => now, settings: { passwordHashesMax: 4 } })
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(() => {
  // Codes that were used before are of another step.
  now += 120_000
})

interface Person {
  readonly user: User
  readonly from: { session: string; client: typeof client }
  readonly secret: string
  readonly recoveryCodes: readonly string[]
}

async function someone(): Promise<Omit<Person, 'secret' | 'recoveryCodes'>> {
  const username = `person${++people}`
  const passwordHash = await ctx.passwords.hash(password)
  const user = await create(ctx, { username, email: `${username}@example.org`, passwordHash })
  return { user, from: { session: (await open(ctx, user.id, client, 'password')).session, client } }
}

async function withTotp(): Promise<Person> {
  const { user, from } = await someone()
  const { secret } = await beginTotp(ctx, user.id, { ...from, issuer: 'Flotilla' })
  const recoveryCodes = await confirmTotp(ctx, user.id, { ...from, code: codeOf(secret) })
  now += 60_000
  return { user, from, secret, recoveryCodes }
}

async function withMail(): Promise<Omit<Person, 'secret' | 'recoveryCodes'>> {
  const person = await someone()
  await enableEmailFactor(ctx, person.user.id, person.from)
  return person
}

const codeOf = (secret: string) => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: now })
const ask = async (user: User, reauthentication: FirstFactor = 'password') =>
  (await begin(ctx, user, reauthentication, client)) as SecondFactorChallenge
const show = (challenge: string, factor: 'totp' | 'recovery_code' | 'email_code', code: string) =>
  finish(ctx, { challenge, shown: { factor, code }, client: { ...client, deviceName: undefined } })
const sessionsOf = async (user: User) =>
  (await ctx.pool.query('SELECT id, device_name, signed_in_by FROM sessions WHERE user_id = $1', [user.id])).rows
const trail = async (user: User) =>
  (
    await ctx.pool.query<{ kind: string; detail: object }>(
      'SELECT kind, detail FROM security_events WHERE user_id = $1 ORDER BY id',
      [user.id],
    )
  ).rows

/** The codes that were mailed since the last call. */
async function mailed(): Promise<string[]> {
  const jobs = await claim(ctx, { max: 100, leaseMs: 600_000 })
  return jobs.flatMap(({ job }) => (job.kind === 'mail' && job.mail.template === 'code' ? [job.mail.code] : []))
}

/** A passkey that verifies what it is told to. */
const fake = (id: string, user: User, counter: number, seen: object[] = []): ShownPasskey => ({
  id,
  user: user.id,
  verify: async held => {
    seen.push(held)
    return { counter, synced: false }
  },
})
async function addPasskey({ user, from }: Pick<Person, 'user' | 'from'>, id: string) {
  const { challenge } = await beginAdd(ctx, user.id, from)
  const made = { id, publicKey: new Uint8Array(9), counter: 0, transports: ['usb'], synced: false }
  await add(ctx, user.id, { ...from, challenge, name: 'key', passkey: { verify: async () => made } })
}

describe('the second step of a sign-in', () => {
  test('is asked for instead of a session, and gives one', async () => {
    const { user, secret } = await withTotp()
    const asked = await ask(user)
    expect(asked).toEqual({ challenge: expect.any(String), factors: ['totp', 'recovery_code'], expiresInMs: 600_000 })
    expect(await sessionsOf(user)).toHaveLength(1)
    expect(await challenged(ctx, asked.challenge)).toBe(user.id)
    const signedIn = await show(asked.challenge, 'totp', codeOf(secret))
    expect(signedIn).toEqual({ user, session: expect.any(String), number: 1 })
    const opened = (await sessionsOf(user)).find(row => row.id === signedIn.session)
    expect(opened).toMatchObject({ device_name: 'laptop', signed_in_by: 'password' })
    expect((await trail(user)).at(-1)).toEqual({ kind: 'signed_in', detail: { by: 'password', factor: 'totp' } })
  })

  test('is never asked for after a passkey', async () => {
    const { user } = await withTotp()
    expect(await begin(ctx, user, 'passkey', client)).toMatchObject({ session: expect.any(String) })
  })

  test('is good once: of two who show good factors at once one gets in', async () => {
    const { user, secret, recoveryCodes } = await withTotp()
    const { challenge } = await ask(user)
    const both = await Promise.allSettled([
      show(challenge, 'totp', codeOf(secret)),
      show(challenge, 'recovery_code', recoveryCodes[0]!),
      show(challenge, 'recovery_code', recoveryCodes[1]!),
    ])
    expect(both.filter(one => one.status === 'fulfilled')).toHaveLength(1)
    expect(await sessionsOf(user)).toHaveLength(2)
    await expect(show(challenge, 'recovery_code', recoveryCodes[2]!)).rejects.toMatchObject(invalid)
  })

  test('one code does not finish two sign-ins', async () => {
    const { user, secret } = await withTotp()
    const [first, second] = [await ask(user), await ask(user)]
    const code = codeOf(secret)
    const both = await Promise.allSettled([first, second].map(({ challenge }) => show(challenge, 'totp', code)))
    expect(both.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('has five tries, also when they are made at once', async () => {
    const { user, recoveryCodes } = await withTotp()
    const { challenge } = await ask(user)
    const guesses = await Promise.allSettled(
      Array.from({ length: 12 }, () => show(challenge, 'recovery_code', 'guess')),
    )
    const codes = guesses.map(one => one.status === 'rejected' && (one.reason as { code: string }).code)
    expect(codes.filter(code => code === 'second_factor_invalid')).toHaveLength(5)
    expect(codes.filter(code => code === 'challenge_invalid')).toHaveLength(7)
    await expect(show(challenge, 'recovery_code', recoveryCodes[0]!)).rejects.toMatchObject(invalid)
    const failed = (await trail(user)).filter(row => row.kind === 'second_factor_failed')
    expect(failed.map(row => row.detail)).toEqual(Array.from({ length: 5 }, () => ({ factor: 'recovery_code' })))
  })

  test('takes only what was offered, and that costs no try', async () => {
    const { user, secret } = await withTotp()
    const { challenge } = await ask(user)
    for (let turn = 0; turn < 6; turn++) {
      const refused = finish(ctx, { challenge, shown: { factor: 'password', password }, client })
      await expect(refused).rejects.toMatchObject({ code: 'field_invalid', detail: { field: 'factor' } })
    }
    await expect(sendSecondFactorCode(ctx, challenge)).rejects.toMatchObject({ code: 'field_invalid' })
    await show(challenge, 'totp', codeOf(secret))
  })

  test('is over after ten minutes', async () => {
    const { user, secret } = await withTotp()
    const { challenge } = await ask(user)
    await ctx.pool.query("UPDATE challenges SET expires_at = expires_at - interval '10 minutes' WHERE id = $1", [
      challenge,
    ])
    await expect(show(challenge, 'totp', codeOf(secret))).rejects.toMatchObject(invalid)
    await expect(challenged(ctx, challenge)).rejects.toMatchObject(invalid)
  })

  test('the challenge of a passkey ceremony finishes nothing', async () => {
    const { user, from, secret } = await withTotp()
    const { challenge } = await beginAdd(ctx, user.id, from)
    await expect(show(challenge, 'totp', codeOf(secret))).rejects.toMatchObject(invalid)
  })

  test('a used recovery code is in the trail', async () => {
    const { user, recoveryCodes } = await withTotp()
    await show((await ask(user)).challenge, 'recovery_code', recoveryCodes[0]!)
    expect((await trail(user)).map(row => row.kind).slice(-2)).toEqual(['recovery_code_used', 'signed_in'])
    await expect(show((await ask(user)).challenge, 'recovery_code', recoveryCodes[0]!)).rejects.toMatchObject(wrong)
  })

  test('the code of somebody else does not fit', async () => {
    const [one, other] = [await withTotp(), await withTotp()]
    const { challenge } = await ask(one.user)
    await expect(show(challenge, 'totp', codeOf(other.secret))).rejects.toMatchObject(wrong)
  })
})

describe('a code by mail as the second step', () => {
  test('is sent when it is asked for, again only after the pause, and fits its sign-in only', async () => {
    const { user } = await withMail()
    await mailed()
    const [first, second] = [await ask(user), await ask(user)]
    expect(first.factors).toEqual(['email_code'])
    await expect(show(first.challenge, 'email_code', '000000')).rejects.toMatchObject(wrong)
    const { request } = await sendSecondFactorCode(ctx, first.challenge)
    await expect(sendSecondFactorCode(ctx, first.challenge)).rejects.toMatchObject({ code: 'rate_limited' })
    const [code] = (await mailed()) as [string]
    await expect(show(second.challenge, 'email_code', code)).rejects.toMatchObject(wrong)
    await ctx.pool.query('UPDATE codes SET resend_at = now() WHERE id = $1', [request])
    expect((await sendSecondFactorCode(ctx, first.challenge)).request).toBe(request)
    const [newer] = (await mailed()) as [string]
    if (newer !== code) await expect(show(first.challenge, 'email_code', code)).rejects.toMatchObject(wrong)
    expect(await show(first.challenge, 'email_code', newer)).toMatchObject({ user })
  })

  test('is worth nothing once the address is another one', async () => {
    const { user } = await withMail()
    await mailed()
    const { challenge } = await ask(user)
    await sendSecondFactorCode(ctx, challenge)
    const [code] = (await mailed()) as [string]
    await ctx.pool.query("UPDATE users SET email = 'other' || email WHERE id = $1", [user.id])
    await expect(show(challenge, 'email_code', code)).rejects.toMatchObject(wrong)
  })

  test('does not count twice: after a first code by mail the password is asked for', async () => {
    const { user } = await withMail()
    const { challenge, factors } = await ask(user, 'email_code')
    expect(factors).toEqual(['password'] satisfies Factor[])
    const withPassword = (given: string) =>
      finish(ctx, { challenge, shown: { factor: 'password', password: given }, client })
    await expect(withPassword('wrong horse')).rejects.toMatchObject(wrong)
    expect(await withPassword(password)).toMatchObject({ user })
  })

  test('counts alone where there is nothing else', async () => {
    const { user } = await withMail()
    await ctx.pool.query('UPDATE users SET password_hash = NULL WHERE id = $1', [user.id])
    expect(await begin(ctx, user, 'email_code', client)).toMatchObject({ session: expect.any(String) })
  })
})

describe('a passkey as the second step', () => {
  test('signs what was asked for last, need not have checked its owner, and counts up', async () => {
    const person = await withTotp()
    const id = `key-${people}`
    await addPasskey(person, id)
    const { challenge, factors } = await ask(person.user)
    expect(factors).toEqual(['totp', 'passkey', 'recovery_code'])
    const use = (passkey: ShownPasskey) => finish(ctx, { challenge, shown: { factor: 'passkey', passkey }, client })
    await expect(use(fake(id, person.user, 1))).rejects.toMatchObject(wrong)
    await beginPasskeySecondFactor(ctx, challenge)
    const { nonce, known } = await beginPasskeySecondFactor(ctx, challenge)
    expect(known).toEqual([{ id, transports: ['usb'] }])
    const seen: object[] = []
    await use(fake(id, person.user, 1, seen))
    expect(seen).toMatchObject([{ nonce: Buffer.from(nonce).toString('base64url'), ownerChecked: false, counter: 0 }])
    const next = await ask(person.user)
    await beginPasskeySecondFactor(ctx, next.challenge)
    const replayed = finish(ctx, {
      challenge: next.challenge,
      shown: { factor: 'passkey', passkey: fake(id, person.user, 1) },
      client,
    })
    await expect(replayed).rejects.toMatchObject(wrong)
  })

  test('of somebody else does not fit', async () => {
    const [one, other] = [await withTotp(), await someone()]
    const id = `key-${people}`
    await addPasskey(other, id)
    await addPasskey(one, `${id}-own`)
    const { challenge } = await ask(one.user)
    await beginPasskeySecondFactor(ctx, challenge)
    const foreign = finish(ctx, { challenge, shown: { factor: 'passkey', passkey: fake(id, other.user, 1) }, client })
    await expect(foreign).rejects.toMatchObject(wrong)
  })
})

describe('reauthentication', () => {
  const age = (session: string) =>
    ctx.pool.query(`UPDATE sessions SET proved_at = now() - interval '1 hour' WHERE id = $1`, [session])
  const isFresh = (session: string) =>
    demandReauthentication(ctx, session).then(
      () => true,
      () => false,
    )

  test('any one factor of the second step makes it, for this session alone', async () => {
    const person = await withTotp()
    const { user, from, secret } = person
    const id = `key-${people}`
    await addPasskey(person, id)
    const { session: other } = await open(ctx, user.id, client, 'password')
    const renewed = async (make: () => Promise<Parameters<typeof reauthenticate>[2]['reauthentication']>) => {
      await age(from.session)
      await age(other)
      await reauthenticate(ctx, user.id, { ...from, reauthentication: await make() })
      expect([await isFresh(from.session), await isFresh(other)]).toEqual([true, false])
    }
    await renewed(async () => ({ factor: 'totp', code: codeOf(secret) }))
    await ctx.pool.query('UPDATE users SET mail_factor = true WHERE id = $1', [user.id])
    await mailed()
    await renewed(async () => {
      const { request } = await sendReauthenticationCode(ctx, user.id)
      return { factor: 'email_code', request, code: (await mailed())[0]! }
    })
    const seen: object[] = []
    await renewed(async () => {
      const { challenge } = await beginPasskeyReauthentication(ctx, user.id)
      return { factor: 'passkey', challenge, passkey: fake(id, user, 1, seen) }
    })
    expect(seen).toMatchObject([{ ownerChecked: true }])
    await age(from.session)
    await markReauthenticated(ctx, from.session)
    expect(await isFresh(from.session)).toBe(true)
  })

  test('what does not fit makes none, and is in the trail', async () => {
    const { user, from } = await withTotp()
    await addPasskey({ user, from }, `key-${people}`)
    await age(from.session)
    const refused = (reauthentication: Parameters<typeof reauthenticate>[2]['reauthentication'], code: string) =>
      expect(reauthenticate(ctx, user.id, { ...from, reauthentication })).rejects.toMatchObject({ code })
    const challenge = crypto.randomUUID()
    await refused({ factor: 'password', password }, 'field_invalid')
    await refused({ factor: 'totp', code: '000000' }, 'second_factor_invalid')
    await refused({ factor: 'passkey', challenge, passkey: fake('none', user, 1) }, 'challenge_invalid')
    expect(await isFresh(from.session)).toBe(false)
    const failed = (await trail(user)).filter(row => row.kind === 'second_factor_failed')
    expect(failed.map(row => row.detail)).toEqual(['totp'].map(factor => ({ factor, at: 'reauthentication' })))
  })

  test('a code for signing in is none for reauthenticating, nor the passkey challenge of another person', async () => {
    const { user, from } = await withMail()
    const other = await someone()
    await addPasskey({ user, from }, `key-${people}`)
    await addPasskey(other, `key-${people}-other`)
    await mailed()
    const { challenge } = await ask(user)
    const { request } = await sendSecondFactorCode(ctx, challenge)
    const [code] = (await mailed()) as [string]
    const byCode = reauthenticate(ctx, user.id, { ...from, reauthentication: { factor: 'email_code', request, code } })
    await expect(byCode).rejects.toMatchObject({ code: 'code_invalid' })
    const foreign = await beginPasskeyReauthentication(ctx, other.user.id)
    const reauthentication = {
      factor: 'passkey',
      challenge: foreign.challenge,
      passkey: fake(`key-${people}`, user, 1),
    } as const
    await expect(reauthenticate(ctx, user.id, { ...from, reauthentication })).rejects.toMatchObject(invalid)
  })

  test('whoever has no address or passkey is told so', async () => {
    const { user } = await someone()
    await ctx.pool.query('UPDATE users SET email = NULL WHERE id = $1', [user.id])
    await expect(sendReauthenticationCode(ctx, user.id)).rejects.toMatchObject({ code: 'factor_conflict' })
    await expect(beginPasskeyReauthentication(ctx, user.id)).rejects.toMatchObject({ code: 'factor_conflict' })
  })
})
