import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { testDatabase, watchAwake } from '@flotilla/testing'
import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createFixture, type Fixture, openChat, type TestChat } from '../api.testbed.ts'
import {
  type Begun,
  Browser,
  type Claims,
  createProviderUsers,
  type GitHubBed,
  homeOf,
  type OpenIdBed,
  publicUrl,
  returnTo,
  returnUrls,
  startGitHub,
  startOpenId,
} from '../sign-in/providers.testbed.ts'

let store: TestChat
let one: OpenIdBed
let other: OpenIdBed
let hub: GitHubBed
let api: Fixture
let providerUsers: ReturnType<typeof createProviderUsers>
let people = 0

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  one = await startOpenId('one')
  other = await startOpenId('other')
  hub = await startGitHub()
  return async () => {
    await Promise.all([one.server.stop(), other.server.stop(), hub.stop()])
    await store.close()
    await database.drop()
  }
})

/** An API of its own for each test: what was discovered is not known yet. */
function open(settings: Parameters<typeof createFixture>[0] = {}): Fixture {
  const made = createFixture({
    chat: store.chat,
    ...settings,
    settings: {
      publicUrl,
      returnUrls,
      providers: [one.settings, other.settings, hub.settings],
      providerMsMax: 2_000,
      providerSignIns: { max: 1_000, windowMs: 60_000 },
      requestsMax: 10_000,
      // A busy machine is no reason to fail.
      eventLoopDelayMsMax: 60_000,
      ...settings.settings,
    },
  })
  onTestFinished(() => made.app.close())
  return made
}

beforeEach(() => {
  people++
  for (const bed of [one, other]) {
    bed.person = { sub: `person-${people}` }
    bed.tamper = () => {}
    bed.metadata = {}
  }
  hub.person = { id: people, login: `octocat-${people}`, name: null }
  hub.emails = []
  api = open()
  providerUsers = createProviderUsers(api)
})

