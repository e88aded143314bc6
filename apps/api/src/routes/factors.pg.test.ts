import { createHmac, randomUUID } from 'node:crypto'
import { testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createFixture, type Fixture, openChat, password, type Person, type TestChat } from '../api.testbed.ts'

let store: TestChat
let api: Fixture
let call: Fixture['call']
let people = 0

const many = { max: 10_000, windowMs: 60_000 }

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  const settings = { registrations: many, signIns: many, codes: many, codesPerEmail: many }
  api = createFixture({ chat: store.chat, settings })
  call = api.call
  return async () => {
    await api.app.close()
    await store.close()
    await database.drop()
  }
})

const someone = () => api.register(`person${++people}`)
const refusedBy = (answer: { body: { error?: { code: string } } }) => answer.body.error?.code
const age = ({ session }: Person) =>
  store.chat.pool.query("UPDATE sessions SET proved_at = now() - interval '1 hour' WHERE id = $1", [session])
const signIn = ({ username }: Person, headers = {}) =>
  call('POST /v1/sessions', { body: { username, password, deviceName: 'desk' }, headers })
const finish = (body: object, headers = {}) => call('POST /v1/sessions/second-factor', { body, headers })

/**
 * The code of an authenticator app as RFC 6238 says, with nothing of the library under test. What comes after the set-up
 * takes the code of the next step: it is good whether or not a step passes meanwhile.
 */
function codeOf(secret: string, steps = 0): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = Array.from(secret)
    .map(letter => letters.indexOf(letter).toString(2).padStart(5, '0'))
    .join('')
  const key = Buffer.from(bits.match(/.{8}/g)!.map(byte => Number.parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps))
  const mac = createHmac('sha1', key).update(counter).digest()
  const number = mac.readUInt32BE(mac[19]! & 15) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}

async function withTotp() {
  const person = await someone()
  const { token } = person
  const begun = await call('POST /v1/me/totp', { token })
  expect(begun.status).toBe(200)
  const { secret } = begun.body
  const confirmed = await call('POST /v1/me/totp/confirm', { token, body: { code: codeOf(secret) } })
  expect(confirmed.status).toBe(200)
  return {
    person,
    secret: secret as string,
    uri: begun.body.uri as string,
    recoveryCodes: confirmed.body.recoveryCodes,
  }
}

async function withMail() {
  const person = await someone()
  await store.chat.pool.query("UPDATE users SET email = username || '@example.org' WHERE id = $1", [person.id])
  expect((await call('PUT /v1/me/email-factor', { token: person.token })).status).toBe(204)
  return person
}

async function lastCode({ username }: Person): Promise<string> {
  const mails = (await api.mails()).filter(({ to }) => to === `${username}@example.org`)
  const codes = mails.flatMap(({ mail }) => (mail.template === 'code' ? [mail.code] : []))
  return codes.at(-1)!
}

