import { randomUUID } from 'node:crypto'
import { testDatabase, until } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createFixture, type Fixture, openChat, type Person, password, type TestChat } from '../api.testbed.ts'

let store: TestChat
let api: Fixture
let call: Fixture['call']

const many = { max: 1_000, windowMs: 60_000 }

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  api = createFixture({ chat: store.chat, settings: { codes: many, registrations: many } })
  call = api.call
  return async () => {
    await api.app.close()
    await store.close()
    await database.drop()
  }
})
beforeEach(() => store.chat.pool.query('DELETE FROM jobs'))

function another(settings: NonNullable<Parameters<typeof createFixture>[0]>['settings']): Fixture {
  const other = createFixture({ chat: store.chat, keys: api.deps.keys, settings: { codes: many, ...settings } })
  onTestFinished(() => other.app.close())
  return other
}

/** Asks for a code, and reads it in the mail. */
async function codeFor(email: string, purpose: string) {
  const { body } = await call('POST /v1/codes', { body: { email, purpose } })
  return { request: body.request as string, code: await mailedCode(email) }
}

async function mailedCode(email: string): Promise<string> {
  const found = (await api.mails()).findLast(one => one.to === email)?.mail
  if (found?.template !== 'code') throw new Error(`no code was sent to ${email}`)
  return found.code
}

/** Somebody who registered with an address. */
async function person(name: string): Promise<Person & { email: string }> {
  const email = `${name}@example.org`
  const answer = await call('POST /v1/users', {
    body: { username: name, password, email: await codeFor(email, 'register') },
  })
  expect(answer.status).toBe(201)
  const { user, session, accessToken: token, refreshToken } = answer.body
  return { id: user.id, username: name, session, token, refreshToken, email }
}

const makeStale = (session: string) =>
  store.chat.pool.query("UPDATE sessions SET proved_at = now() - interval '1 hour' WHERE id = $1", [session])
const refusalOf = (answer: { body: { error?: { code: string } } }) => answer.body.error?.code
const signsIn = async (username: string, secret: string) =>
  (await call('POST /v1/sessions', { body: { username, password: secret } })).status

describe('registering', () => {
  test('a name alone is enough, or nothing at all', async () => {
    const named = await call('POST /v1/users', { body: { username: 'alone' } })
    expect(named.status).toBe(201)
    expect(named.body.user).toMatchObject({ username: 'alone', displayName: 'alone' })
    const nameless = await call('POST /v1/users')
    expect(nameless.body.user.username).toMatch(/^user\d+$/)
  })

  test('an address is verified by the code that was sent to it, and then signs in', async () => {
    const email = 'ada@example.org'
    const asked = await call('POST /v1/codes', { body: { email: ` ${email} `, purpose: 'register' } })
    expect(asked.status).toBe(202)
    expect(asked.body).toEqual({ request: expect.any(String), expiresInMs: 600_000, resendAfterMs: 30_000 })
    const { request } = asked.body
    const code = await mailedCode(email)
    const wrong = await call('POST /v1/users', {
      body: { email: { request, code: code === '111111' ? '222222' : '111111' }, password },
    })
    expect(wrong.status).toBe(401)
    expect(wrong.body.error.code).toBe('code_invalid')
    const right = await call('POST /v1/users', { body: { email: { request, code }, password, displayName: 'Ada' } })
    expect(right.status).toBe(201)
    expect(right.body.user.username).toMatch(/^ada\d+$/)
    expect(await signsIn('Ada@Example.org', password)).toBe(201)
    const again = await call('POST /v1/codes', { body: { email, purpose: 'register' } })
    expect(again.status).toBe(202)
    expect((await api.mails()).at(-1)).toMatchObject({ to: email, mail: { template: 'registered-already' } })
  })

  test('guesses at the code of a request are limited by request and address of the network', async () => {
    const here = another({ signIns: { max: 2, windowMs: 60_000 } })
    const email = { request: randomUUID(), code: '123456' }
    for (const expected of [401, 401, 429])
      expect((await here.call('POST /v1/users', { body: { email } })).status).toBe(expected)
  })
})

