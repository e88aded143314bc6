import { createHmac, createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { verifyTicket } from '@flotilla/service'
import { testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createFixture, type Fixture, openChat, password, type Person, type TestChat } from '../api.testbed.ts'
import { generateTokenKey, parseTokenKeys } from '../sign-in/tokens.ts'

let store: TestChat
let api: Fixture
let call: Fixture['call']
let alice: Person

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  api = createFixture({ chat: store.chat })
  call = api.call
  alice = await api.register('alice')
  return async () => {
    await api.app.close()
    await store.close()
    await database.drop()
  }
})

/** Another API on the same store. */
function another(given: Parameters<typeof createFixture>[0]): Fixture {
  const other = createFixture({ chat: store.chat, keys: api.deps.keys, ...given })
  onTestFinished(() => other.app.close())
  return other
}

const refresh = (refreshToken: string) => call('POST /v1/sessions/refresh', { body: { refreshToken } })

describe('registering', () => {
  test('answers who one is and signs in', async () => {
    const { status, body } = await call('POST /v1/users', {
      body: { username: 'Ada', password, displayName: 'Ada Lovelace', deviceName: 'desk' },
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      user: { username: 'Ada', displayName: 'Ada Lovelace' },
      accessTokenExpiresInMs: 600_000,
      refreshToken: expect.any(String),
    })
    expect((await call('GET /v1/me', { token: body.accessToken })).body).toMatchObject(body.user)
  })

  test.each([
    ['a name that is taken', { username: 'alice' }, 409, 'username_taken'],
    ['a name that differs by case only', { username: 'ALICE' }, 409, 'username_taken'],
    ['a short password', { password: 'short' }, 400, 'password_weak'],
    ['a common password', { password: 'password123' }, 400, 'password_weak'],
    ['a name with spaces', { username: 'al ice' }, 400, 'field_invalid'],
    ['an unknown field', { role: 'admin' }, 400, 'field_invalid'],
  ])('%s is refused', async (_name, change, status, code) => {
    const answer = await call('POST /v1/users', { body: { username: 'newcomer', password, ...change } })
    expect(answer.body.error?.code).toBe(code)
    expect(answer.status).toBe(status)
  })

  test('is limited by address', async () => {
    const here = another({ settings: { registrations: { max: 1, windowMs: 60_000 } } })
    const registering = (username: string, address: string) =>
      here.call('POST /v1/users', { body: { username, password }, address })
    expect((await registering('first', '10.1.0.1')).status).toBe(201)
    expect((await registering('second', '10.1.0.1')).body.error).toMatchObject({ code: 'rate_limited' })
    expect((await registering('second', '10.1.0.2')).status).toBe(201)
  })
})

describe('signing in', () => {
  test('opens a session of its own', async () => {
    const { status, body } = await call('POST /v1/sessions', { body: { username: 'Alice', password } })
    expect(status).toBe(201)
    expect(body.user.id).toBe(alice.id)
    expect(body.session).not.toBe(alice.session)
  })

  test('a wrong password and an unknown name are answered alike', async () => {
    const wrong = await call('POST /v1/sessions', { body: { username: 'alice', password: `${password}!` } })
    const unknown = await call('POST /v1/sessions', { body: { username: 'nobody', password } })
    expect(wrong.status).toBe(401)
    expect(wrong.body.error.code).toBe('invalid_credentials')
    expect(unknown.body).toEqual(wrong.body)
  })

  test('is limited by account and address, and says when to come back', async () => {
    const here = another({ settings: { signIns: { max: 2, windowMs: 60_000 } } })
    const attempt = (username: string, address: string) =>
      here.call('POST /v1/sessions', { body: { username, password: 'not the password' }, address })
    await attempt('alice', '10.2.0.1')
    await attempt('ALICE', '10.2.0.1')
    const refused = await attempt('alice', '10.2.0.1')
    expect(refused.status).toBe(429)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50)
    expect((await attempt('alice', '10.2.0.2')).status).toBe(401)
    expect((await attempt('bob', '10.2.0.1')).status).toBe(401)
  })
})

