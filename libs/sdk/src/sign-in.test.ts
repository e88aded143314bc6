import { beforeEach, expect, test } from 'vitest'
import { createCall, type Fetch } from './http.ts'
import { readAuthorizationResult } from './rest/identities.ts'
import { createRest } from './rest.ts'
import type { SessionStore, StoredSession } from './session-keeper.ts'
import { createSignIn } from './sign-in.ts'
import { SimClock } from './simulation/sim-clock.testbed.ts'
import { solveWork } from './work.ts'

interface Asked {
  method: string
  url: string
  headers: Record<string, string>
  body: unknown
  credentials: string | undefined
}
type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | Error

let clock: SimClock
let asked: Asked[]
let answers: Answer[]
let stored: StoredSession | undefined

const sessions: SessionStore = {
  load: async () => stored,
  save: async session => {
    stored = session
  },
}
const fakeFetch: Fetch = async (url, init) => {
  const { method, headers, body, credentials } = init
  asked.push({ method, url, headers, credentials, body: typeof body === 'string' ? JSON.parse(body) : undefined })
  await clock.wait(10)
  const answer = answers.shift() ?? { status: 500 }
  if (answer instanceof Error) throw answer
  return {
    ok: answer.status < 300,
    status: answer.status,
    headers: { get: name => answer.headers?.[name] ?? null },
    text: async () => (answer.body === undefined ? '' : JSON.stringify(answer.body)),
    blob: async () => new Blob([String(answer.body)]),
  }
}
const user = { id: 'u1', username: 'ann', displayName: 'Ann', avatar: null }
const signedIn = (number: number) => ({
  status: 200,
  body: { user, session: 's1', accessToken: `a${number}`, accessTokenExpiresInMs: 600_000, refreshToken: `r${number}` },
})
const refused = (status: number, code: string) => ({ status, body: { error: { code, message: code } } })
async function finish<T>(work: Promise<T>): Promise<T> {
  await clock.advance(100)
  return work
}
/** What it fails with. */
const failure = (work: Promise<unknown>) =>
  finish(
    work.then(
      () => undefined,
      (error: unknown) => error,
    ),
  )
const signIn = (options = {}) => createSignIn('https://api/', { sessions, clock, fetch: fakeFetch, ...options })

beforeEach(() => {
  clock = new SimClock()
  asked = []
  answers = []
  stored = undefined
})

test('registering signs in, and the token is used until it is about to expire', async () => {
  answers = [signedIn(1), signedIn(2)]
  const account = signIn()
  expect(await finish(account.register({ username: 'ann', password: 'p', deviceName: 'd' }))).toEqual(user)
  expect(asked[0]).toMatchObject({
    method: 'POST',
    url: 'https://api/v1/users',
    body: { username: 'ann', password: 'p', deviceName: 'd' },
  })
  expect(await account.getToken({ expired: false })).toBe('a1')
  await clock.advance(570_000)
  expect(await finish(account.getToken({ expired: false }))).toBe('a2')
  expect(asked[1]).toMatchObject({ url: 'https://api/v1/sessions/refresh', body: { refreshToken: 'r1' } })
  expect(stored).toMatchObject({ accessToken: 'a2', refreshToken: 'r2' })
})

test('however many ask, one refresh runs: a refresh token is good once', async () => {
  answers = [signedIn(1), signedIn(2), signedIn(3)]
  const account = signIn()
  await finish(account.signIn({ username: 'ann', password: 'p' }))
  const tokens = Promise.all([1, 2, 3].map(() => account.getToken({ expired: true })))
  expect(await finish(tokens)).toEqual(['a2', 'a2', 'a2'])
  expect(asked.length).toBe(2)
  expect(await finish(account.getToken({ expired: true }))).toBe('a3')
})

test('another tab has refreshed: its token is taken', async () => {
  answers = [signedIn(1), signedIn(9)]
  const account = signIn()
  await finish(account.signIn({ username: 'ann', password: 'p' }))
  if (stored !== undefined) stored = { ...stored, refreshToken: 'r8', accessTokenExpiresAt: 0 }
  await finish(account.getToken({ expired: false }))
  expect(asked[1]).toMatchObject({ body: { refreshToken: 'r8' } })
})

