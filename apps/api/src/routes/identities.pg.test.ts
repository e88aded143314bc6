import { operators } from '@flotilla/chat'
import { testDatabase } from '@flotilla/testing'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createFixture, type Fixture, openChat, type Person, type TestChat } from '../api.testbed.ts'
import {
  type Begun,
  Browser,
  createProviderUsers,
  type Home,
  type OpenIdBed,
  publicUrl,
  returnTo,
  returnUrls,
  startOpenId,
} from '../sign-in/providers.testbed.ts'

let store: TestChat
let one: OpenIdBed
let other: OpenIdBed
let doubted: OpenIdBed
let api: Fixture
let call: Fixture['call']
let providerUsers: ReturnType<typeof createProviderUsers>
let turn = 0

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  one = await startOpenId('one')
  other = await startOpenId('other')
  doubted = await startOpenId('doubted', { trustEmail: false })
  const settings = {
    publicUrl,
    returnUrls,
    providers: [one.settings, other.settings, doubted.settings],
    providerSignIns: { max: 1_000, windowMs: 60_000 },
    registrations: { max: 1_000, windowMs: 60_000 },
    requestsMax: 10_000,
    // A busy machine is no reason to fail.
    eventLoopDelayMsMax: 60_000,
  }
  api = createFixture({ chat: store.chat, settings })
  call = api.call
  providerUsers = createProviderUsers(api)
  return async () => {
    await api.app.close()
    await Promise.all([one, other, doubted].map(bed => bed.server.stop()))
    await store.close()
    await database.drop()
  }
})

beforeEach(() => {
  turn++
  for (const bed of [one, other, doubted]) bed.person = { sub: `person-${turn}`, name: `Person ${turn}` }
})

const sql = async <T extends object>(text: string, values: unknown[] = []): Promise<T[]> =>
  (await store.chat.pool.query<T>(text, values)).rows
const setEmail = (user: string, email: string) => sql('UPDATE users SET email = $2 WHERE id = $1', [user, email])
const emailOf = async (user: string) =>
  (await sql<{ email: string }>('SELECT email FROM users WHERE id = $1', [user]))[0]?.email
const events = async (user: string) =>
  (await sql<{ kind: string }>('SELECT kind FROM security_events WHERE user_id = $1 ORDER BY id', [user])).map(
    row => row.kind,
  )
const unprove = (session: string) =>
  sql("UPDATE sessions SET proved_at = now() - interval '1 hour' WHERE id = $1", [session])

/** A person with an address that they have verified here. */
async function local(email = `local-${turn}@example.org`): Promise<Person> {
  const person = await api.register(`local-${turn}`)
  await setEmail(person.id, email)
  return person
}

/** The other side vouches for this address. */
const vouch = (bed: OpenIdBed, email: string, verified: unknown) =>
  Object.assign(bed.person, { email, email_verified: verified })

const beginOf = async (person: Person, provider: string, reauthenticate?: boolean): Promise<Begun> => {
  const body = { provider, returnTo, ...(reauthenticate === undefined ? {} : { reauthenticate }) }
  const answer = await call('POST /v1/me/identities/authorizations', { token: person.token, body })
  expect(answer.status).toBe(201)
  return answer.body
}
const linkWith = (person: Person, home: Home, begun: Begun) =>
  call('POST /v1/me/identities', { token: person.token, body: { grant: home.grant, secret: begun.secret } })

async function linked(person: Person, provider: string) {
  const begun = await beginOf(person, provider)
  return linkWith(person, await new Browser(api).go(begun), begun)
}
const identitiesOf = async (person: Person) =>
  (await call('GET /v1/me/identities', { token: person.token })).body.identities.map(
    (identity: { provider: string }) => identity.provider,
  )