describe('refreshing', () => {
  test('gives new tokens again and again', async () => {
    const person = await api.register('rotor')
    let { refreshToken } = person
    for (let turn = 0; turn < 3; turn++) {
      const { status, body } = await refresh(refreshToken)
      expect(status).toBe(200)
      expect(body).toMatchObject({ user: { id: person.id }, session: person.session })
      expect(body.refreshToken).not.toBe(refreshToken)
      expect((await call('GET /v1/me', { token: body.accessToken })).status).toBe(200)
      refreshToken = body.refreshToken
    }
  })

  test('two tabs at once get the same next token', async () => {
    const { refreshToken } = await api.register('tabs')
    const [one, two] = await Promise.all([refresh(refreshToken), refresh(refreshToken)])
    expect([one.status, two.status]).toEqual([200, 200])
    expect(one.body.refreshToken).toBe(two.body.refreshToken)
    expect((await refresh(one.body.refreshToken)).status).toBe(200)
  })

  test('an older token ends the session, and all its tokens with it', async () => {
    const thief = await api.register('victim')
    const second = (await refresh(thief.refreshToken)).body
    const third = (await refresh(second.refreshToken)).body
    expect((await refresh(thief.refreshToken)).body.error.code).toBe('refresh_token_reused')
    expect((await refresh(third.refreshToken)).body.error.code).toMatch(/^refresh_/)
    await expect.poll(async () => (await call('GET /v1/me', { token: third.accessToken })).status).toBe(401)
  })

  test.each([
    ['nothing', {}],
    ['nonsense', { refreshToken: 'nonsense' }],
    ['an access token', () => ({ refreshToken: alice.token.slice(0, 200) })],
    ['a token with another number', () => ({ refreshToken: alice.refreshToken.replace('.1.', '.2.') })],
    ['a token of another deployment', () => ({ refreshToken: foreign() })],
  ])('%s is refused', async (_name, given) => {
    const body = typeof given === 'function' ? given() : given
    const answer = await call('POST /v1/sessions/refresh', { body })
    expect(answer.status).toBe(401)
    expect(answer.body.error.code).toBe('refresh_token_invalid')
  })

  function foreign(): string {
    const payload = `${alice.session}.1`
    return `${payload}.${createHmac('sha256', Buffer.alloc(32)).update(`refresh.${payload}`).digest('base64url')}`
  }

  test('without a body and without a cookie is refused, not a fault', async () => {
    expect((await call('POST /v1/sessions/refresh')).body.error.code).toBe('refresh_token_invalid')
    const wrong = await call('POST /v1/sessions/refresh', { body: { refreshToken: 7 } })
    expect(wrong.body.error).toMatchObject({ code: 'field_invalid', field: 'refreshToken' })
  })
})

