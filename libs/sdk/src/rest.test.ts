/**
 * The calls are typed by the routes that libs/protocol declares: what does not fit does not compile, as the first test shows.
 * The rest looks at what types cannot say.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { errors } from '@flotilla/protocol'
import { refusalsOf, rest as declared, type Route } from '@flotilla/protocol/schemas'
import { beforeEach, expect, test } from 'vitest'
import { avatarUrl } from './avatar-url.ts'
import { systemClock } from './clock.ts'
import { createCall, type Fetch } from './http.ts'
import type { Ask } from './rest/ask.ts'
import { createRest } from './rest.ts'
import type { StoredSession } from './session-keeper.ts'
import { createSignIn } from './sign-in.ts'

const routes = Object.values<Readonly<Record<string, Route>>>(declared).flatMap(feature => Object.values(feature))
const routeAt = new Map<string, Route>(routes.map(route => [route.at, route]))

// ── an API that answers what the test says ───────────────────────────────────────────────────────────────────────────

let asked: { at: string; headers: Readonly<Record<string, string>>; body: Parameters<Fetch>[1]['body'] }[]
let answers: unknown[]

const fakeFetch: Fetch = async (url, { method, headers, body }) => {
  asked.push({ at: `${method} ${url.replace('https://api', '')}`, headers, body })
  const answer = answers.shift()
  return {
    ok: true,
    status: 200,
    headers: { get: () => null },
    text: async () => (answer === undefined ? '' : JSON.stringify(answer)),
    blob: async () => answer as Blob,
  }
}

const id = '00000000-0000-4000-8000-000000000001'
const user = { id, username: 'ann', displayName: 'Ann', avatar: id }
const signedIn = {
  user,
  session: id,
  accessToken: 'a',
  accessTokenExpiresInMs: 600_000,
  refreshToken: 'r',
  device: 'd',
}
const session: StoredSession = { ...signedIn, accessTokenExpiresAt: Number.POSITIVE_INFINITY }
const toUse = { rpId: 'x', challenge: 'c', timeout: 1, userVerification: 'required' as const }
const created = {
  id: 'pk',
  rawId: 'pk',
  type: 'public-key' as const,
  response: { clientDataJSON: 'a', attestationObject: 'b' },
}
const used = { ...created, response: { clientDataJSON: 'a', authenticatorData: 'b', signature: 'c' } }
const passkeys = { create: async () => created, get: async () => used }

const call = createCall({
  api: 'https://api',
  fetch: fakeFetch,
  clock: systemClock,
  timeoutMs: 1_000,
  fileTimeoutMs: 1,
})
const rest = createRest(call, async () => 'a')
const account = createSignIn('https://api', {
  fetch: fakeFetch,
  sessions: { load: async () => session, save: async () => {} },
  passkeys,
})
const bodyOf = (number: number) => JSON.parse(asked[number]?.body as string) as unknown

beforeEach(() => {
  asked = []
  answers = []
})

// ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────────

test('what is no route, brings the wrong things or expects the wrong answer does not compile', () => {
  const ask = call as Ask
  const wrong = async () => {
    // @ts-expect-error there is no such route
    await ask('GET /v1/nothing')
    // @ts-expect-error it needs no session, and must be given no token
    await ask('POST /v1/codes', { body: { email: 'ann@example.org', purpose: 'register' } })
    // @ts-expect-error it is for operators
    await ask('GET /v1/operator/reports')
    // @ts-expect-error the path has a parameter
    await ask('GET /v1/users/{id}')
    // @ts-expect-error the body has another field
    await ask('PATCH /v1/conversations/{id}', { id, body: { title: 'Crew' } })
    // @ts-expect-error the query has another type
    await ask('GET /v1/contacts', { query: { limit: 'many' } })
    // @ts-expect-error the answer has another field
    void (await rest.me()).phone
    const file: Blob = await rest.account.exportData()
    const nothing: undefined = await rest.blocks.block(id)
    return [file, nothing]
  }
  expect(wrong).toBeTypeOf('function')
})

// ── what the sources say ─────────────────────────────────────────────────────────────────────────────────────────────

const sources = [
  'rest.ts',
  'sign-in.ts',
  'session-keeper.ts',
  ...readdirSync(`${import.meta.dirname}/rest`).map(name => `rest/${name}`),
]
const text = sources.map(name => readFileSync(`${import.meta.dirname}/${name}`, 'utf8')).join('\n')
const urls = (code: string) => [...code.matchAll(/'((?:GET|POST|PUT|PATCH|DELETE) \/[^']+)'/g)].map(match => match[1]!)

/** What the SDK has no method for, and why. Nor has it any for operators. */
const without: Readonly<Record<string, string>> = {
  health: 'for machines',
  ready: 'for machines',
  getJwks: 'for servers that check access tokens',
  getOpenApi: 'the document itself',
  getAvatar: 'a page shows it by its URL: avatarUrl',
  uploadFile: 'the answer that creates an upload says where it goes',
  openAuthorization: 'the browser goes there',
  finishAuthorization: 'the browser comes back there',
}

test('every route has a method, or a reason to have none', () => {
  const covered = new Set(urls(text))
  const lacking = routes.filter(route => route.needs !== 'operator' && !covered.has(route.at)).map(route => route.id)
  expect(lacking.sort()).toEqual(Object.keys(without).sort())
})