describe('an identity that is not known', () => {
  test('joins the account with the same address when both sides have had it verified', async () => {
    const ada = await local(`Ada-${turn}@Example.org`)
    vouch(one, `ada-${turn}@example.org`, true)
    const { status, body } = await providerUsers.signIn('one')
    expect(status).toBe(201)
    expect(body.user.id).toBe(ada.id)
    expect(await identitiesOf(ada)).toEqual(['one'])
    expect(await events(ada.id)).toEqual(['registered', 'identity_linked', 'signed_in'])
    // By the identity from now on, whatever becomes of the address.
    vouch(one, 'another@example.org', true)
    expect((await providerUsers.signIn('one')).body.user.id).toBe(ada.id)
    expect(await emailOf(ada.id)).toBe(`Ada-${turn}@Example.org`)
  })

  test.each<[string, () => OpenIdBed, unknown]>([
    ['it is not verified there', () => one, false],
    ['nothing is said about it', () => one, undefined],
    ['"true" is only a text', () => one, 'true'],
    ['the operator does not believe the provider', () => doubted, true],
  ])('does not join by an address when %s, and nobody learns that it is known here', async (_name, bed, verified) => {
    const email = `local-${turn}@example.org`
    vouch(bed(), email, verified)
    const unknown = await providerUsers.signIn(bed().settings.name)
    const ada = await local()
    bed().person['sub'] = `second-${turn}`
    const known = await providerUsers.signIn(bed().settings.name)
    expect([unknown.status, known.status]).toEqual([201, 201])
    expect(Object.keys(known.body)).toEqual(Object.keys(unknown.body))
    for (const { body } of [unknown, known]) {
      expect(body.user.id).not.toBe(ada.id)
      expect(await emailOf(body.user.id)).toBeNull()
    }
    expect(await identitiesOf(ada)).toEqual([])
  })

  test('does not join by an address that only looks the same', async () => {
    const ada = await local(`mike-${turn}@example.org`)
    vouch(one, `mi\u212Ae-${turn}@example.org`, true)
    const { body } = await providerUsers.signIn('one')
    expect(body.user.id).not.toBe(ada.id)
    expect(await emailOf(body.user.id)).toBeNull()
  })

  test('does not take the place of another of its provider', async () => {
    const ada = await local()
    vouch(one, `local-${turn}@example.org`, true)
    await providerUsers.signIn('one')
    one.person['sub'] = `second-${turn}`
    const refused = await providerUsers.signIn('one')
    expect(refused.status).toBe(409)
    expect(refused.body.error.code).toBe('identity_taken')
    expect(await identitiesOf(ada)).toEqual(['one'])
  })

  test('makes an account with the address that is vouched for', async () => {
    vouch(one, `new-${turn}@example.org`, true)
    Object.assign(one.person, { preferred_username: `new-${turn}`, name: 'New\u0000 Person' })
    const { body } = await providerUsers.signIn('one')
    expect(body.user).toMatchObject({ username: `new-${turn}`, displayName: 'New Person' })
    expect(await emailOf(body.user.id)).toBe(`new-${turn}@example.org`)
    expect(await events(body.user.id)).toEqual(['registered', 'signed_in'])
    const me = await call('GET /v1/me/identities', { token: body.accessToken })
    expect(me.body.identities).toEqual([
      {
        provider: 'one',
        name: `new-${turn}`,
        email: `new-${turn}@example.org`,
        linkedAt: expect.any(Number),
        usedAt: expect.any(Number),
      },
    ])
  })

  test('gets another username when its own is taken', async () => {
    one.person['preferred_username'] = `same-${turn}`
    other.person['preferred_username'] = `same-${turn}`
    const first = (await providerUsers.signIn('one')).body.user
    const second = (await providerUsers.signIn('other')).body.user
    expect(first.username).toBe(`same-${turn}`)
    expect(second.username).toMatch(new RegExp(`^same-${turn}\\d{4,6}$`))
    expect(second.id).not.toBe(first.id)
  })

  test('with the same subject at two issuers is two people', async () => {
    const [first, second] = [await providerUsers.signIn('one'), await providerUsers.signIn('other')]
    expect(first.body.user.id).not.toBe(second.body.user.id)
  })

  test('that comes twice at once makes one account', async () => {
    vouch(one, `race-${turn}@example.org`, true)
    const ready = []
    for (let authorization = 0; authorization < 4; authorization++) {
      const begun = await providerUsers.begin('one')
      ready.push({ begun, home: await new Browser(api).go(begun) })
    }
    const answers = await Promise.all(ready.map(({ begun, home }) => providerUsers.redeem(home, begun)))
    expect(answers.map(answer => answer.status)).toEqual([201, 201, 201, 201])
    expect(new Set(answers.map(answer => answer.body.user.id)).size).toBe(1)
  })

  test('and another with the same address at once are one person', async () => {
    for (const bed of [one, other]) vouch(bed, `race-${turn}@example.org`, true)
    const ready = []
    for (const provider of ['one', 'other']) {
      const begun = await providerUsers.begin(provider)
      ready.push({ begun, home: await new Browser(api).go(begun) })
    }
    const answers = await Promise.all(ready.map(({ begun, home }) => providerUsers.redeem(home, begun)))
    expect(answers.map(answer => answer.status)).toEqual([201, 201])
    expect(answers[0]?.body.user.id).toBe(answers[1]?.body.user.id)
  })
})