describe('the refresh cookie', () => {
  const headers = { 'x-flotilla-cookie': '1' }

  test('takes the place of the token in the body, and scripts and foreign pages cannot get at it', async () => {
    const here = another({ settings: { cookieSecure: true } })
    const { body, cookies } = await here.call('POST /v1/sessions', { body: { username: 'alice', password }, headers })
    expect(body.refreshToken).toBeUndefined()
    const kept = { httpOnly: true, secure: true, sameSite: 'Strict', maxAge: store.chat.settings.sessionIdleMs / 1000 }
    expect(cookies).toMatchObject([
      { ...kept, name: '__Host-flotilla_refresh', path: '/' },
      // For the version before, as long as a roll-out is half done.
      { ...kept, name: 'flotilla_refresh', path: '/v1/sessions' },
      { ...kept, name: '__Host-flotilla_device', path: '/', maxAge: 365 * 86_400 },
    ])
    expect(cookies.every(cookie => cookie['domain'] === undefined)).toBe(true)
  })

  test('over https is that of the host; the plain one counts for what the version before has written', async () => {
    const here = another({ settings: { cookieSecure: true } })
    const signIn = async () =>
      (await here.call('POST /v1/sessions', { body: { username: 'alice', password }, headers })).cookies
    const refreshWith = (cookies: Record<string, string>, more: object = { headers }) =>
      here.call('POST /v1/sessions/refresh', { cookies, ...more })
    const host = '__Host-flotilla_refresh'
    const [mine, foreign] = [(await signIn())[0]!.value, (await signIn())[0]!.value]
    const sessionOf = (token: string) => token.split('.')[0]
    // Another host below the domain has put its own session there.
    const first = await refreshWith({ [host]: mine, flotilla_refresh: foreign })
    expect(first.body.session).toBe(sessionOf(mine))
    // A process of the version before has refreshed, and knows the plain one alone.
    const earlier = first.cookies[0]!.value
    const { status, cookies } = await refreshWith({ flotilla_refresh: earlier })
    expect(status).toBe(200)
    const later = cookies.find(cookie => cookie.name === 'flotilla_refresh')!.value
    const healed = await refreshWith({ [host]: earlier, flotilla_refresh: later })
    expect(healed.body.session).toBe(sessionOf(mine))
    const dead = await refreshWith({ [host]: 'dead', flotilla_refresh: foreign })
    expect(dead.status).toBe(401)
    expect(dead.cookies.map(({ name, value, path }) => [name, value, path])).toEqual([
      [host, '', '/'],
      ['flotilla_refresh', '', '/v1/sessions'],
    ])
    // It goes everywhere, and is read nowhere else, nor without the header.
    const held = { [host]: healed.cookies[0]!.value }
    expect((await refreshWith(held, {})).status).toBe(401)
    expect((await here.call('GET /v1/me', { cookies: held, headers })).status).toBe(401)
  })

  test('the device is known by its cookie too', async () => {
    const guesses = { max: 0, windowMs: 600_000, waitMsMax: 600_000 }
    const here = another({ settings: { guesses, cookieSecure: true } })
    const attempt = (cookies: Record<string, string> = {}) =>
      here.call('POST /v1/sessions', { body: { username: 'alice', password }, headers, cookies })
    const { cookies } = await attempt()
    const device = cookies.find(cookie => cookie.name === '__Host-flotilla_device')!.value
    expect((await attempt()).status).toBe(429)
    expect((await attempt({ '__Host-flotilla_device': device })).status).toBe(201)
  })

  test('refreshes only with the header that a foreign page cannot send', async () => {
    const { cookies } = await call('POST /v1/sessions', { body: { username: 'alice', password }, headers })
    const held = { flotilla_refresh: cookies[0]?.value ?? '' }
    const forged = await call('POST /v1/sessions/refresh', { cookies: held })
    expect(forged.body.error.code).toBe('refresh_token_invalid')
    expect(forged.cookies).toEqual([])
    const { status, body, cookies: next } = await call('POST /v1/sessions/refresh', { cookies: held, headers })
    expect(status).toBe(200)
    expect(body.refreshToken).toBeUndefined()
    expect(next[0]?.value).not.toBe(held.flotilla_refresh)
  })

  test('signs nobody in by itself', async () => {
    const { cookies } = await call('POST /v1/sessions', { body: { username: 'alice', password }, headers })
    const held = { flotilla_refresh: cookies[0]?.value ?? '' }
    expect((await call('GET /v1/me', { cookies: held, headers })).status).toBe(401)
    expect((await call('DELETE /v1/sessions/current', { cookies: held, headers })).status).toBe(401)
  })

  test('is taken away when it is dead', async () => {
    const answer = await call('POST /v1/sessions/refresh', { cookies: { flotilla_refresh: 'dead' }, headers })
    expect(answer.status).toBe(401)
    expect(answer.cookies[0]).toMatchObject({ name: 'flotilla_refresh', value: '', path: '/v1/sessions' })
  })

  test('another value of the header is refused', async () => {
    const answer = await call('POST /v1/sessions/refresh', { headers: { 'x-flotilla-cookie': 'yes' } })
    expect(answer.body.error).toMatchObject({ code: 'field_invalid', field: 'x-flotilla-cookie' })
  })
})