const count = async (what: string) =>
  (await store.chat.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${what}`)).rows[0]!.n

describe('an authorization at an OpenID Connect provider', () => {
  test('signs in, with an account that is made at the first time and found at the second', async () => {
    one.person = { ...one.person, preferred_username: `Ada.L-${people}`, name: 'Ada Lovelace' }
    const first = await providerUsers.signIn('one')
    expect(first.status).toBe(201)
    expect(first.body.user).toMatchObject({ username: `ada.l-${people}`, displayName: 'Ada Lovelace' })
    expect((await api.call('GET /v1/me', { token: first.body.accessToken })).status).toBe(200)
    one.person = { ...one.person, preferred_username: 'somebody-else', name: 'Countess' }
    const second = await providerUsers.signIn('one')
    expect(second.body.user.id).toBe(first.body.user.id)
    expect(second.body.session).not.toBe(first.body.session)
  })

  test.each([
    ['ahead', 600_000],
    ['behind', -600_000],
  ])('signs in on a machine whose clock is ten minutes %s', async (_, byMs) => {
    const now = Date.now()
    vi.useFakeTimers({ toFake: ['Date'], now: now + byMs })
    onTestFinished(() => void vi.useRealTimers())
    // The provider has the true time, and its tokens are good for three minutes.
    const seconds = Math.floor(now / 1_000)
    one.person = { ...one.person, iat: seconds, nbf: seconds, exp: seconds + 180 }
    expect((await providerUsers.signIn('one')).status).toBe(201)
  })

  test('leads the browser by a cookie that scripts cannot read, and home with the grant in the fragment', async () => {
    const here = open({ settings: { cookieSecure: true } })
    const begun = await createProviderUsers(here).begin('one')
    expect(begun.url).toMatch(/^http:\/\/api\.test\/v1\/providers\/one\/authorizations\/[0-9a-f-]{36}$/)
    const browser = new Browser(here)
    const away = await browser.get(begun.url)
    const to = new URL(String(away.headers['location']))
    expect(to.origin).toBe(one.settings.issuer)
    expect(Object.fromEntries(to.searchParams)).toMatchObject({
      response_type: 'code',
      client_id: one.settings.clientId,
      redirect_uri: `${publicUrl}/v1/providers/one/callback`,
      code_challenge_method: 'S256',
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      scope: 'openid profile email',
    })
    expect(away.cookies).toEqual([
      expect.objectContaining({ httpOnly: true, sameSite: 'Lax', secure: true, path: '/v1/providers', maxAge: 600 }),
    ])
    const back = await browser.get(await browser.visit(begun))
    expect(String(back.headers['location'])).toMatch(/^https:\/\/app\.test\/signed-in#grant=[\w.-]{80}$/)
    expect(back.headers['cache-control']).toBe('no-store')
    expect(browser.cookies.size).toBe(0)
  })

  test('keeps its secrets as hashes or sealed', async () => {
    const begun = await providerUsers.begin('one')
    const browser = new Browser(api)
    const back = new URL(await browser.visit(begun))
    const kept = JSON.stringify((await store.chat.pool.query('SELECT * FROM challenges')).rows)
    const state = back.searchParams.get('state')?.split('.')[1] ?? ''
    const [cookie = ''] = browser.cookies.values()
    for (const known of [begun.secret, state, cookie]) {
      expect(known).toHaveLength(43)
      expect(kept).not.toContain(known)
    }
    const { grant } = homeOf(await browser.get(back.href))
    const later = JSON.stringify((await store.chat.pool.query('SELECT * FROM challenges')).rows)
    expect(later).toContain(grant.split('.')[0])
    expect(later).not.toContain(grant.split('.')[1])
    expect(later).not.toContain(`person-${people}`)
  })

  test('can be made twice at once by one browser', async () => {
    const browser = new Browser(api)
    const [first, second] = [await providerUsers.begin('one'), await providerUsers.begin('one')]
    const [backFirst, backSecond] = [await browser.visit(first), await browser.visit(second)]
    expect((await providerUsers.redeem(homeOf(await browser.get(backFirst)), first)).status).toBe(201)
    expect((await providerUsers.redeem(homeOf(await browser.get(backSecond)), second)).status).toBe(201)
  })

  test('leads home into an app by its own scheme', async () => {
    const body = { returnTo: 'org.example.app:/signed-in' }
    const begun = (await api.call('POST /v1/providers/one/authorizations', { body })).body
    const home = await new Browser(api).go(begun)
    expect(home.place).toBe('org.example.app:/signed-in')
    expect((await providerUsers.redeem(home, begun)).status).toBe(201)
  })

  test('is refused by who was asked, and says so where it began', async () => {
    const browser = new Browser(api)
    const back = new URL(await browser.visit(await providerUsers.begin('one')))
    back.searchParams.delete('code')
    back.searchParams.set('error', 'access_denied')
    const home = homeOf(await browser.get(back.href))
    expect(home).toMatchObject({ place: returnTo, error: 'authorization_failed', grant: '' })
  })

  test('shows our secret in the header, or in the body where the provider wants it there', async () => {
    const asked: { authorization: unknown; body: Claims }[] = []
    const listen = (_answer: unknown, request: { headers: Claims; body: Claims }) =>
      asked.push({ authorization: request.headers['authorization'], body: request.body })
    one.server.service.on('beforeResponse', listen)
    onTestFinished(() => void one.server.service.off('beforeResponse', listen))
    expect((await providerUsers.signIn('one')).status).toBe(201)
    one.metadata = { token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'] }
    const here = open()
    expect((await createProviderUsers(here).signIn('one')).status).toBe(201)
    const { clientId, clientSecret } = one.settings
    expect(asked[0]?.authorization).toMatch(/^Basic /)
    expect(asked[0]?.body).not.toHaveProperty('client_secret')
    expect(asked[1]?.authorization).toBeUndefined()
    expect(asked[1]?.body).toMatchObject({ client_id: clientId, client_secret: clientSecret })
  })

  test('is limited by address', async () => {
    const here = open({ settings: { providerSignIns: { max: 1, windowMs: 60_000 } } })
    const begin = () => here.call('POST /v1/providers/one/authorizations', { body: { returnTo } })
    expect((await begin()).status).toBe(201)
    expect((await begin()).body.error.code).toBe('rate_limited')
  })
})

describe('what a provider says', () => {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const decode = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString()) as Claims
  /** The real token, taken apart and put together again. */
  const remade = (body: Claims, make: (header: Claims, claims: Claims) => string) => {
    const [header, claims] = String(body['id_token']).split('.')
    body['id_token'] = make(decode(header), decode(claims))
  }
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

  test.each<[string, (body: Claims) => void]>([
    ['another nonce', () => (one.person['nonce'] = 'another')],
    ['no nonce', () => (one.person['nonce'] = undefined)],
    ['another issuer', () => (one.person['iss'] = other.settings.issuer)],
    ['another audience', () => (one.person['aud'] = 'another-client')],
    [
      'several audiences, and another party',
      () => Object.assign(one.person, { aud: ['x', one.settings.clientId], azp: 'x' }),
    ],
    ['a time that is over', () => (one.person['exp'] = Math.floor(Date.now() / 1000) - 60)],
    ['a time to come', () => (one.person['nbf'] = Math.floor(Date.now() / 1000) + 3_600)],
    ['no end', () => (one.person['exp'] = undefined)],
    ['no subject', () => (one.person['sub'] = undefined)],
    ['an empty subject', () => (one.person['sub'] = '')],
    ['a subject of another kind', () => (one.person['sub'] = 7)],
    ['a subject that cannot be stored', () => (one.person['sub'] = 'a\u0000b')],
  ])('is not believed with %s in the ID token', async (_name, change) => {
    change({})
    const before = await count('users')
    const home = await new Browser(api).go(await providerUsers.begin('one'))
    expect(home).toMatchObject({ place: returnTo, error: 'provider_failed', grant: '' })
    expect(await count('users')).toBe(before)
  })

  test.each<[string, (header: Claims, claims: Claims) => string]>([
    ['no algorithm', (_header, claims) => `${encode({ alg: 'none' })}.${encode(claims)}.`],
    ['no signature', (header, claims) => `${encode(header)}.${encode(claims)}.`],
    [
      'a signature by the key of a stranger',
      (header, claims) => {
        const input = `${encode(header)}.${encode(claims)}`
        return `${input}.${sign('sha256', Buffer.from(input), stranger).toString('base64url')}`
      },
    ],
    [
      'a signature by the secret of the client',
      (header, claims) => {
        const input = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`
        return `${input}.${createHmac('sha256', one.settings.clientSecret).update(input).digest('base64url')}`
      },
    ],
    ['other claims than were signed', (header, claims) => `${encode(header)}.${encode({ ...claims, sub: 'x' })}.c2ln`],
  ])('is not believed with %s', async (_name, make) => {
    // Also where the provider says that it would do such things.
    one.metadata = { id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'] }
    one.tamper = body => remade(body, make)
    const home = await new Browser(api).go(await providerUsers.begin('one'))
    expect(home).toMatchObject({ error: 'provider_failed', grant: '' })
  })

  test('is not believed without an ID token', async () => {
    one.tamper = body => void delete body['id_token']
    expect((await new Browser(api).go(await providerUsers.begin('one'))).error).toBe('provider_failed')
  })

  test('names are asked for where the ID token has none', async () => {
    const asked: string[] = []
    one.server.service.once('beforeUserinfo', (answer: { body: Claims }, request: { headers: Claims }) => {
      asked.push(String(request.headers['authorization']))
      answer.body = { sub: one.person['sub'], preferred_username: `asked-${people}`, name: 'Asked' }
    })
    expect((await providerUsers.signIn('one')).body.user).toMatchObject({
      username: `asked-${people}`,
      displayName: 'Asked',
    })
    expect(asked).toEqual([expect.stringMatching(/^Bearer /)])
  })

  test('about somebody else is not believed', async () => {
    one.server.service.once('beforeUserinfo', (answer: { body: Claims }) => {
      answer.body = { sub: 'somebody-else', name: 'Mallory' }
    })
    expect((await new Browser(api).go(await providerUsers.begin('one'))).error).toBe('provider_failed')
  })
})