test('an erased account is found neither by its identity nor by its address', async () => {
  vouch(one, `gone-${turn}@example.org`, true)
  const gone = (await providerUsers.signIn('one')).body.user.id
  await sql('UPDATE users SET erased_at = now(), email = NULL WHERE id = $1', [gone])
  const again = (await providerUsers.signIn('one')).body.user.id
  expect(again).not.toBe(gone)
  expect((await providerUsers.signIn('one')).body.user.id).toBe(again)
})

test('nobody comes back by an identity or an address of a banned person whose account was erased', async () => {
  const email = `banned-${turn}@example.org`
  vouch(one, email, true)
  const banned = (await providerUsers.signIn('one')).body.user.id
  await operators.ban(store.chat, { program: 'test' }, { user: banned, reason: 'Threats' })
  expect((await providerUsers.signIn('one')).body.error.code).toBe('account_suspended')
  await sql('UPDATE users SET erased_at = now(), email = NULL WHERE id = $1', [banned])
  expect((await providerUsers.signIn('one')).body.error.code).toBe('identity_taken')
  // The same address, vouched for elsewhere.
  vouch(other, email, true)
  expect((await providerUsers.signIn('other')).body.error.code).toBe('identity_taken')
  await operators.lift(store.chat, { program: 'test' }, { user: banned, reason: 'Enough' })
  expect((await providerUsers.signIn('one')).status).toBe(201)
})

test('an identity does not go around the second factor', async () => {
  const ada = await local()
  await sql('UPDATE users SET mail_factor = true WHERE id = $1', [ada.id])
  vouch(one, `local-${turn}@example.org`, true)
  const { status, body } = await providerUsers.signIn('one')
  expect(status).toBe(200)
  expect(body.secondFactor.factors).toContain('email_code')
  expect(body.accessToken).toBeUndefined()
})

test('an identity joins by its address only once the second factor of the account was shown', async () => {
  const ada = await local()
  await sql('UPDATE users SET mail_factor = true WHERE id = $1', [ada.id])
  vouch(one, `local-${turn}@example.org`, true)
  const { challenge } = (await providerUsers.signIn('one')).body.secondFactor
  expect(await identitiesOf(ada)).toEqual([])
  const finish = (code: string) =>
    call('POST /v1/sessions/second-factor', { body: { challenge, factor: 'email_code', code } })
  await call('POST /v1/sessions/second-factor/code', { body: { challenge } })
  const mail = (await api.mails()).findLast(sent => sent.to === `local-${turn}@example.org`)?.mail
  const right = mail?.template === 'code' ? mail.code : ''
  expect((await finish(right === '111111' ? '222222' : '111111')).body.error.code).toBe('second_factor_invalid')
  expect(await identitiesOf(ada)).toEqual([])
  const { status, body } = await finish(right)
  expect([status, body.user.id]).toEqual([201, ada.id])
  expect(await identitiesOf(ada)).toEqual(['one'])
  expect(await events(ada.id)).toEqual(['registered', 'second_factor_failed', 'identity_linked', 'signed_in'])
  const sealed = await sql<{ data: object }>("SELECT data FROM challenges WHERE kind = 'second-factor'")
  expect(JSON.stringify(sealed)).not.toContain(`local-${turn}@`)
})