describe('an authenticator app', () => {
  test('is set up, asked for, and turned off', async () => {
    const { person, secret, uri, recoveryCodes } = await withTotp()
    const { token } = person
    expect(uri).toMatch(
      /^otpauth:\/\/totp\/Flotilla:person\d+\?issuer=Flotilla&secret=[A-Z2-7]{32}&algorithm=SHA1&digits=6&period=30$/,
    )
    expect(recoveryCodes).toHaveLength(10)
    expect((await call('GET /v1/me/factors', { token })).body).toEqual({
      password: true,
      email: false,
      totp: true,
      emailFactor: false,
      recoveryCodesLeft: 10,
      passkeys: 0,
    })

    const first = await signIn(person)
    expect(first.status).toBe(200)
    expect(first.body).toEqual({
      secondFactor: { challenge: expect.any(String), factors: ['totp', 'recovery_code'], expiresInMs: 600_000 },
    })
    expect(first.cookies).toEqual([])
    const { challenge } = first.body.secondFactor
    expect(refusedBy(await finish({ challenge, factor: 'totp', code: '000000' }))).toBe('second_factor_invalid')
    const second = await finish({ challenge, factor: 'totp', code: codeOf(secret, 1) })
    expect(second.status).toBe(201)
    expect(second.body.user.id).toBe(person.id)
    expect((await call('GET /v1/me', { token: second.body.accessToken })).status).toBe(200)
    expect(refusedBy(await finish({ challenge, factor: 'totp', code: codeOf(secret, 1) }))).toBe('challenge_invalid')

    expect((await call('DELETE /v1/me/totp', { token })).status).toBe(204)
    expect((await signIn(person)).status).toBe(201)
  })

  test('a recovery code stands in for it, once; new ones replace the old', async () => {
    const { person, recoveryCodes } = await withTotp()
    const [code, old] = recoveryCodes
    const enter = async (given: string) => {
      const { challenge } = (await signIn(person)).body.secondFactor
      return (await finish({ challenge, factor: 'recovery_code', code: given })).status
    }
    expect([await enter(code), await enter(code)]).toEqual([201, 401])
    const made = await call('POST /v1/me/recovery-codes', { token: person.token })
    expect([await enter(old), await enter(made.body.recoveryCodes[0])]).toEqual([401, 201])
  })

  test('the cookie comes with the second step only', async () => {
    const { person, secret } = await withTotp()
    const headers = { 'x-flotilla-cookie': '1' }
    const first = await signIn(person, headers)
    expect(first.cookies).toEqual([])
    const { challenge } = first.body.secondFactor
    const second = await finish({ challenge, factor: 'totp', code: codeOf(secret, 1) }, headers)
    expect(second.body.refreshToken).toBeUndefined()
    expect(second.cookies[0]).toMatchObject({ name: 'flotilla_refresh', httpOnly: true })
  })

  test('of two who finish with one code at once one gets in', async () => {
    const { person, secret } = await withTotp()
    const begun = await Promise.all([signIn(person), signIn(person)])
    const code = codeOf(secret, 1)
    const both = await Promise.all(
      begun.map(({ body }) => finish({ challenge: body.secondFactor.challenge, factor: 'totp', code })),
    )
    expect(both.map(answer => answer.status).sort((a, b) => a - b)).toEqual([201, 401])
  })

  test('its tries are counted by account, whichever sign-in and address they come from', async () => {
    const { person } = await withTotp()
    const settings = { signIns: many, factorTries: { max: 3, windowMs: 60_000 } }
    const here = createFixture({ chat: store.chat, settings })
    const guess = async (address: string) => {
      const first = await here.call('POST /v1/sessions', { body: { username: person.username, password }, address })
      const { challenge } = first.body.secondFactor
      const body = { challenge, factor: 'totp', code: '000000' }
      return refusedBy(await here.call('POST /v1/sessions/second-factor', { body, address }))
    }
    const answers = []
    for (const address of ['10.8.0.1', '10.8.0.2', '10.8.0.3', '10.8.0.4']) answers.push(await guess(address))
    expect(answers).toEqual([...Array(3).fill('second_factor_invalid'), 'rate_limited'])
    await here.app.close()
  })
})

test.each([
  ['letters that are no digits', 'éééééé'],
  ['letters of four bytes', '𝒶𝒷𝒸𝒹𝑒𝒻'],
  ['signs', '\u2603'.repeat(6)],
  ['halves of pairs made whole', '😀😀😀'],
])('a code of %s is a wrong code, wherever it is shown', async (_name, code) => {
  const { person } = await withTotp()
  const { body } = await signIn(person)
  const { challenge } = body.secondFactor
  for (const factor of ['totp', 'recovery_code'])
    expect(refusedBy(await finish({ challenge, factor, code }))).toBe('second_factor_invalid')
  const reauthentication = { token: person.token, body: { factor: 'totp', code } }
  expect(refusedBy(await call('POST /v1/sessions/current/reauthentication', reauthentication))).toBe(
    'second_factor_invalid',
  )
  const other = await someone()
  await call('POST /v1/me/totp', { token: other.token })
  const confirmed = await call('POST /v1/me/totp/confirm', { token: other.token, body: { code } })
  expect(refusedBy(confirmed)).toBe('second_factor_invalid')
  const mailed = await withMail()
  const begun = await signIn(mailed)
  const challenged = begun.body.secondFactor.challenge
  expect((await call('POST /v1/sessions/second-factor/code', { body: { challenge: challenged } })).status).toBe(202)
  expect(refusedBy(await finish({ challenge: challenged, factor: 'email_code', code }))).toBe('second_factor_invalid')
})