test('a refused refresh forgets the session; an API that is away does not', async () => {
  answers = [signedIn(1), new TypeError('fetch failed'), refused(401, 'refresh_token_reused')]
  const account = signIn()
  await finish(account.signIn({ username: 'ann', password: 'p' }))
  const failing = () => failure(account.getToken({ expired: true }))
  expect(await failing()).toMatchObject({ code: 'unreachable', retry: true })
  expect(await account.user()).toEqual(user)
  expect(await failing()).toMatchObject({ code: 'refresh_token_reused', retry: false })
  expect(await account.user()).toBeUndefined()
  expect(await failing()).toMatchObject({ code: 'refresh_token_invalid' })
  expect(asked.length, 'nothing to ask with').toBe(3)
})

test('whoever is suspended hears until when, and is signed in no longer', async () => {
  const until = 1_900_000_000_000
  const answer = refused(403, 'account_suspended')
  answers = [signedIn(1), { ...answer, body: { error: { ...answer.body.error, until } } }]
  const account = signIn()
  await finish(account.signIn({ username: 'ann', password: 'p' }))
  const failed = await failure(account.getToken({ expired: true }))
  expect(failed).toMatchObject({ code: 'account_suspended', retry: false, until })
  expect(await account.user()).toBeUndefined()
})

const attempts = () => asked.map(({ body }) => (body as { attempt?: string }).attempt)

test('a refresh that is tried again names itself the same, in another tab and in the next run too', async () => {
  answers = [signedIn(1), new TypeError('lost'), new TypeError('lost'), signedIn(2), signedIn(3)]
  const account = signIn()
  await finish(account.signIn({ username: 'ann', password: 'p' }))
  await failure(account.getToken({ expired: true }))
  await failure(signIn().getToken({ expired: true }))
  expect(await finish(signIn().getToken({ expired: true }))).toBe('a2')
  expect(await finish(signIn().getToken({ expired: true }))).toBe('a3')
  const [, first, second, third, next] = attempts()
  expect(first).toMatch(/^[0-9a-f-]{36}$/)
  expect([second, third]).toEqual([first, first])
  expect(next).not.toBe(first)
})

test('a refresh by the cookie alone names itself the same until it is done', async () => {
  const { refreshToken: _, ...body } = signedIn(1).body
  answers = [new TypeError('lost'), { status: 200, body }, { status: 200, body }]
  const account = signIn({ cookie: true })
  await failure(account.getToken({ expired: false }))
  await finish(account.getToken({ expired: false }))
  await finish(account.getToken({ expired: true }))
  const [first, second, next] = attempts()
  expect(first).toBeDefined()
  expect(second).toBe(first)
  expect(next).not.toBe(first)
})

test('a second factor: nobody is signed in before it is shown', async () => {
  const secondFactor = { challenge: 'c1', factors: ['totp'], expiresInMs: 600_000 }
  answers = [{ status: 200, body: { secondFactor } }, refused(401, 'second_factor_invalid'), signedIn(1)]
  const account = signIn()
  expect(await finish(account.signIn({ username: 'ann', password: 'p' }))).toEqual({ secondFactor })
  expect(stored).toBeUndefined()
  const finishing = (code: string) => account.finishSignIn({ challenge: 'c1', factor: 'totp', code })
  expect(await failure(finishing('000000'))).toMatchObject({ code: 'second_factor_invalid' })
  expect(stored).toBeUndefined()
  expect(await finish(finishing('123456'))).toEqual(user)
  expect(await account.getToken({ expired: false })).toBe('a1')
})

test('a passkey that the browser does not bring is said, and nothing is shown', async () => {
  const challenge = { status: 200, body: { challenge: 'c1', options: {} } }
  answers = [challenge, challenge]
  expect(await failure(signIn().signInWithPasskey())).toMatchObject({ code: 'passkey_failed' })
  const denied = new DOMException('not allowed', 'NotAllowedError')
  const create = () => Promise.reject(denied)
  const account = signIn({ passkeys: { create, get: create } })
  expect(await failure(account.signInWithPasskey())).toMatchObject({ code: 'passkey_failed', cause: denied })
  expect(asked.map(one => one.url)).toEqual(['https://api/v1/passkeys/options', 'https://api/v1/passkeys/options'])
})

test('reauthentication is shown with a token that is good', async () => {
  answers = [signedIn(1), signedIn(2), { status: 204 }]
  const account = signIn()
  await finish(account.signIn({ username: 'ann', password: 'p' }))
  await clock.advance(600_000)
  await finish(account.reauthenticate({ factor: 'password', password: 'p' }))
  expect(asked[2]).toMatchObject({
    url: 'https://api/v1/sessions/current/reauthentication',
    headers: { authorization: 'Bearer a2' },
    body: { factor: 'password', password: 'p' },
  })
})