describe('linking', () => {
  test('lets one sign in by it from then on, and is written down', async () => {
    const ada = await local()
    expect((await linked(ada, 'one')).status).toBe(204)
    expect((await linked(ada, 'other')).status).toBe(204)
    expect(await identitiesOf(ada)).toEqual(['one', 'other'])
    expect((await providerUsers.signIn('one')).body.user.id).toBe(ada.id)
    expect((await providerUsers.signIn('other')).body.user.id).toBe(ada.id)
    expect(await events(ada.id)).toContain('identity_linked')
    // Once more is no change.
    expect((await linked(ada, 'one')).status).toBe(204)
    expect((await events(ada.id)).filter(kind => kind === 'identity_linked')).toHaveLength(2)
  })

  test('asks for reauthentication', async () => {
    const ada = await local()
    await unprove(ada.session)
    const body = { provider: 'one', returnTo }
    const refused = await call('POST /v1/me/identities/authorizations', { token: ada.token, body })
    expect(refused.body.error.code).toBe('reauthentication_required')
  })

  test('somebody lured through another’s authorization links nothing to them', async () => {
    const mallory = await local()
    const begun = await beginOf(mallory, 'one')
    // The victim opens mallory's URL, is signed in at the provider, and comes home with the grant.
    const victim = await api.register(`victim-${turn}`)
    const home = await new Browser(api).go(begun)
    expect((await linkWith(victim, home, begun)).body.error.code).toBe('authorization_failed')
    expect((await providerUsers.redeem(home, begun)).body.error.code).toBe('authorization_failed')
    expect(await identitiesOf(mallory)).toEqual([])
  })

  test('is for the session that began it', async () => {
    const ada = await local()
    const again = await call('POST /v1/sessions', {
      body: { username: ada.username, password: 'correct horse battery staple' },
    })
    const begun = await beginOf(ada, 'one')
    const home = await new Browser(api).go(begun)
    const elsewhere = { ...ada, token: again.body.accessToken }
    expect((await linkWith(elsewhere, home, begun)).body.error.code).toBe('authorization_failed')
    expect((await linkWith(ada, home, begun)).status).toBe(204)
  })

  test('an authorization to sign in links nothing', async () => {
    const ada = await local()
    const begun = await providerUsers.begin('one')
    const home = await new Browser(api).go(begun)
    expect((await linkWith(ada, home, begun)).body.error.code).toBe('authorization_failed')
  })

  test('of another’s identity is refused', async () => {
    const owner = (await providerUsers.signIn('one')).body
    const ada = await local()
    const refused = await linked(ada, 'one')
    expect(refused.status).toBe(409)
    expect(refused.body.error.code).toBe('identity_taken')
    expect((await providerUsers.signIn('one')).body.user.id).toBe(owner.user.id)
  })

  test('of a second identity of one provider is refused', async () => {
    const ada = await local()
    await linked(ada, 'one')
    one.person['sub'] = `second-${turn}`
    expect((await linked(ada, 'one')).body.error.code).toBe('limit_reached')
  })

  test('one identity to two accounts at once leaves it with one of them', async () => {
    const people = [await api.register(`left-${turn}`), await api.register(`right-${turn}`)]
    const ready = []
    for (const person of people) {
      const begun = await beginOf(person, 'one')
      ready.push({ person, begun, home: await new Browser(api).go(begun) })
    }
    const answers = await Promise.all(ready.map(({ person, begun, home }) => linkWith(person, home, begun)))
    expect(answers.map(answer => answer.status).sort((low, high) => low - high)).toEqual([204, 409])
  })
})