describe('an answer that belongs elsewhere', () => {
  test('a code of one provider is not taken to another', async () => {
    const browser = new Browser(api)
    const back = new URL(await browser.visit(await providerUsers.begin('one')))
    const foreign = new URL(await browser.visit(await providerUsers.begin('other')))
    back.searchParams.set('code', foreign.searchParams.get('code') ?? '')
    expect(homeOf(await browser.get(back.href)).grant).toBe('')
  })

  test('the state of one provider is worth nothing at the call-back of another', async () => {
    const browser = new Browser(api)
    const begun = await providerUsers.begin('one')
    const back = await browser.visit(begun)
    const mixed = await browser.get(back.replace('/providers/one/', '/providers/other/'))
    expect(mixed.status).toBe(401)
    expect(mixed.body.error.code).toBe('authorization_failed')
    // Nor does it end the authorization.
    expect(homeOf(await browser.get(back)).grant).not.toBe('')
  })

  test('an answer that names another issuer is refused before its code is taken anywhere', async () => {
    const asked: unknown[] = []
    const listen = () => asked.push(1)
    one.server.service.on('beforeResponse', listen)
    onTestFinished(() => void one.server.service.off('beforeResponse', listen))
    const browser = new Browser(api)
    const back = new URL(await browser.visit(await providerUsers.begin('one')))
    back.searchParams.set('iss', other.settings.issuer)
    expect(homeOf(await browser.get(back.href))).toMatchObject({ error: 'provider_failed', grant: '' })
    expect(asked).toEqual([])
  })

  test('a provider that names itself always must do so', async () => {
    one.metadata = { authorization_response_iss_parameter_supported: true }
    const browser = new Browser(api)
    const back = await browser.visit(await providerUsers.begin('one'))
    expect(homeOf(await browser.get(back)).error).toBe('provider_failed')
    const named = new URL(await browser.visit(await providerUsers.begin('one')))
    named.searchParams.set('iss', one.settings.issuer)
    expect(homeOf(await browser.get(named.href)).grant).not.toBe('')
  })

  test('a state is good once', async () => {
    const browser = new Browser(api)
    const back = await browser.visit(await providerUsers.begin('one'))
    const kept = new Map(browser.cookies)
    expect(homeOf(await browser.get(back)).grant).not.toBe('')
    for (const [name, value] of kept) browser.cookies.set(name, value)
    const again = await browser.get(back)
    expect(again.status).toBe(401)
    expect(again.body.error.code).toBe('authorization_failed')
  })

  test('two call-backs at once end one authorization once', async () => {
    const browser = new Browser(api)
    const back = await browser.visit(await providerUsers.begin('one'))
    const answers = await Promise.all([browser.get(back), browser.get(back)])
    expect(answers.map(answer => answer.status).sort((low, high) => low - high)).toEqual([302, 401])
  })

  test('somebody else’s answer does nothing in this browser', async () => {
    const mallory = new Browser(api)
    const begun = await providerUsers.begin('one')
    const lure = await mallory.visit(begun)
    const victim = new Browser(api)
    expect((await victim.get(lure)).status).toBe(401)
    // Not with the cookie of an authorization of one's own either.
    const own = await victim.visit(await providerUsers.begin('one'))
    expect(own).not.toBe('')
    const [value = ''] = victim.cookies.values()
    for (const name of mallory.cookies.keys()) victim.cookies.set(name, value)
    expect((await victim.get(lure)).body.error.code).toBe('authorization_failed')
    expect(homeOf(await mallory.get(lure)).grant).not.toBe('')
  })

  test('an authorization that one browser has set out on is closed to others', async () => {
    const begun = await providerUsers.begin('one')
    const browser = new Browser(api)
    await browser.visit(begun)
    expect((await new Browser(api).get(begun.url)).body.error.code).toBe('authorization_failed')
    expect((await browser.go(begun)).grant).not.toBe('')
  })

  test.each(['', 'nonsense', `${'0'.repeat(36)}.${'x'.repeat(43)}`])('the state %j is refused', async state => {
    const answer = await api.call(`GET /v1/providers/one/callback?state=${state}&code=x`)
    expect(answer.body.error.code).toBe('authorization_failed')
  })

  test('an authorization has an end in time', async () => {
    const begun = await providerUsers.begin('one')
    const browser = new Browser(api)
    const back = await browser.visit(begun)
    await store.chat.pool.query("UPDATE challenges SET expires_at = now() - interval '1 second'")
    expect((await browser.get(back)).body.error.code).toBe('authorization_failed')
    expect((await browser.get(begun.url)).body.error.code).toBe('authorization_failed')
  })
})