test('codes as a second factor and as a reauthentication are counted by the person, each for itself', async () => {
  const limited = createFixture({
    chat: store.chat,
    keys: api.deps.keys,
    settings: { codes: many, codesPerEmail: { max: 2, windowMs: 60_000 } },
  })
  onTestFinished(() => limited.app.close())
  const person = await withMail()
  const statuses: number[] = []
  for (const address of ['10.7.0.1', '10.7.0.2', '10.7.0.3']) {
    const { challenge } = (await signIn(person)).body.secondFactor
    const asked = await limited.call('POST /v1/sessions/second-factor/code', { body: { challenge }, address })
    statuses.push(asked.status)
  }
  expect(statuses).toEqual([202, 202, 429])
  const reauthentication = await limited.call('POST /v1/sessions/current/reauthentication/code', {
    token: person.token,
  })
  expect(reauthentication.status).toBe(202)
})

test('changes to the ways in are counted by the person, before anything is changed or mailed', async () => {
  const limited = createFixture({
    chat: store.chat,
    keys: api.deps.keys,
    settings: { accountChanges: { max: 3, windowMs: 60_000 } },
  })
  onTestFinished(() => limited.app.close())
  const person = await withMail()
  const toggle = (turn: number) =>
    limited.call(`${turn % 2 === 0 ? 'DELETE' : 'PUT'} /v1/me/email-factor`, { token: person.token })
  for (let turn = 0; turn < 3; turn++) expect((await toggle(turn)).status).toBe(204)
  expect(refusedBy(await toggle(3))).toBe('rate_limited')
  const other = await limited.call('PUT /v1/me/password', { token: person.token, body: { password } })
  expect(refusedBy(other), 'all of them count together').toBe('rate_limited')
})

describe('a code by mail', () => {
  test('is sent, asked for, and turned off', async () => {
    const person = await withMail()
    const first = await signIn(person)
    expect(first.body.secondFactor.factors).toEqual(['email_code'])
    const { challenge } = first.body.secondFactor
    const asked = await call('POST /v1/sessions/second-factor/code', { body: { challenge } })
    expect(asked.status).toBe(202)
    expect(asked.body).toEqual({ request: expect.any(String), expiresInMs: 600_000, resendAfterMs: 30_000 })
    const again = await call('POST /v1/sessions/second-factor/code', { body: { challenge } })
    expect(refusedBy(again)).toBe('rate_limited')
    const code = await lastCode(person)
    expect((await finish({ challenge, factor: 'email_code', code })).status).toBe(201)
    expect((await call('DELETE /v1/me/email-factor', { token: person.token })).status).toBe(204)
    expect((await signIn(person)).status).toBe(201)
  })

  test('after a sign-in by such a code the password is asked for', async () => {
    const person = await withMail()
    const { body } = await call('POST /v1/codes', {
      body: { email: `${person.username}@example.org`, purpose: 'sign-in' },
    })
    const shown = { request: body.request, code: await lastCode(person) }
    const first = await call('POST /v1/sessions/with-code', { body: shown })
    expect(first.status).toBe(200)
    expect(first.body.secondFactor.factors).toEqual(['password'])
    const { challenge } = first.body.secondFactor
    expect((await finish({ challenge, factor: 'password', password })).status).toBe(201)
  })

  test('needs an address', async () => {
    const { token } = await someone()
    expect(refusedBy(await call('PUT /v1/me/email-factor', { token }))).toBe('factor_conflict')
    expect(refusedBy(await call('POST /v1/sessions/current/reauthentication/code', { token }))).toBe('factor_conflict')
    expect(refusedBy(await call('POST /v1/sessions/current/reauthentication/passkey', { token }))).toBe(
      'factor_conflict',
    )
  })
})