test('what an authorization has brought is read from the URL that it came back to', () => {
  expect(readAuthorizationResult('https://app/back?x=1#grant=a%2Bb')).toEqual({ grant: 'a+b' })
  expect(readAuthorizationResult('https://app/back#error=authorization_failed')).toEqual({
    error: 'authorization_failed',
  })
  expect(readAuthorizationResult('https://app/back?grant=a')).toBeUndefined()
  expect(readAuthorizationResult('https://app/back#top')).toBeUndefined()
})

test('in cookie mode no script holds the refresh token, and a new page signs in by the cookie', async () => {
  const { refreshToken: _, ...body } = signedIn(1).body
  answers = [{ status: 200, body }]
  const account = signIn({ cookie: true })
  expect(await finish(account.getToken({ expired: false }))).toBe('a1')
  expect(asked[0]).toMatchObject({ body: {}, headers: { 'x-flotilla-cookie': '1' }, credentials: 'include' })
  expect(stored?.refreshToken).toBeUndefined()
})

test('signing out ends the session, with a fresh token if need be, and forgets it', async () => {
  answers = [signedIn(1), refused(401, 'unauthenticated'), signedIn(2), { status: 204 }]
  const account = signIn()
  await finish(account.signIn({ username: 'ann', password: 'p' }))
  await finish(account.signOut())
  expect(asked.map(one => `${one.method} ${one.headers['authorization'] ?? ''}`)).toEqual([
    'POST ',
    'DELETE Bearer a1',
    'POST ',
    'DELETE Bearer a2',
  ])
  expect(stored).toBeUndefined()
})

test('signing out without a network can be tried again', async () => {
  answers = [signedIn(1), new TypeError('fetch failed')]
  const account = signIn()
  await finish(account.signIn({ username: 'ann', password: 'p' }))
  expect(await failure(account.signOut())).toMatchObject({ code: 'unreachable' })
  expect(stored).toBeDefined()
})

// ---- the REST calls ---------------------------------------------------------------------------------------------

const call = () => createCall({ api: 'https://api', fetch: fakeFetch, clock, timeoutMs: 5_000, fileTimeoutMs: 60_000 })
const rest = (tokens: string[] = []) =>
  createRest(call(), async ({ expired }) => {
    tokens.push(expired ? 'new' : 'held')
    return expired ? 'new' : 'held'
  })

test('a call carries the token, its query and its body', async () => {
  answers = [
    { status: 200, body: {} },
    { status: 200, body: {} },
    { status: 200, body: {} },
  ]
  await finish(rest().history('c/1', { after: 5 }))
  await finish(rest().post('c', { clientId: 'x', body: { text: 'hi' } }))
  await finish(rest().conversations())
  expect(asked.map(({ method, url, body }) => ({ method, url, body }))).toEqual([
    { method: 'GET', url: 'https://api/v1/conversations/c%2F1/messages?after=5', body: undefined },
    { method: 'POST', url: 'https://api/v1/conversations/c/messages', body: { clientId: 'x', body: { text: 'hi' } } },
    { method: 'GET', url: 'https://api/v1/conversations', body: undefined },
  ])
  expect(asked[0]?.headers).toEqual({ accept: 'application/json', authorization: 'Bearer held' })
})

test('a refused token is renewed once', async () => {
  const tokens: string[] = []
  answers = [
    refused(401, 'unauthenticated'),
    { status: 200, body: user },
    refused(401, 'unauthenticated'),
    refused(401, 'unauthenticated'),
  ]
  expect(await finish(rest(tokens).me())).toEqual(user)
  expect(await failure(rest(tokens).me())).toMatchObject({ code: 'unauthenticated' })
  expect(tokens).toEqual(['held', 'new', 'held', 'new'])
})

test('errors: the code of the body, the time of the header, and what a proxy means by its status', async () => {
  const failing = () => failure(rest().me())
  answers = [
    { status: 429, body: { error: { code: 'rate_limited', message: 'x' } }, headers: { 'retry-after': '3' } },
    { status: 400, body: { error: { code: 'field_invalid', message: 'x', field: 'a.b', rule: 'required' } } },
    { status: 502, body: '<html>' },
    { status: 418 },
    new TypeError('fetch failed'),
  ]
  expect(await failing()).toMatchObject({ code: 'rate_limited', retryMs: 3_000, retry: true })
  expect(await failing()).toMatchObject({ code: 'field_invalid', field: 'a.b', rule: 'required', retry: false })
  expect(await failing()).toMatchObject({ code: 'unavailable', retry: true })
  expect(await failing()).toMatchObject({ code: 'internal' })
  expect(await failing()).toMatchObject({ code: 'unreachable', cause: expect.any(TypeError) })
})