describe('a grant', () => {
  let begun: Begun
  let grant: string
  beforeEach(async () => {
    begun = await providerUsers.begin('one')
    ;({ grant } = await new Browser(api).go(begun))
  })

  test('is good once, also when it is shown twice at once', async () => {
    const both = await Promise.all([providerUsers.redeem({ grant }, begun), providerUsers.redeem({ grant }, begun)])
    expect(both.map(answer => answer.status).sort((low, high) => low - high)).toEqual([201, 401])
    expect((await providerUsers.redeem({ grant }, begun)).body.error.code).toBe('authorization_failed')
  })

  test('is worth nothing without the secret of whoever began the authorization', async () => {
    const thief = await providerUsers.begin('one')
    expect((await providerUsers.redeem({ grant }, thief)).body.error.code).toBe('authorization_failed')
    expect((await providerUsers.redeem({ grant }, begun)).status).toBe(201)
  })

  test('is worth nothing after a minute', async () => {
    const left = await store.chat.pool.query<{ s: number }>(
      `SELECT extract(epoch FROM expires_at - now())::float8 AS s FROM challenges WHERE id = $1`,
      [grant.split('.')[0]],
    )
    expect(left.rows[0]?.s).toBeGreaterThan(50)
    expect(left.rows[0]?.s).toBeLessThanOrEqual(60)
    await store.chat.pool.query("UPDATE challenges SET expires_at = now() - interval '1 second'")
    expect((await providerUsers.redeem({ grant }, begun)).body.error.code).toBe('authorization_failed')
  })

  test.each(['x', '0.1', `${'0'.repeat(36)}.${'x'.repeat(43)}`])('that was never given is refused: %s', async given => {
    expect((await providerUsers.redeem({ grant: given }, begun)).body.error.code).toBe('authorization_failed')
  })
})