describe('reauthentication', () => {
  const reauthenticate = ({ token }: Person, body: object) =>
    call('POST /v1/sessions/current/reauthentication', { token, body })

  test('is asked for where an intruder at an open screen would go', async () => {
    const { person, secret } = await withTotp()
    await age(person)
    const routes = [
      'POST /v1/me/totp',
      'DELETE /v1/me/totp',
      'POST /v1/me/recovery-codes',
      'PUT /v1/me/email-factor',
      'DELETE /v1/me/email-factor',
      'GET /v1/me/export',
    ]
    for (const route of routes)
      expect(refusedBy(await call(route, { token: person.token }))).toBe('reauthentication_required')
    expect((await reauthenticate(person, { factor: 'totp', code: codeOf(secret, 1) })).status).toBe(204)
    expect((await call('DELETE /v1/me/totp', { token: person.token })).status).toBe(204)
  })

  test('has the level of the account: with a second factor the password alone is none', async () => {
    const { person } = await withTotp()
    await age(person)
    const refused = await reauthenticate(person, { factor: 'password', password })
    expect(refused.body.error).toMatchObject({ code: 'field_invalid', field: 'factor', rule: 'one of totp' })
    // Nor is a mailbox that no sign-in asks for.
    await store.chat.pool.query("UPDATE users SET email = username || '@example.org' WHERE id = $1", [person.id])
    const asked = await call('POST /v1/sessions/current/reauthentication/code', { token: person.token })
    const shown = { factor: 'email_code', request: asked.body.request, code: await lastCode(person) }
    expect(refusedBy(await reauthenticate(person, shown))).toBe('field_invalid')
    expect(refusedBy(await call('DELETE /v1/me/totp', { token: person.token }))).toBe('reauthentication_required')
  })

  test('by a code by mail and by the authenticator app', async () => {
    const { person, secret } = await withTotp()
    await store.chat.pool.query("UPDATE users SET email = username || '@example.org' WHERE id = $1", [person.id])
    expect((await call('PUT /v1/me/email-factor', { token: person.token })).status).toBe(204)
    const asked = await call('POST /v1/sessions/current/reauthentication/code', { token: person.token })
    expect(asked.status).toBe(202)
    const code = await lastCode(person)
    const shown = { factor: 'email_code', request: asked.body.request, code }
    expect((await reauthenticate(person, shown)).status).toBe(204)
    expect(refusedBy(await reauthenticate(person, shown))).toBe('code_invalid')
    expect((await reauthenticate(person, { factor: 'totp', code: codeOf(secret, 1) })).status).toBe(204)
    expect(refusedBy(await reauthenticate(person, { factor: 'totp', code: codeOf(secret, 1) }))).toBe(
      'second_factor_invalid',
    )
  })

  test('is limited like a sign-in', async () => {
    const person = await someone()
    const here = createFixture({
      chat: store.chat,
      keys: api.deps.keys,
      settings: { signIns: { max: 2, windowMs: 60_000 } },
    })
    const wrong = () =>
      here.call('POST /v1/sessions/current/reauthentication', {
        token: person.token,
        body: { factor: 'password', password: 'wrong' },
      })
    const answers = [await wrong(), await wrong(), await wrong()].map(refusedBy)
    expect(answers).toEqual(['invalid_credentials', 'invalid_credentials', 'rate_limited'])
    await here.app.close()
  })
})

test.each([
  ['no factor', { code: '000000' }, 'factor'],
  ['an unknown factor', { factor: 'smell' }, 'factor'],
  ['no code', { factor: 'totp' }, 'code'],
  ['a password instead of a code', { factor: 'totp', password }, 'code'],
  ['a code too long', { factor: 'recovery_code', code: 'x'.repeat(65) }, 'code'],
])('a second step with %s is refused', async (_name, body, field) => {
  const answer = await finish({ challenge: randomUUID(), ...body })
  expect(answer.body.error).toMatchObject({ code: 'field_invalid', field })
})

test('a second step of nothing is refused', async () => {
  const challenge = randomUUID()
  const answers = await Promise.all([
    finish({ challenge, factor: 'totp', code: '000000' }),
    call('POST /v1/sessions/second-factor/code', { body: { challenge } }),
    call('POST /v1/sessions/second-factor/passkey', { body: { challenge } }),
  ])
  expect(answers.map(refusedBy)).toEqual(Array(3).fill('challenge_invalid'))
})

afterAll(() => {
  const mine = api
    .unanswered()
    .filter(route => /second-factor$|second-factor.code|totp|factor|recovery|reauthentication$/.test(route))
  expect(mine.filter(route => !route.includes('passkey'))).toEqual([])
})