test('an answer that does not come is given up', async () => {
  const never: Fetch = (_url, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  const waiting = createCall({ api: 'https://api', fetch: never, clock, timeoutMs: 5_000, fileTimeoutMs: 60_000 })(
    'GET /v1/me',
  )
  const outcome = waiting.catch((error: unknown) => error)
  await clock.advance(5_000)
  expect(await outcome).toMatchObject({ code: 'timed_out' })
})

test('a file has its own time, comes as it is, and is refused in words', async () => {
  const asking = () => call()<Blob>('GET /v1/me/export', { answer: 'file' })
  answers = [{ status: 200, body: 'zip' }, refused(429, 'rate_limited')]
  expect(await (await finish(asking())).text()).toBe('zip')
  expect(await failure(asking())).toMatchObject({ code: 'rate_limited' })

  let aborted = false
  const slow: Fetch = (_url, { signal }) =>
    new Promise(() => signal.addEventListener('abort', () => (aborted = true), { once: true }))
  const options = { api: 'https://api', fetch: slow, clock, timeoutMs: 5_000, fileTimeoutMs: 60_000 }
  void createCall(options)('PUT /v1/me/avatar', { file: new Uint8Array([1]) })
  await clock.advance(59_999)
  expect(aborted).toBe(false)
  await clock.advance(1)
  expect(aborted).toBe(true)
})

test('a file for another host takes neither the token nor anything else along', async () => {
  answers = [{ status: 204 }]
  const request = { file: new Uint8Array([1]), token: 'secret', headers: { 'x-flotilla-cookie': '1' } }
  await finish(call()('PUT https://store.example/x?sign=y', request))
  expect(asked[0]).toMatchObject({ url: 'https://store.example/x?sign=y', headers: {} })
  expect(asked[0]?.headers).toEqual({})
})

test('the work that registering asks for is done, and shown with the second try', async () => {
  const needed = {
    status: 403,
    body: { error: { code: 'check_required', message: 'work', field: 'check', rule: 'work' } },
  }
  answers = [needed, { status: 201, body: { challenge: 'c', bits: 8, expiresInMs: 1 } }, signedIn(1)]
  const account = signIn({ solveWork })
  const registering = account.register({ username: 'ann' })
  for (let turn = 0; asked.length < 3 && turn < 10_000; turn++) {
    await clock.advance(10)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  expect(await finish(registering)).toEqual(user)
  const { challenge, solution } = (asked[2]!.body as { check: { challenge: string; solution: string } }).check
  expect(challenge).toBe('c')
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`c.${solution}`))
  expect(new Uint8Array(hash)[0]).toBe(0)

  answers = [
    { status: 403, body: { error: { code: 'check_required', message: 'captcha', rule: 'captcha' } } },
    signedIn(2),
  ]
  expect(await failure(account.register({ username: 'bob' }))).toMatchObject({ code: 'check_required' })
  await finish(account.register({ username: 'bob', captcha: 'token' }))
  expect(asked.at(-1)!.body).toEqual({ username: 'bob', check: { captcha: 'token' } })
})

test('the device is shown at the next sign-in, also after signing out, and never beside cookies', async () => {
  const withDevice = { ...signedIn(1), body: { ...signedIn(1).body, device: 'known' } }
  answers = [withDevice, { status: 204 }, signedIn(2)]
  const account = signIn()
  await finish(account.signIn({ username: 'ann', password: 'p' }))
  await finish(account.signOut())
  await finish(account.signIn({ username: 'ann', password: 'p' }))
  expect(asked.map(one => (one.body as { device?: string } | undefined)?.device)).toEqual([
    undefined,
    undefined,
    'known',
  ])
  const devices = { load: async () => 'known', save: async () => {} }
  answers = [signedIn(3)]
  await finish(signIn({ cookie: true, devices }).signIn({ username: 'ann', password: 'p' }))
  expect(asked.at(-1)!.body).toEqual({ username: 'ann', password: 'p' })
})