describe('a provider in trouble', () => {
  /** A server that does what it is told, instead of a provider. */
  async function trouble(answer: Parameters<typeof createServer>[1]): Promise<{ server: Server; issuer: string }> {
    const server = createServer(answer)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    return { server, issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }
  const beginAt = (issuer: string) => {
    const providers = [{ ...one.settings, issuer }]
    const here = open({ settings: { providers, providerMsMax: 300 } })
    return () => here.call('POST /v1/providers/one/authorizations', { body: { returnTo } })
  }

  test('that is down is said so at once, and tried again at the next authorization', async () => {
    let up = false
    const { issuer } = await trouble((_request, response) => {
      if (!up) return void response.destroy()
      const body = {
        issuer,
        authorization_endpoint: `${issuer}/a`,
        token_endpoint: `${issuer}/t`,
        jwks_uri: `${issuer}/k`,
      }
      return void response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
    })
    const begin = beginAt(issuer)
    const failed = await begin()
    expect(failed.status).toBe(502)
    expect(failed.body.error.code).toBe('provider_failed')
    up = true
    expect((await begin()).status).toBe(201)
  })

  test.each<[string, Parameters<typeof createServer>[1]]>([
    ['says nothing', () => {}],
    ['never comes to an end', (_request, response) => void response.writeHead(200).write('{')],
    [
      'says too much',
      (request, response) => {
        const issuer = `http://${request.headers.host}`
        const body = { issuer, authorization_endpoint: issuer, token_endpoint: issuer, jwks_uri: issuer }
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ ...body, more: 'x'.repeat(1_000_000) }))
      },
    ],
    ['speaks nonsense', (_request, response) => void response.setHeader('content-type', 'application/json').end('[')],
    [
      'is somebody else',
      (_request, response) =>
        void response.setHeader('content-type', 'application/json').end('{"issuer":"https://evil.test"}'),
    ],
  ])('that %s fails within its time', async (_name, answer) => {
    const begin = beginAt((await trouble(answer)).issuer)
    const awake = watchAwake()
    expect((await begin()).body.error.code).toBe('provider_failed')
    expect(awake.ms()).toBeLessThan(2_000)
    awake.stop()
  })

  test('at the last step is told where the authorization began', async () => {
    const { issuer } = await trouble(() => {})
    one.metadata = { token_endpoint: `${issuer}/token` }
    const here = open({ settings: { providerMsMax: 300 } })
    const home = await new Browser(here).go(await createProviderUsers(here).begin('one'))
    expect(home).toMatchObject({ place: returnTo, error: 'provider_failed' })
  })

  test('an endpoint without TLS is not asked', async () => {
    one.metadata = { token_endpoint: 'http://token.example.org/' }
    const here = open({ settings: { providers: [{ ...one.settings, issuer: 'https://127.0.0.1:9' }] } })
    const begun = await here.call('POST /v1/providers/one/authorizations', { body: { returnTo } })
    expect(begun.body.error.code).toBe('provider_failed')
  })
})