test('whoever signs out is out at once, other devices are not', async () => {
  const person = await api.register('leaver')
  const other = (await call('POST /v1/sessions', { body: { username: 'leaver', password } })).body
  const answer = await call('DELETE /v1/sessions/current', { token: person.token })
  expect(answer.status).toBe(204)
  expect(answer.cookies[0]).toMatchObject({ name: 'flotilla_refresh', value: '' })
  const me = await call('GET /v1/me', { token: person.token })
  expect(me.body.error.code).toBe('unauthenticated')
  expect((await refresh(person.refreshToken)).body.error.code).toBe('refresh_token_invalid')
  expect((await call('GET /v1/me', { token: other.accessToken })).status).toBe(200)
})

describe('access tokens', () => {
  const jwk = JSON.parse(generateTokenKey())
  const stranger = JSON.parse(generateTokenKey())
  const now = Math.floor(Date.now() / 1000)
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  let here: Fixture
  let claims: Record<string, unknown>

  beforeAll(() => {
    here = createFixture({ chat: store.chat, keys: { ...api.deps.keys, token: parseTokenKeys(JSON.stringify(jwk)) } })
    claims = { iss: 'flotilla', aud: 'flotilla', sub: alice.id, sid: alice.session, iat: now, exp: now + 600 }
    return () => here.app.close()
  })

  const header = { alg: 'EdDSA', typ: 'at+jwt', kid: jwk.kid as string }
  /** Signed by hand, with nothing of the library under test. */
  function make(change: object = {}, headerChange: object = {}, by: typeof jwk = jwk): string {
    const input = `${encode({ ...header, ...headerChange })}.${encode({ ...claims, ...change })}`
    return `${input}.${sign(null, Buffer.from(input), createPrivateKey({ key: by, format: 'jwk' })).toString('base64url')}`
  }
  function hmac(secret: string | Buffer): string {
    const input = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  }
  const publicPem = () => here.deps.keys.token[0]?.publicPem ?? ''
  const me = (token: string) => here.call('GET /v1/me', { token })

  test('one that is as it should be is taken', async () => {
    expect((await me(make())).body.id).toBe(alice.id)
    const own = (await here.call('POST /v1/sessions', { body: { username: 'alice', password } })).body.accessToken
    const [ownHeader, ownClaims] = own.split('.').map((part: string) => {
      try {
        return JSON.parse(Buffer.from(part, 'base64url').toString())
      } catch {
        return undefined
      }
    })
    expect(ownHeader).toEqual(header)
    expect(Object.keys(ownClaims).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'sid', 'sub'])
    expect(ownClaims.exp - ownClaims.iat).toBe(600)
  })

  test.each<[string, () => string]>([
    ['no algorithm', () => `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`],
    ['no signature', () => `${make().split('.').slice(0, 2).join('.')}.`],
    ['an HMAC with the public key as its secret', () => hmac(publicPem())],
    ['an HMAC with the public bytes as its secret', () => hmac(Buffer.from(jwk.x, 'base64url'))],
    ['another algorithm', () => make({}, { alg: 'ES256' })],
    ['another type', () => make({}, { typ: 'JWT' })],
    ['no type', () => make({}, { typ: undefined })],
    ['another issuer', () => make({ iss: 'somebody' })],
    ['no issuer', () => make({ iss: undefined })],
    ['another audience', () => make({ aud: 'somebody' })],
    ['no audience', () => make({ aud: undefined })],
    ['a time that is over', () => make({ exp: now - 1 })],
    ['a time without end', () => make({ exp: undefined })],
    ['a time that is no number', () => make({ exp: 'never' })],
    ['a time to come', () => make({ nbf: now + 600 })],
    ['an unknown key', () => make({}, { kid: stranger.kid }, stranger)],
    ['a known key named, an unknown one used', () => make({}, {}, stranger)],
    ['no key named', () => make({}, { kid: undefined })],
    ['a key of the prototype', () => make({}, { kid: '__proto__' })],
    ['a key that it brings along', () => make({}, { kid: stranger.kid, jwk: { ...stranger, d: undefined } }, stranger)],
    ['a demand that is not understood', () => make({}, { crit: ['b64'], b64: true })],
    ['no session', () => make({ sid: undefined })],
    ['a session that is no text', () => make({ sid: 7 })],
    ['an unknown session', () => make({ sid: randomUUID() })],
    ['a session that is no id', () => make({ sid: "' OR 1=1" })],
    ['the session of another person', () => make({ sub: randomUUID() })],
    ['something behind it', () => `${make()}x`],
    [
      'other claims than were signed',
      () => [make().split('.')[0], encode({ ...claims, x: 1 }), make().split('.')[2]].join('.'),
    ],
    ['nonsense', () => 'a.b.c'],
  ])('one with %s is refused', async (_name, token) => {
    const { status, body } = await me(token())
    expect(body.error?.code).toBe('unauthenticated')
    expect(status).toBe(401)
  })

  test('a signature by a key of another kind is refused as a key, before it signs anything', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
    expect(() => parseTokenKeys(JSON.stringify(rsa))).toThrow(/must be an Ed25519 key/)
  })

  test.each([
    ['no scheme', () => make()],
    ['another scheme', () => `Basic ${make()}`],
    ['two tokens', () => `Bearer ${make()} ${make()}`],
    ['no token', () => 'Bearer '],
  ])('a header with %s is refused', async (_name, authorization) => {
    const answer = await here.call('GET /v1/me', { headers: { authorization: authorization() } })
    expect(answer.body.error.code).toBe('unauthenticated')
  })

  test('a key set is rotated without anybody noticing, until the old key is taken out', async () => {
    const [old, fresh] = [generateTokenKey(), generateTokenKey()]
    const withKeys = (...keys: string[]) =>
      another({ keys: { ...api.deps.keys, token: parseTokenKeys(`[${keys.join(',')}]`) } })
    const [before, during, after] = [withKeys(old, fresh), withKeys(fresh, old), withKeys(fresh)]
    const signIn = async (at: Fixture) =>
      (await at.call('POST /v1/sessions', { body: { username: 'alice', password } })).body.accessToken as string
    const [oldToken, freshToken] = [await signIn(before), await signIn(during)]
    const tried = async (at: Fixture, token: string) => (await at.call('GET /v1/me', { token })).status
    expect([await tried(before, freshToken), await tried(during, oldToken), await tried(after, freshToken)]).toEqual([
      200, 200, 200,
    ])
    expect(await tried(after, oldToken)).toBe(401)
    const { body, headers } = await during.call('GET /v1/.well-known/jwks.json')
    expect(body.keys.map((key: { kid: string }) => key.kid)).toEqual([fresh, old].map(text => JSON.parse(text).kid))
    expect(JSON.stringify(body)).not.toContain('"d"')
    expect(headers['cache-control']).toBe('public, max-age=300')
  })
})

