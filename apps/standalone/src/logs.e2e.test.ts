/**
 * A full run with every line of every log, in which people sign up, sign in, write and are pushed, and much fails on
 * purpose. Nothing that only they may know is in any line; and each line about a request or a connection says which.
 */
import { createECDH, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { createPool, type Pool } from '@flotilla/chat'
import { silentLogger } from '@flotilla/service'
import { connectSocket, freePort, type TestSocket, until } from '@flotilla/testing'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Part, parts, type Processes, startProcesses } from './processes.testbed.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 })

/** What must stand in no log, by what it is. */
const hidden = new Map<string, string>()
const hide = (what: string, text: string) => {
  hidden.set(what, text)
  return text
}
/** A text that is nowhere else. */
const marker = (what: string) => hide(what, `marker-${randomBytes(9).toString('hex')}`)

let fleet: Processes
let pool: Pool
let pushService: Server

interface Line {
  readonly msg: string
  readonly [field: string]: unknown
}

const linesOf = (part: Part) =>
  fleet
    .log(part)
    .split('\n')
    // The last one may be half written.
    .slice(0, -1)
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Line)

interface Call {
  readonly token?: string
  readonly body?: object
  readonly raw?: string
  readonly headers?: Record<string, string>
}

async function call(request: string, { token, body, raw, headers }: Call = {}) {
  const [method = '', path = ''] = request.split(' ')
  const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await fetch(fleet.url + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(payload === undefined ? {} : { body: payload }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : text }
}

let codes = 0
/** The code of the next mail to the address. */
async function codeFor(email: string, purpose: 'register' | 'sign-in'): Promise<{ request: string; code: string }> {
  const { body } = await call('POST /v1/codes', { body: { email, purpose } })
  const mail = await until(() => fleet.mails[codes], { what: `the mail to ${purpose}` })
  codes++
  const code = /^ {4}(\d{6})\r?$/m.exec(mail)?.[1] ?? ''
  expect(code).toHaveLength(6)
  return { request: body.request, code: hide(`code ${codes}`, code) }
}

function hideTokens(whose: string, body: { accessToken: string; refreshToken?: string }) {
  hide(`access token ${whose}`, body.accessToken)
  if (body.refreshToken !== undefined) hide(`refresh token ${whose}`, body.refreshToken)
}

const password = hide('password', `a long ${randomBytes(9).toString('hex')} password`)

async function signUp() {
  const email = hide('address', `${randomBytes(9).toString('hex')}@example.org`)
  const shown = await codeFor(email, 'register')
  const alice = await call('POST /v1/users', {
    body: { username: 'alice', displayName: marker('display name'), email: shown, password },
  })
  expect(alice.status).toBe(201)
  hideTokens('of alice', alice.body)
  const bob = await call('POST /v1/users', { body: { username: 'bob', password } })
  hideTokens('of bob', bob.body)
  return { email, alice: alice.body, bob: bob.body }
}

async function signIn(email: string) {
  const cookie = { 'x-flotilla-cookie': '1' }
  const signedIn = await call('POST /v1/sessions', { body: { username: 'alice', password }, headers: cookie })
  expect(signedIn.status).toBe(201)
  hideTokens('by password', signedIn.body)
  const set = /flotilla_refresh=([^;]+)/.exec(signedIn.headers.get('set-cookie') ?? '')?.[1] ?? ''
  hide('cookie', decodeURIComponent(set))
  const refreshed = await call('POST /v1/sessions/refresh', {
    body: {},
    headers: { ...cookie, cookie: `flotilla_refresh=${set}` },
  })
  expect(refreshed.status).toBe(200)
  hideTokens('refreshed', refreshed.body)
  const byCode = await call('POST /v1/sessions/with-code', { body: await codeFor(email, 'sign-in') })
  expect(byCode.status).toBe(201)
  hideTokens('by code', byCode.body)
  const wrong = { username: 'alice', password: marker('wrong password') }
  expect((await call('POST /v1/sessions', { body: wrong })).status).toBe(401)
  return refreshed.body
}

async function openSocket(token: string, requestId: string): Promise<TestSocket> {
  const { urls, ticket } = await until(
    async () => {
      const { status, body } = await call('GET /v1/connect', { token })
      return status === 200 && body
    },
    { what: 'the gateway is seen' },
  )
  hide(`ticket of ${requestId}`, ticket)
  return connectSocket({ url: urls[0].url, ticket, headers: { 'x-request-id': requestId } })
}

/** Requests and frames that fail by the fault of whoever sends them. */
async function misbehave(token: string, socket: TestSocket, url: string) {
  await call('POST /v1/sessions', { raw: `{"username": "${marker('unreadable body')}` })
  await call('POST /v1/sessions', { body: { username: 'alice', pasword: marker('field that is none') } })
  await call(`GET /v1/${marker('route that is none')}?token=${marker('query')}`)
  await call(`GET /v1/%E0%A4%A?${marker('unreadable URL')}`)
  await call(`GET /v1/providers/none/callback?state=${marker('state')}&code=${marker('code of a provider')}`)
  await call('GET /v1/me', { token: marker('token that is none') })
  await call('GET /v1/me', { headers: { authorization: `Basic ${marker('basic')}` } })
  await call('POST /v1/sessions/refresh', { body: { refreshToken: marker('refresh token that is none') } })
  await call('POST /v1/conversations', { token, body: { kind: 'direct', user: marker('user that is none') } })
  await expect(connectSocket({ url, ticket: marker('ticket that is none') })).rejects.toThrow('ticket_invalid')
  await socket.sendRaw(JSON.stringify({ id: 901, op: marker('op that is none') }))
  await socket.sendRaw(JSON.stringify({ id: 902, op: 'message.send', body: { text: marker('invalid message') } }))
  await socket.nextReply(902)
}

/** What fails by ours: the store refuses whatever is written, and says so with the row in hand. */
async function breakStore(token: string, socket: TestSocket, conversation: string, requestId: string) {
  const tables = ['messages', 'users', 'contact_requests']
  for (const table of tables) await pool.query(`ALTER TABLE ${table} ADD CONSTRAINT spoilt CHECK (false) NOT VALID`)
  const sent = await socket
    .request('message.send', { conversation, clientId: randomUUID(), body: { text: marker('refused message') } })
    .catch((error: unknown) => String(error))
  expect(sent).toContain('internal')
  const headers = { 'x-request-id': requestId }
  const changed = await call('PATCH /v1/me', { token, headers, body: { displayName: marker('refused name') } })
  expect([changed.status, changed.headers.get('x-request-id')]).toEqual([500, requestId])
  const asked = await call('POST /v1/contact-requests', {
    token,
    body: { username: 'bob', note: marker('refused note') },
  })
  expect(asked.status).toBe(500)
  for (const table of tables) await pool.query(`ALTER TABLE ${table} DROP CONSTRAINT spoilt`)
}

const requestIds = { socket: 'upgrade-0123456789', failing: 'failing-0123456789' }
let hello: TestSocket['hello']

/** A service that takes no push: it hangs up on whoever comes. */
async function startPushService(): Promise<string> {
  pushService = createServer(socket => void socket.on('error', () => {}).destroy()).listen(
    await freePort(),
    '127.0.0.1',
  )
  await once(pushService, 'listening')
  const address = pushService.address()
  return typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : ''
}

beforeAll(async () => {
  const pushHost = await startPushService()
  const vapid = createECDH('prime256v1')
  vapid.generateKeys()
  fleet = await startProcesses({
    LOG_LEVEL: 'trace',
    TRUSTED_PROXIES: '127.0.0.1',
    WEB_PUSH_HOSTS: pushHost,
    VAPID_PUBLIC_KEY: vapid.getPublicKey('base64url'),
    VAPID_PRIVATE_KEY: hide('VAPID key', vapid.getPrivateKey('base64url')),
    VAPID_SUBJECT: 'mailto:operator@harbour.example',
    PUSH_DELAY_MS: '0',
    PUSH_ATTEMPTS_MAX: '1',
  })
  fleet.secrets.forEach((secret, nth) => hide(`key ${nth}`, secret))
  pool = createPool({
    url: fleet.database.url,
    connectionsMax: 1,
    logger: silentLogger,
    applicationName: 'logs-test',
  })
  const { email, alice, bob } = await signUp()
  const { accessToken: token } = await signIn(email)
  const browser = createECDH('prime256v1')
  browser.generateKeys()
  const device = await call('POST /v1/devices', {
    token: bob.accessToken,
    body: {
      name: 'browser',
      platform: 'web',
      provider: 'webpush',
      subscription: {
        endpoint: `https://${pushHost}/${marker('endpoint')}`,
        keys: {
          p256dh: browser.getPublicKey('base64url'),
          auth: hide('secret of the subscription', randomBytes(16).toString('base64url')),
        },
      },
    },
  })
  expect(device.status).toBe(200)
  const socket = await openSocket(token, requestIds.socket)
  hello = socket.hello
  const group = await call('POST /v1/conversations', {
    token,
    body: { kind: 'group', name: marker('name of a group'), members: [bob.user.id] },
  })
  await socket.request('message.send', {
    conversation: group.body.id,
    clientId: randomUUID(),
    body: { text: marker('message') },
  })
  await call(`POST /v1/conversations/${group.body.id}/messages`, {
    token,
    body: { clientId: randomUUID(), body: { text: marker('message by REST') } },
  })
  const { urls } = (await call('GET /v1/connect', { token })).body
  await misbehave(token, socket, urls[0].url)
  await breakStore(token, socket, group.body.id, requestIds.failing)
  await until(() => linesOf('worker').some(line => line.msg === 'push dead-lettered'), { what: 'a push fails' })
  await call('DELETE /v1/sessions/current', { token: alice.accessToken })
  await socket.close()
  await until(() => linesOf('gateway').some(line => line['how'] === 'client'), { what: 'the socket is gone' })
})
afterAll(async () => {
  await pool?.end()
  await fleet?.stop()
  pushService?.close()
})

test('no content, token, ticket, code, cookie, password, key or address stands in any log', () => {
  expect(hidden.size).toBeGreaterThan(40)
  for (const part of parts) {
    const log = fleet.log(part)
    const found = [...hidden].filter(([what, text]) =>
      // Six digits alone could be part of any number, or of an id.
      what.startsWith('code ') && /^\d+$/.test(text)
        ? new RegExp(String.raw`(?<![\w.-])${text}(?![\w-])`).test(log)
        : log.includes(text) || log.includes(encodeURIComponent(text)),
    )
    expect([part, found.map(([what]) => what)]).toEqual([part, []])
  }
})

test('what is looked for would be found: each part has said what failed', () => {
  expect(linesOf('api').filter(line => line.msg === 'answered').length).toBeGreaterThan(15)
  expect(linesOf('api').filter(line => line.msg === 'request failed')).toHaveLength(2)
  expect(linesOf('gateway').map(line => line.msg)).toContain('entry refused by the store')
  expect(linesOf('worker').map(line => line.msg)).toContain('push dead-lettered')
})

test('each line about a request says which, and the edge and the caller know it by the same name', () => {
  const failed = linesOf('api').find(line => line['requestId'] === requestIds.failing && line['err'] !== undefined)
  expect(failed).toMatchObject({ method: 'PATCH', route: '/v1/me', err: { code: '23514' } })
  const answered = linesOf('api').filter(line => line.msg === 'answered')
  expect(answered.filter(line => !/^[\w.:-]{8,64}$/.test(String(line['requestId'])))).toEqual([])
  expect(answered.find(line => line['requestId'] === requestIds.failing)).toMatchObject({ status: 500 })
  // Each field once: a line is read by machines.
  const twice = fleet
    .log('api')
    .split('\n')
    .filter(line => line.split('"requestId"').length > 2)
  expect(twice).toEqual([])
})

test('each line about a connection names it as hello did, and by the request that opened it', () => {
  const names = { connectionId: hello.connection, requestId: requestIds.socket }
  const about = linesOf('gateway').filter(line => line['connectionId'] === hello.connection)
  expect(about.map(line => line.msg)).toEqual(['handshake completed', 'message.send failed', 'connection closed'])
  for (const line of about) expect(line).toMatchObject(names)
  expect(about[1]).toMatchObject({ op: 'message.send', level: 50 })
  const refused = linesOf('gateway').find(line => line['how'] === 'ticket_invalid')
  expect(refused?.['connectionId']).toMatch(/^gateway-1-/)
})