describe('GitHub', () => {
  test('signs in by the number of the account, with the address that is primary and verified', async () => {
    hub.person = { id: 1_000 + people, login: `Octo-${people}`, name: 'Octo Cat' }
    hub.emails = [
      { email: `second-${people}@example.org`, primary: false, verified: true, visibility: null },
      { email: `first-${people}@example.org`, primary: true, verified: true, visibility: null },
    ]
    const { status, body } = await providerUsers.signIn('github')
    expect(status).toBe(201)
    expect(body.user).toMatchObject({ username: `octo-${people}`, displayName: 'Octo Cat' })
    const kept = await store.chat.pool.query(
      'SELECT i.issuer, i.subject, i.name, u.email FROM identities i JOIN users u ON u.id = i.user_id WHERE u.id = $1',
      [body.user.id],
    )
    expect(kept.rows).toEqual([
      {
        issuer: 'https://github.com',
        subject: String(1_000 + people),
        name: `Octo-${people}`,
        email: `first-${people}@example.org`,
      },
    ])
    hub.person = { ...hub.person, login: 'renamed' }
    expect((await providerUsers.signIn('github')).body.user.id).toBe(body.user.id)
  })

  test.each([
    ['no address', []],
    [
      'one that is not verified',
      [{ email: 'unverified@example.org', primary: true, verified: false, visibility: null }],
    ],
    [
      'one that is not the primary',
      [{ email: 'second@example.org', primary: false, verified: true, visibility: null }],
    ],
  ])('with %s makes an account without an address', async (_name, emails) => {
    hub.emails = emails
    const { body } = await providerUsers.signIn('github')
    const kept = await store.chat.pool.query('SELECT email FROM users WHERE id = $1', [body.user.id])
    expect(kept.rows).toEqual([{ email: null }])
  })

  test('gets the verifier of PKCE and our secret, and no one else does', async () => {
    hub.asked.length = 0
    await providerUsers.signIn('github')
    expect(hub.asked).toHaveLength(1)
    expect(Object.fromEntries(hub.asked[0]!)).toMatchObject({
      grant_type: 'authorization_code',
      client_id: 'client-of-github',
      code_verifier: expect.stringMatching(/^[\w-]{43}$/),
      redirect_uri: `${publicUrl}/v1/providers/github/callback`,
    })
  })

  test('refuses a code that is another authorization’s, by PKCE', async () => {
    const browser = new Browser(api)
    const back = new URL(await browser.visit(await providerUsers.begin('github')))
    const stolen = new URL(await new Browser(api).visit(await providerUsers.begin('github')))
    back.searchParams.set('code', stolen.searchParams.get('code') ?? '')
    expect(homeOf(await browser.get(back.href))).toMatchObject({ error: 'authorization_failed', grant: '' })
  })

  test('must name itself rightly where it does', async () => {
    const browser = new Browser(api)
    const back = new URL(await browser.visit(await providerUsers.begin('github')))
    back.searchParams.set('iss', 'https://evil.test')
    expect(homeOf(await browser.get(back.href)).error).toBe('provider_failed')
  })

  test('that answers what it never does is not believed', async () => {
    hub.person = { id: '7' as unknown as number, login: 'octocat', name: null }
    expect((await new Browser(api).go(await providerUsers.begin('github'))).error).toBe('provider_failed')
  })
})

test('the providers are listed by name and title alone', async () => {
  const { body } = await api.call('GET /v1/providers')
  expect(body).toEqual({
    providers: [
      { name: 'one', title: 'ONE' },
      { name: 'other', title: 'OTHER' },
      { name: 'github', title: 'GitHub' },
    ],
  })
  const none = open({ settings: { providers: [] } })
  expect((await none.call('GET /v1/providers')).body).toEqual({ providers: [] })
  for (const request of [
    'GET /v1/providers/one/callback?state=x',
    `GET ${new URL((await providerUsers.begin('one')).url).pathname}`,
  ])
    expect((await none.call(request)).body.error.code).toBe('provider_unknown')
  const begun = await none.call('POST /v1/providers/one/authorizations', { body: { returnTo } })
  expect(begun.body.error.code).toBe('provider_unknown')
})

test.each(['https://evil.test/', 'https://app.test.evil.test/', 'javascript:alert(1)', `${returnTo}#x`, 'nonsense'])(
  'nobody is sent home to %s',
  async place => {
    const { body } = await api.call('POST /v1/providers/one/authorizations', { body: { returnTo: place } })
    expect(body.error).toMatchObject({ code: 'field_invalid', field: 'returnTo' })
  },
)

afterEach(async () => {
  await store.chat.pool.query('DELETE FROM challenges')
})
