/** Where the API is, and what is told when it cannot be reached. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { avatarUrl } from './avatar-url.ts'
import { Client } from './client.ts'
import { systemClock } from './clock.ts'
import { type FlotillaError, reasonOf } from './flotilla-error.ts'
import { baseOf, createCall, type Fetch } from './http.ts'
import { createSignIn } from './sign-in.ts'

afterEach(() => void vi.unstubAllGlobals())

const callOf = (api: string, given: Fetch = fetch) =>
  createCall({ api, fetch: given, clock: systemClock, timeoutMs: 60_000, fileTimeoutMs: 60_000 })
const failure = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail('it worked'),
    (thrown: unknown) => thrown as FlotillaError,
  )

test.each([
  'https://chat.example.org',
  'https://chat.example.org/',
  'http://10.0.0.7:8080',
  'http://[::1]:8080/',
  'https://example.org:443/chat',
])('%s is where an API may be', api => expect(baseOf(api)).toBe(api.replace(/\/$/, '')))

test.each([
  ['', 'a whole URL'],
  ['chat.example.org', 'a whole URL'],
  ['/api', 'a whole URL'],
  [undefined as unknown as string, 'a whole URL'],
  ['localhost:8080', 'https:// or http://'],
  ['ws://localhost:8080', 'https:// or http://'],
  ['http:/localhost', 'https:// or http://'],
  ['https://ann:secret@chat.example.org', 'plain path'],
  ['https://chat.example.org/?a=b', 'plain path'],
  ['https://chat.example.org/#top', 'plain path'],
  ['https://chat.example.org/a/../b', 'plain path'],
  ['https://chat.example.org/a/%2e%2e/b', 'plain path'],
  ['https://chat.example.org//evil.example', 'plain path'],
  [String.raw`https://chat.example.org\evil`, 'plain path'],
  ['https://chat.example.org/v1', 'leave out /v1'],
])('%s is refused when something is made with it, with the rule', (api, rule) => {
  const refused = expect.objectContaining({ code: 'field_invalid', field: 'api', rule: expect.stringContaining(rule) })
  const getToken = async () => 'token'
  expect(() => new Client({ api, getToken })).toThrow(refused)
  expect(() => createSignIn(api)).toThrow(refused)
  expect(() => avatarUrl(api, 'picture', 64)).toThrow(refused)
})

test('a request that reached nobody says why: nobody listens, or nobody knows the name', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  const refused = await failure(callOf(`http://127.0.0.1:${port}`)('GET /v1/connect'))
  expect(refused).toMatchObject({ code: 'unreachable', cause: expect.any(TypeError) })
  expect(refused.message).toBe(`unable to GET /v1/connect: fetch failed: connect ECONNREFUSED 127.0.0.1:${port}`)
  const unknown = await failure(callOf('http://nobody.invalid')('GET /v1/connect'))
  expect(unknown.message).toMatch(/fetch failed: getaddrinfo \w+ nobody\.invalid/)
  // Where no name server answers, it takes its time.
}, 60_000)

test('an answer of something else than the API is told from one of the API', async () => {
  const page = {
    ok: true,
    status: 200,
    headers: { get: () => null },
    text: async () => '<html>',
    blob: async () => new Blob(),
  }
  const other = await failure(callOf('http://page', async () => page)('GET /v1/connect'))
  expect(other).toMatchObject({ code: 'unreachable', message: expect.stringContaining('is not the API') })
  const proxy = await failure(
    callOf('http://page', async () => ({ ...page, ok: false, status: 502 }))('GET /v1/connect'),
  )
  expect(proxy).toMatchObject({ code: 'unavailable', message: 'unable to GET /v1/connect: status 502' })
})

test('in a browser, which hides why, what can be known is told', async () => {
  const hidden: Fetch = () => Promise.reject(new TypeError('Failed to fetch'))
  const at = async (api: string, page: string, onLine = true) => {
    vi.stubGlobal('location', new URL(page))
    vi.stubGlobal('navigator', { onLine })
    return (await failure(callOf(api, hidden)('GET /v1/me'))).message
  }
  const api = 'https://chat.example.org'
  expect(await at(api, 'https://app.example.org/x')).toContain('does not allow pages of https://app.example.org')
  expect(await at(api, `${api}/app`)).not.toContain('allow')
  expect(await at('http://chat.example.org', 'https://app.example.org')).toContain('https cannot call http')
  expect(await at(api, api, false)).toContain('offline')
})

test('a chain of causes is told once each, and has an end', () => {
  const tries = [new Error('connect ECONNREFUSED ::1:1'), new Error('connect ECONNREFUSED 127.0.0.1:1')]
  const both = Object.assign(new AggregateError(tries), { code: 'ECONNREFUSED' })
  const failed = new TypeError('fetch failed', { cause: both })
  expect(reasonOf(failed)).toBe('fetch failed: ECONNREFUSED: connect ECONNREFUSED ::1:1')
  both.cause = failed
  expect(reasonOf(failed)).toBe('fetch failed: ECONNREFUSED')
  expect(reasonOf('just a text')).toBe('just a text')
})