describe('codes', () => {
  test('are limited by address of mail, known or not, and by address of the network', async () => {
    const known = await person('limited')
    const here = another({ codesPerEmail: { max: 4, windowMs: 60_000 } })
    for (const email of [known.email, 'unknown@example.org']) {
      const ask = (spelling: string, address = '10.3.0.1') =>
        here.call('POST /v1/codes', { body: { email: spelling, purpose: 'sign-in' }, address })
      expect((await ask(email)).status).toBe(202)
      expect((await ask(email.toUpperCase())).status).toBe(202)
      const refused = await ask(` ${email}`)
      expect(refused.status).toBe(429)
      expect(refused.headers['retry-after']).toBeDefined()
      for (const expected of [202, 202, 429]) expect((await ask(email, '10.3.0.4')).status).toBe(expected)
    }
    const spellings = ['é@bücher.example', 'É@BÜCHER.example', 'e\u0301@xn--bcher-kva.example', 'é@Bücher。example']
    const statuses = await Promise.all(
      spellings.map(email => here.call('POST /v1/codes', { body: { email, purpose: 'sign-in' }, address: '10.3.1.1' })),
    )
    expect(statuses.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([202, 202, 429, 429])
    const narrow = another({ codes: { max: 1, windowMs: 60_000 } })
    const from = (address: string, email: string) =>
      narrow.call('POST /v1/codes', { body: { email, purpose: 'sign-in' }, address })
    expect((await from('10.3.0.2', 'one@example.org')).status).toBe(202)
    expect((await from('10.3.0.2', 'two@example.org')).status).toBe(429)
    expect((await from('10.3.0.3', 'two@example.org')).status).toBe(202)
  })

  test('a mailbox gets so many, whoever asks; its owner is not kept out by strangers, and nobody sees a difference', async () => {
    const known = await person('beleaguered')
    const asked = async (here: Fixture, email: string, address: string, purpose = 'sign-in') => {
      const before = (await api.mails()).length
      const answer = await here.call('POST /v1/codes', { body: { email, purpose }, address })
      const code = (await api.mails()).length > before ? await mailedCode(email) : undefined
      return { answer, code }
    }
    // From where the owner has been signed in.
    const home = '10.4.0.1'
    const here = another({ codesPerEmail: { max: 4, windowMs: 60_000 } })
    const signIn = await here.call('POST /v1/sessions', { body: { username: 'beleaguered', password }, address: home })
    expect(signIn.status).toBe(201)
    for (const [email, purpose] of [
      [known.email, 'sign-in'],
      ['beleaguered-not@example.org', 'register'],
    ] as const) {
      const strangers = []
      for (let turn = 0; turn < 24; turn++) strangers.push(await asked(here, email, `10.4.1.${turn >> 1}`, purpose))
      expect(new Set(strangers.map(({ answer }) => answer.status))).toEqual(new Set([202]))
      // Four, and twice as many for those who ask for the first time.
      expect(strangers.filter(({ code }) => code !== undefined)).toHaveLength(4 + 8)
      const late = await asked(here, email, '10.4.2.1', purpose)
      const own = await asked(here, email, home, purpose)
      expect(Object.keys(own.answer.body)).toEqual(Object.keys(late.answer.body))
      expect([late.answer.status, own.answer.status, late.code]).toEqual([202, 202, undefined])
      expect(own.code !== undefined, 'the owner gets theirs').toBe(email === known.email)
      if (own.code === undefined) continue
      const shown = { request: own.answer.body.request, code: own.code }
      expect((await here.call('POST /v1/sessions/with-code', { body: shown })).status).toBe(201)
      // A request that nothing was sent for is as good as any other, and no code is right.
      expect(refusalOf(await here.call(`POST /v1/codes/${late.answer.body.request}/resend`))).toBe('rate_limited')
    }
  })

  test('from a few addresses no stranger keeps an owner out who was never here', async () => {
    const known = await person('visited')
    const here = another({ codesPerEmail: { max: 10, windowMs: 60_000 } })
    const ask = (address: string) =>
      here.call('POST /v1/codes', { body: { email: known.email, purpose: 'sign-in' }, address })
    for (let turn = 0; turn < 10; turn++) expect((await ask(`10.5.0.${turn % 2}`)).status).toBe(202)
    await store.chat.pool.query('DELETE FROM jobs')
    const { body } = await ask('10.5.1.1')
    const code = await mailedCode(known.email)
    expect((await here.call('POST /v1/sessions/with-code', { body: { request: body.request, code } })).status).toBe(201)
  })

  test('what is sent again counts for the mailbox, but not what is asked for too soon', async () => {
    const { email } = await person('resent')
    const here = another({ codesPerEmail: { max: 2, windowMs: 60_000 } })
    const { body } = await here.call('POST /v1/codes', { body: { email, purpose: 'sign-in' } })
    const again = async () => {
      await store.chat.pool.query('UPDATE codes SET resend_at = now() WHERE id = $1', [body.request])
      return here.call(`POST /v1/codes/${body.request}/resend`, { address: '10.6.0.1' })
    }
    for (let turn = 0; turn < 5; turn++)
      expect(refusalOf(await here.call(`POST /v1/codes/${body.request}/resend`))).toBe('rate_limited')
    expect((await again()).status).toBe(202)
    const code = await mailedCode(email)
    expect(refusalOf(await again()), 'of this address of the network').toBe('rate_limited')
    expect((await here.call('POST /v1/sessions/with-code', { body: { request: body.request, code } })).status).toBe(201)
  })

  test.each([
    ['no address', { email: 'nobody', purpose: 'sign-in' }, 'email'],
    ['a purpose for the signed-in', { email: 'a@example.org', purpose: 'change-email' }, 'purpose'],
  ])('%s is refused', async (_name, body, field) => {
    const answer = await call('POST /v1/codes', { body })
    expect(answer.status).toBe(400)
    expect(answer.body.error).toMatchObject({ code: 'field_invalid', field })
  })

  test('are sent again after a pause', async () => {
    const { email } = await person('again')
    const { request } = await codeFor(email, 'sign-in')
    const soon = await call(`POST /v1/codes/${request}/resend`)
    expect(soon.status).toBe(429)
    expect(soon.body.error.retryMs).toBeGreaterThan(20_000)
    await store.chat.pool.query('UPDATE codes SET resend_at = now() WHERE id = $1', [request])
    const sent = await call(`POST /v1/codes/${request}/resend`)
    expect(sent.status).toBe(202)
    expect(sent.body).toEqual({ request, expiresInMs: 600_000, resendAfterMs: 60_000 })
    const code = await mailedCode(email)
    expect((await call('POST /v1/sessions/with-code', { body: { request, code } })).status).toBe(201)
    expect((await call(`POST /v1/codes/${request}/resend`)).body.error.code).toBe('code_invalid')
  })
})

test('signing in by a code is limited as a password is', async () => {
  const { email, id } = await person('coder')
  const shown = await codeFor(email, 'sign-in')
  const answer = await call('POST /v1/sessions/with-code', { body: { ...shown, deviceName: 'phone' } })
  expect(answer.body.user.id).toBe(id)
  const here = another({ signIns: { max: 1, windowMs: 60_000 } })
  const attempt = () => here.call('POST /v1/sessions/with-code', { body: shown })
  expect((await attempt()).body.error.code).toBe('code_invalid')
  expect((await attempt()).body.error.code).toBe('rate_limited')
})

describe('a forgotten password', () => {
  test('is replaced by a code; whoever was signed in is out', async () => {
    const { email, token, refreshToken } = await person('forgetful')
    const shown = await codeFor(email, 'reset-password')
    const next = 'something else entirely'
    const weak = await call('POST /v1/password-resets', { body: { ...shown, password: 'password123' } })
    expect(weak.body.error.code).toBe('password_weak')
    const answer = await call('POST /v1/password-resets', { body: { ...shown, password: next } })
    expect(answer.status).toBe(201)
    expect((await call('GET /v1/me', { token: answer.body.accessToken })).status).toBe(200)
    expect((await call('GET /v1/me', { token })).status).toBe(401)
    expect((await call('POST /v1/sessions/refresh', { body: { refreshToken } })).status).toBe(401)
    expect([await signsIn(email, password), await signsIn(email, next)]).toEqual([401, 201])
    const again = await call('POST /v1/password-resets', { body: { ...shown, password: next } })
    expect(again.body.error.code).toBe('code_invalid')
  })
})

describe('the own password', () => {
  test('is changed with the current one, which is limited as a sign-in is', async () => {
    const { username, token } = await person('changer')
    const body = { current: password, password: 'a new phrase' }
    expect((await call('PUT /v1/me/password', { token, body })).status).toBe(204)
    expect((await call('GET /v1/me', { token })).status).toBe(200)
    expect(await signsIn(username, 'a new phrase')).toBe(201)
    const here = another({ signIns: { max: 1, windowMs: 60_000 } })
    const attempt = () => here.call('PUT /v1/me/password', { token, body })
    expect((await attempt()).body.error).toMatchObject({ code: 'invalid_credentials', field: 'current' })
    expect((await attempt()).status).toBe(429)
  })

  test('may be set without another after reauthentication only', async () => {
    const { body } = await call('POST /v1/users', { body: { email: await codeFor('bare@example.org', 'register') } })
    const set = () => call('PUT /v1/me/password', { token: body.accessToken, body: { password: 'a first phrase' } })
    await makeStale(body.session)
    expect((await set()).body.error.code).toBe('reauthentication_required')
    await store.chat.pool.query('UPDATE sessions SET proved_at = now() WHERE id = $1', [body.session])
    expect((await set()).status).toBe(204)
  })
})

describe('the own address', () => {
  test('is changed by a code to the new one', async () => {
    const { token, email, session } = await person('mover')
    const body = { email: 'moved@example.org' }
    const asked = await call('POST /v1/me/email', { token, body })
    expect(asked.status).toBe(202)
    const shown = { request: asked.body.request, code: await mailedCode('moved@example.org') }
    const nobody = await call('PUT /v1/me/email', { token: (await person('other')).token, body: shown })
    expect(nobody.body.error.code).toBe('code_invalid')
    expect((await call('PUT /v1/me/email', { token, body: shown })).status).toBe(204)
    expect((await api.mails()).at(-1)).toMatchObject({
      to: email,
      mail: { template: 'security-notice', kind: 'email_changed' },
    })
    expect([await signsIn(email, password), await signsIn('moved@example.org', password)]).toEqual([401, 201])
    await makeStale(session)
    expect((await call('POST /v1/me/email', { token, body })).body.error.code).toBe('reauthentication_required')
    expect((await call('DELETE /v1/me/email', { token })).body.error.code).toBe('reauthentication_required')
  })

  test('that another has verified is refused only to whoever verifies it too', async () => {
    const one = await person('rival')
    const asked = await call('POST /v1/me/email', { token: one.token, body: { email: 'prize@example.org' } })
    const shown = { request: asked.body.request, code: await mailedCode('prize@example.org') }
    await person('prize')
    const late = await call('PUT /v1/me/email', { token: one.token, body: shown })
    expect(late.status).toBe(409)
    expect(late.body.error.code).toBe('email_taken')
  })

  test('is removed, unless nothing else lets the person in', async () => {
    const { token } = await person('remover')
    expect((await call('DELETE /v1/me/email', { token })).status).toBe(204)
    const { body } = await call('POST /v1/users', { body: { email: await codeFor('only@example.org', 'register') } })
    const last = await call('DELETE /v1/me/email', { token: body.accessToken })
    expect(last.status).toBe(409)
    expect(last.body.error.code).toBe('last_sign_in_method')
  })
})

test('the username is changed, and not too often', async () => {
  const { token } = await api.register('original')
  const take = (username: string, here = api) => here.call('PUT /v1/me/username', { token, body: { username } })
  const answer = await take('renamed')
  expect(answer.status).toBe(200)
  expect(answer.body.username).toBe('renamed')
  expect((await call('POST /v1/users', { body: { username: 'original' } })).body.error.code).toBe('username_taken')
  await api.register('another-original')
  expect((await take('Another-Original')).body.error.code).toBe('username_taken')
  expect((await take('no name')).body.error).toMatchObject({ code: 'field_invalid', field: 'username' })
  const here = another({ usernameChanges: { max: 1, windowMs: 60_000 } })
  expect((await take('renamed-2', here)).status).toBe(200)
  expect((await take('renamed-3', here)).status).toBe(429)
})

test.each([
  'PUT /v1/me/password',
  'POST /v1/me/email',
  'PUT /v1/me/email',
  'DELETE /v1/me/email',
  'PUT /v1/me/username',
])('%s is for the signed-in', async route => expect((await call(route)).status).toBe(401))

test('where no mail is sent, nothing that needs it is begun', async () => {
  const mute = createFixture({
    chat: { ...store.chat, settings: { ...store.chat.settings, mail: false } },
    keys: api.deps.keys,
  })
  onTestFinished(() => mute.app.close())
  const { token } = await mute.register('muted')
  const body = { email: 'a@example.org' }
  for (const answer of [
    await mute.call('POST /v1/codes', { body: { ...body, purpose: 'register' } }),
    await mute.call(`POST /v1/codes/${randomUUID()}/resend`),
    await mute.call('POST /v1/me/email', { token, body }),
  ])
    expect(answer.body.error.code).toBe('mail_disabled')
})

describe('whoever is only told to come back', () => {
  /** The queue of passwords is full, as in a burst of sign-ins. */
  async function whileFull(work: () => Promise<void>): Promise<void> {
    const places: { leave(): void }[] = []
    const { passwordHashesMax, passwordQueueMax } = store.chat.settings
    for (let taken = 0; taken < passwordHashesMax + passwordQueueMax; taken++) places.push(store.chat.passwords.enter())
    await work().finally(() => {
      for (const place of places) place.leave()
    })
  }

  /** Told to come back more often than there are tries, then let in. */
  async function patiently(attempt: () => ReturnType<typeof call>, status: number): Promise<void> {
    await whileFull(async () => {
      for (let time = 0; time < 20; time++) {
        const answer = await attempt()
        expect(answer).toMatchObject({ status: 503, body: { error: { code: 'overloaded' } } })
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
      }
    })
    expect((await attempt()).status).toBe(status)
  }

  test('has used up no try of a sign-in', async () => {
    const { username } = await api.register('patient')
    await patiently(() => call('POST /v1/sessions', { body: { username, password } }), 201)
  })

  test('nor of a second step', async () => {
    const { id, email } = await person('patient-2')
    await store.chat.pool.query('UPDATE users SET mail_factor = true WHERE id = $1', [id])
    const first = await call('POST /v1/sessions/with-code', { body: await codeFor(email, 'sign-in') })
    const { challenge } = first.body.secondFactor
    const body = { challenge, factor: 'password', password }
    await patiently(() => call('POST /v1/sessions/second-factor', { body }), 201)
  })

  test('nor of reauthentication, or of a change', async () => {
    const { token } = await api.register('patient-3')
    await patiently(
      () => call('POST /v1/sessions/current/reauthentication', { token, body: { factor: 'password', password } }),
      204,
    )
    const body = { current: password, password: 'a new phrase' }
    await patiently(() => call('PUT /v1/me/password', { token, body }), 204)
  })

  test('nor of a code', async () => {
    const email = 'patient-4@example.org'
    const registration = { password, email: await codeFor(email, 'register') }
    await patiently(() => call('POST /v1/users', { body: registration }), 201)
    const reset = { ...(await codeFor(email, 'reset-password')), password: 'something else entirely' }
    await patiently(() => call('POST /v1/password-resets', { body: reset }), 201)
  })

  test('nor of registering', async () => {
    const here = another({ registrations: { max: 1, windowMs: 60_000 } })
    await patiently(() => here.call('POST /v1/users', { body: { username: 'patient-5', password } }), 201)
  })
})

describe('tries at a password', () => {
  type Attempt<T> = (more?: T) => ReturnType<typeof call>
  /**
   * What one is answered right after another that has to wait. On a machine that stood still in between, that was waited for
   * and it is tried again; of what has tries of its own, three would be answered otherwise.
   */
  async function rightAfter<T>(attempt: Attempt<T>, more: T) {
    for (let left = 2; ; left--) {
      await until(async () => (await attempt()).status === 429, { what: 'there is no turn', everyMs: 0 })
      const answer = await attempt(more)
      if (answer.status === 429 || left === 0) return answer
    }
  }

  test('count by the account, whichever of its names is written, and no answer tells that', async () => {
    const one = await person('two-names')
    const other = await person('other-names')
    const here = another({ signIns: { max: 2, windowMs: 60_000 } })
    const attempt = (username: string, secret = 'not the password') =>
      here.call('POST /v1/sessions', { body: { username, password: secret } })
    for (const expected of [401, 401, 429]) expect((await attempt(one.username)).status).toBe(expected)
    // The right one counts as wrong: there are no more tries for whoever has used them under another name.
    const right = await attempt(one.email, password)
    const wrong = await attempt(other.email)
    const unknown = await attempt('nobody@example.org')
    expect(right.status).toBe(401)
    expect([right.body, wrong.body]).toEqual([unknown.body, unknown.body])
    const shared = await here.call('PUT /v1/me/password', { token: one.token, body: { password: 'a new phrase' } })
    expect(shared.body.error.code).toBe('rate_limited')
    const body = { factor: 'password', password }
    const again = await here.call('POST /v1/sessions/current/reauthentication', { token: one.token, body })
    expect(again.body.error.code).toBe('rate_limited')
  })

  test('come to an end from wherever they come, known or not, and spare a device that has signed in before', async () => {
    const one = await person('guessed-at')
    const guesses = { max: 4, windowMs: 600_000, waitMsMax: 60_000 }
    const here = another({ signIns: { max: 3, windowMs: 600_000 }, guesses })
    const known = await here.call('POST /v1/sessions', { body: { username: one.username, password } })
    expect(known.status).toBe(201)
    let addresses = 0
    const attempt = (username: string, more: object = {}) =>
      here.call('POST /v1/sessions', {
        body: { username, password: 'not the password', ...more },
        address: `192.0.2.${++addresses}`,
      })
    for (const username of [one.username, one.email, 'no-such-guess', 'nobody@example.org']) {
      // Four are free, the fifth has the first turn; then everybody waits for it.
      for (let turn = 0; turn < 5; turn++) expect((await attempt(username)).status).toBe(401)
      const refused = await rightAfter(more => attempt(username, more), { password })
      expect(refused.body.error).toMatchObject({ code: 'rate_limited', retryMs: expect.any(Number) })
      expect(refused.body.error.retryMs).toBeLessThanOrEqual(guesses.waitMsMax)
    }
    const device = known.body.device as string
    const mine = await attempt(one.username, { password, device })
    expect([mine.status, (await attempt(one.email, { password, device })).status]).toEqual([201, 201])
    // It is worth nothing for another name, nor one that nobody signed.
    const forged = { password, device: `${device.slice(0, -4)}AAAA` }
    expect((await rightAfter(more => attempt('no-such-guess', more), { device })).status).toBe(429)
    expect((await rightAfter(more => attempt(one.username, more), forged)).status).toBe(429)
    // Its own guesses have their end too.
    for (let turn = 0; turn < 5; turn++) expect((await attempt(one.username, { device })).status).toBe(401)
    expect((await rightAfter(() => attempt(one.username, { device }), undefined)).status).toBe(429)
  })

  test('that are right are no guesses', async () => {
    const { username } = await api.register('often-here')
    const here = another({ signIns: many, guesses: { max: 1, windowMs: 600_000, waitMsMax: 60_000 } })
    const attempt = (secret = 'not the password') =>
      here.call('POST /v1/sessions', { body: { username, password: secret } })
    for (let turn = 0; turn < 4; turn++) expect((await attempt(password)).status).toBe(201)
    expect((await attempt()).status).toBe(401)
    expect((await attempt()).status).toBe(401)
    expect((await rightAfter(attempt, password)).status).toBe(429)
  })

  test('are told to the owner by mail, once', async () => {
    const { username, email } = await person('surrounded')
    const here = another({ signIns: many })
    const told = async () =>
      (await api.mails()).flatMap(({ to, mail }) =>
        to === email && mail.template === 'security-notice' ? [mail.kind] : [],
      )
    for (let turn = 0; turn < 15; turn++)
      await here.call('POST /v1/sessions', { body: { username, password: 'not the password' } })
    await expect.poll(told, { timeout: 20_000 }).toEqual(['sign_in_failed'])
    // Who was right in the end may have been somebody else.
    expect((await here.call('POST /v1/sessions', { body: { username, password } })).status).toBe(201)
    expect(await told()).toEqual(['sign_in_failed', 'signed_in'])
  })

  test('are counted under no name and no address of mail', async () => {
    const keys: string[] = []
    const hit = async (key: string) => void keys.push(key)
    const here = createFixture({ chat: store.chat, node: { nodes: () => [], hit } })
    onTestFinished(() => here.app.close())
    for (const username of ['whispered', 'whispered@example.org'])
      await here.call('POST /v1/sessions', { body: { username, password } })
    expect(keys.filter(key => key.startsWith('api:sign-in:'))).toHaveLength(2)
    expect(keys.filter(key => key.includes('whispered'))).toEqual([])
  })

  test('a wrong current one is in the trail', async () => {
    const { token } = await api.register('intruded')
    const body = { current: 'not the password', password: 'a new phrase' }
    expect((await call('PUT /v1/me/password', { token, body })).body.error.code).toBe('invalid_credentials')
    const { events } = (await call('GET /v1/me/security-events', { token })).body
    expect(events[0]).toMatchObject({ kind: 'second_factor_failed', detail: { factor: 'password', at: 'password' } })
  })
})

afterAll(() => {
  const mine = /\/codes|POST \/v1\/users$|\/password|\/me\/email$|\/me\/username|with-code/
  expect(api.unanswered().filter(route => mine.test(route))).toEqual([])
})