test('a method says that it throws what its route can refuse', () => {
  const methods = text.split('/**').map(part => part.split('*/'))
  const said = methods.flatMap(([comment = '', code = '']) => {
    const [, thrown = ''] = comment.split('@throws FlotillaError')
    const codes = [...thrown.matchAll(/[a-z_]+/g)].map(([word]) => word).filter(word => word in errors)
    const refused = urls(code).flatMap(at => refusalsOf(routeAt.get(at)!) as readonly string[])
    return refused.length === 0 ? [] : codes.map(code => ({ at: urls(code), code, isRefused: refused.includes(code) }))
  })
  expect(said.length).toBeGreaterThan(50)
  expect(said.filter(one => !one.isRefused)).toEqual([])
})

// ── what is sent ─────────────────────────────────────────────────────────────────────────────────────────────────────

test('a path is filled in and escaped, and query, body and token go where they belong', async () => {
  answers = [{ users: [] }]
  expect(await rest.people.search('a&b')).toEqual({ users: [] })
  await rest.passkeys.rename('a/b?', 'Key')
  expect(asked).toMatchObject([
    { at: 'GET /v1/people?q=a%26b', headers: { authorization: 'Bearer a' } },
    {
      at: 'PATCH /v1/me/passkeys/a%2Fb%3F',
      headers: { authorization: 'Bearer a', 'content-type': 'application/json' },
    },
  ])
  expect(bodyOf(1)).toEqual({ name: 'Key' })
  await account.sendCode({ email: 'ann@example.org', purpose: 'sign-in' })
  expect(asked[2]?.headers['authorization']).toBeUndefined()
})

test.each([
  ['they had asked already', { user, at: 1 }, { contact: { user, at: 1 } }],
  [
    'they are asked',
    { id, from: user, to: user, note: '', at: 1 },
    { request: { id, from: user, to: user, note: '', at: 1 } },
  ],
  ['nothing is told', {}, {}],
])('a contact request: %s', async (_name, answer, brought) => {
  answers = [answer]
  expect(await rest.contacts.request({ username: 'bob' })).toEqual(brought)
})

test('a passkey is asked for, brought by the browser, and handed in with its challenge', async () => {
  const begun = { challenge: id, options: toUse }
  answers = [begun, { id: 'pk' }, begun, signedIn, begun, signedIn, { options: toUse }, signedIn, begun, undefined]
  await rest.passkeys.add({ name: 'Key', create: passkeys.create })
  expect(await account.registerWithPasskey({ username: 'ann', deviceName: 'd' })).toEqual(user)
  expect(await account.signInWithPasskey({ deviceName: 'd' })).toEqual({ user })
  expect(await account.finishSignIn({ challenge: id, factor: 'passkey' })).toEqual(user)
  await account.reauthenticate({ factor: 'passkey' })
  expect(asked.map(one => one.at)).toEqual([
    'POST /v1/me/passkeys/options',
    'POST /v1/me/passkeys',
    'POST /v1/users/with-passkey/options',
    'POST /v1/users/with-passkey',
    'POST /v1/passkeys/options',
    'POST /v1/sessions/with-passkey',
    'POST /v1/sessions/second-factor/passkey',
    'POST /v1/sessions/second-factor',
    'POST /v1/sessions/current/reauthentication/passkey',
    'POST /v1/sessions/current/reauthentication',
  ])
  expect([1, 3, 5, 7, 9].map(bodyOf)).toEqual([
    { challenge: id, passkey: created, name: 'Key' },
    { challenge: id, passkey: created, deviceName: 'd' },
    { challenge: id, passkey: used, deviceName: 'd' },
    { challenge: id, factor: 'passkey', passkey: used },
    { challenge: id, factor: 'passkey', passkey: used },
  ])
})

// ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────────

test('a picture lies where the API shows it', () => {
  const { at } = declared.avatars.getAvatar
  for (const size of [64, 256, 640] as const)
    expect(`GET ${avatarUrl('https://api/', id, size)}`).toBe(
      at.replace('{id}', id).replace('{size}', String(size)).replace('/v1', 'https://api/v1'),
    )
  expect(avatarUrl('https://api', null, 64)).toBeUndefined()
})

const place = { upload: id, url: `/v1/uploads/${id}`, method: 'PUT', fields: {}, expiresInMs: 1 }
const picture = new Uint8Array([1, 2, 3])

test('a picture for the API goes there in the person’s name, and is taken then', async () => {
  answers = [place, undefined, user]
  expect(await rest.profile.uploadAvatar(picture)).toEqual(user)
  const [, sent] = asked
  expect(sent).toMatchObject({ at: declared.avatarFiles.uploadFile.at.replace('{id}', id), body: picture })
  expect(sent?.headers).toMatchObject({ authorization: 'Bearer a', 'content-type': 'application/octet-stream' })
})

test('a picture for a store elsewhere goes there as a form, without the token, and is taken then', async () => {
  const fields = { key: 'k', policy: 'p' }
  answers = [{ ...place, url: 'https://store.example/bucket', method: 'POST', fields }, undefined, user]
  expect(await rest.profile.uploadAvatar(picture)).toEqual(user)
  const [, sent] = asked
  expect(sent).toMatchObject({ at: 'POST https://store.example/bucket' })
  expect(sent?.headers).toEqual({})
  const form = sent?.body as FormData
  expect([...form.keys()]).toEqual(['key', 'policy', 'file'])
  expect(await (form.get('file') as File).bytes()).toEqual(picture)
  expect(bodyOf(2)).toEqual({ upload: id })
})

test('a picture that is too large is not even sent', async () => {
  const large = new Uint8Array(5_242_881)
  for (const send of [rest.profile.setAvatar, rest.profile.uploadAvatar])
    await expect(send(large)).rejects.toMatchObject({ code: 'image_invalid', rule: 'at most 5242880 bytes' })
  expect(asked).toEqual([])
})