describe('connecting', () => {
  const gateway = (name: string, region: string, connections = 0) => ({
    node: name,
    generation: 1,
    state: 'live' as const,
    beatAt: 0,
    beatAgeMs: 0,
    swept: false,
    info: { kind: 'gateway' as const, url: `wss://${name}/v1/socket`, region, connections, accepting: true },
  })

  test('names the gateways and gives a ticket that they take', async () => {
    const node = { nodes: () => [gateway('a', 'local')], hit: async () => undefined }
    const { status, body } = await another({ node }).call('GET /v1/connect', { token: alice.token })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      urls: [{ url: 'wss://a/v1/socket', region: 'local' }],
      ticketExpiresInMs: 30_000,
      protocol: 1,
      epoch: store.chat.epoch(),
    })
    const ticket = verifyTicket(api.deps.keys.ticket, body.ticket, Date.now())
    expect(ticket).toMatchObject({ user: alice.id, session: alice.session })
    expect(verifyTicket(api.deps.keys.ticket, body.ticket, Date.now() + 41_000)).toBe('expired')
  })

  test('the nearest region comes first for each caller', async () => {
    const here = another({
      node: { nodes: () => [gateway('e', 'eu'), gateway('u', 'us')], hit: async () => undefined },
      settings: {
        region: 'eu',
        regions: [
          { name: 'eu', lat: 50, lon: 9 },
          { name: 'us', lat: 39, lon: -77 },
        ],
      },
      countryOf: address => ({ '10.0.0.1': 'CA', '10.0.0.2': 'FR' })[address],
    })
    const first = async (address: string) =>
      (await here.call('GET /v1/connect', { token: alice.token, address })).body.urls[0].region
    expect(await first('10.0.0.1')).toBe('us')
    expect(await first('10.0.0.2')).toBe('eu')
    expect(await first('10.0.0.3')).toBe('eu')
  })

  test('the country that a trusted proxy names comes before that of the address; a stranger names none', async () => {
    const settings = {
      region: 'eu',
      regions: [
        { name: 'eu', lat: 50, lon: 9 },
        { name: 'us', lat: 39, lon: -77 },
      ],
      trustedProxies: ['10.1.0.1'],
      countryHeader: 'x-flotilla-country',
    }
    const node = { nodes: () => [gateway('e', 'eu'), gateway('u', 'us')], hit: async () => undefined }
    const here = another({ node, settings, countryOf: () => 'FR' })
    const first = async (address: string, country: string) => {
      const headers = { 'x-forwarded-for': '203.0.113.5', 'x-flotilla-country': country }
      return (await here.call('GET /v1/connect', { token: alice.token, address, headers })).body.urls[0].region
    }
    expect(await first('10.1.0.1', 'ca')).toBe('us')
    expect(await first('10.1.0.2', 'CA')).toBe('eu')
    for (const none of ['', 'XX', 'T1', 'Canada']) expect(await first('10.1.0.1', none), none).toBe('eu')
    const unasked = another({ node, settings: { ...settings, countryHeader: undefined }, countryOf: () => 'FR' })
    const headers = { 'x-forwarded-for': '203.0.113.5', 'x-flotilla-country': 'CA' }
    const { body } = await unasked.call('GET /v1/connect', { token: alice.token, address: '10.1.0.1', headers })
    expect(body.urls[0].region).toBe('eu')
  })

  test('a gateway that has no name of its own is named as the caller has called', async () => {
    const urlByHost = 'ws://localhost:8080/v1/socket'
    const gatewayUrls = [
      { region: 'local', url: urlByHost },
      { region: 'local', url: 'wss://named.example/v1/socket' },
    ]
    const here = another({ settings: { gatewayUrls, urlByHost } })
    const connect = async (host: string) =>
      (await here.call('GET /v1/connect', { token: alice.token, headers: { host } })).body.urls[0].url
    for (const host of ['192.168.1.5:8080', 'laptop.local:8080', '[fe80::1]:8080', 'chat.example'])
      expect(await connect(host)).toBe(`ws://${host}/v1/socket`)
    // Nothing that is no host stands in an answer.
    for (const host of ['evil.example/x', 'a b', 'me@evil.example', '"', 'evil.example:1/'])
      expect(await connect(host), host).not.toContain('evil')
    const { body } = await here.call('GET /v1/connect', { token: alice.token, headers: { host: 'laptop.local' } })
    expect(body.urls[1].url).toBe('wss://named.example/v1/socket')
  })

  test('while no node is seen the configured gateways are named; without any, when to come back', async () => {
    const gatewayUrls = [
      { region: 'us', url: 'wss://us.example/v1/socket' },
      { region: 'eu', url: 'wss://eu.example/v1/socket' },
    ]
    const settings = { gatewayUrls, region: 'eu' }
    const { body } = await another({ settings }).call('GET /v1/connect', { token: alice.token })
    expect(body.urls.map((one: { region: string }) => one.region)).toEqual(['eu', 'us'])
    const none = await call('GET /v1/connect', { token: alice.token })
    expect(none.status).toBe(503)
    expect(none.body.error).toMatchObject({ code: 'unavailable', retryMs: 3_000 })
    expect(none.headers['retry-after']).toBe('3')
  })
})

afterAll(() => {
  const mine = api
    .unanswered()
    .filter(route =>
      /POST \/v1\/(users|sessions|sessions\/refresh)$|DELETE \/v1\/sessions\/current$|GET \/v1\/me$/.test(route),
    )
  expect(mine).toEqual([])
})