describe('unlinking', () => {
  const unlink = (token: string, provider: string) => call(`DELETE /v1/me/identities/${provider}`, { token })

  test('takes the identity away, and the next authorization makes somebody else', async () => {
    const ada = await local()
    await linked(ada, 'one')
    expect((await unlink(ada.token, 'one')).status).toBe(204)
    expect(await identitiesOf(ada)).toEqual([])
    expect(await events(ada.id)).toContain('identity_unlinked')
    expect((await providerUsers.signIn('one')).body.user.id).not.toBe(ada.id)
    expect((await unlink(ada.token, 'one')).body.error.code).toBe('identity_unknown')
  })

  test('asks for reauthentication', async () => {
    const ada = await local()
    await linked(ada, 'one')
    await unprove(ada.session)
    expect((await unlink(ada.token, 'one')).body.error.code).toBe('reauthentication_required')
    expect(await identitiesOf(ada)).toEqual(['one'])
  })

  test('leaves nobody outside, also when two go at once', async () => {
    const { body } = await providerUsers.signIn('one')
    const ada = { ...body.user, token: body.accessToken, session: body.session }
    const last = await unlink(ada.token, 'one')
    expect(last.status).toBe(409)
    expect(last.body.error.code).toBe('last_sign_in_method')
    await linked(ada, 'other')
    const both = await Promise.all([unlink(ada.token, 'one'), unlink(ada.token, 'other')])
    expect(both.map(answer => answer.status).sort((low, high) => low - high)).toEqual([204, 409])
    expect(await identitiesOf(ada)).toHaveLength(1)
  })
})

describe('an authorization as reauthentication', () => {
  const reauthenticateWith = (person: Person, home: Home, begun: Begun) =>
    call('POST /v1/sessions/current/reauthentication/with-provider', {
      token: person.token,
      body: { grant: home.grant, secret: begun.secret },
    })
  let ada: Person
  beforeEach(async () => {
    ada = await local()
    await linked(ada, 'one')
    await unprove(ada.session)
  })
  const isFresh = async () =>
    (await call('POST /v1/me/identities/authorizations', { token: ada.token, body: { provider: 'one', returnTo } }))
      .status === 201

  test('is one for who is linked, and asks the provider to let them sign in anew', async () => {
    const begun = await beginOf(ada, 'one', true)
    const browser = new Browser(api)
    const away = await browser.get(begun.url)
    expect(new URL(String(away.headers['location'])).searchParams.get('max_age')).toBe('0')
    one.person['auth_time'] = Math.floor(Date.now() / 1000)
    expect(await isFresh()).toBe(false)
    expect((await reauthenticateWith(ada, await browser.go(begun), begun)).status).toBe(204)
    expect(await isFresh()).toBe(true)
  })

  test('is none when the provider says that they signed in there before', async () => {
    one.person['auth_time'] = Math.floor(Date.now() / 1000) - 3_600
    const home = await new Browser(api).go(await beginOf(ada, 'one', true))
    expect(home).toMatchObject({ error: 'authorization_failed', grant: '' })
  })

  test('is none for anybody else’s identity, nor for an authorization to do something else', async () => {
    one.person['sub'] = `somebody-else-${turn}`
    const begun = await beginOf(ada, 'one', true)
    expect((await reauthenticateWith(ada, await new Browser(api).go(begun), begun)).body.error.code).toBe(
      'authorization_failed',
    )
    const toSignIn = await providerUsers.begin('one')
    const home = await new Browser(api).go(toSignIn)
    expect((await reauthenticateWith(ada, home, toSignIn)).body.error.code).toBe('authorization_failed')
    const toReauthenticate = await beginOf(ada, 'one', true)
    const foreign = await new Browser(api).go(toReauthenticate)
    expect((await linkWith(ada, foreign, toReauthenticate)).body.error.code).toBe('authorization_failed')
    expect(await isFresh()).toBe(false)
  })
})
