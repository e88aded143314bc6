import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Logger, silentLogger } from '@flotilla/service'
import {
  connectSocket,
  dropFolder,
  freePort,
  makeFolder,
  type TestDatabase,
  type TestRedis,
  testDatabase,
  testRedis,
  until,
} from '@flotilla/testing'
import { afterEach, expect, test, vi } from 'vitest'
import { type Standalone, type StandaloneOptions, startStandalone } from './standalone.ts'

// Each starts servers and processes, some several times.
vi.setConfig({ testTimeout: 180_000 })
const root = fileURLToPath(new URL('../../..', import.meta.url))
const logger: Logger = silentLogger
const undo: (() => Promise<unknown> | void)[] = []

afterEach(async () => {
  for (const run of undo.splice(0).toReversed()) await run()
})

function folderFor(name: string): string {
  const folder = makeFolder(name)
  undo.push(() => dropFolder(folder))
  return folder
}

async function start(folder: string, more: Partial<StandaloneOptions> = {}): Promise<Standalone> {
  const standalone = await startStandalone({
    folder,
    host: '127.0.0.1',
    port: 0,
    logger,
    bounds: { directFrom: 'anyone' },
    eventLoopDelayMsMax: 60_000,
    ...more,
  })
  undo.push(() => standalone.stop())
  return standalone
}

interface Person {
  readonly id: string
  readonly token: string
}

async function call<T>(
  url: string,
  method: string,
  path: string,
  token?: string,
  body?: object,
  tries = 10,
): Promise<T> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  // A machine with much else to do sheds: then one comes back when it says, as any client.
  if (response.status === 503 && text.includes('"overloaded"') && tries > 1) {
    await sleep((JSON.parse(text) as { error: { retryMs: number } }).error.retryMs)
    return call(url, method, path, token, body, tries - 1)
  }
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return JSON.parse(text) as T
}

async function person(url: string, path: '/v1/users' | '/v1/sessions', username: string): Promise<Person> {
  const password = `the password of ${username}`
  const signedIn = await call<{ user: { id: string }; accessToken: string }>(url, 'POST', path, undefined, {
    username,
    password,
  })
  return { id: signedIn.user.id, token: signedIn.accessToken }
}

async function socketOf(url: string, { token }: Person) {
  const { urls, ticket } = await call<{ urls: { url: string }[]; ticket: string }>(url, 'GET', '/v1/connect', token)
  expect(new URL(urls[0]!.url).host).toBe(new URL(url).host)
  const socket = await connectSocket({ url: urls[0]!.url, ticket })
  undo.push(() => socket.terminate())
  return socket
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
const postgresPid = (folder: string) =>
  Number(readFileSync(join(folder, 'postgres/postmaster.pid'), 'utf8').split('\n')[0])

/** What the tests of one start have said, and what the next start must know. */
async function chat(url: string) {
  const alice = await person(url, '/v1/users', 'alice')
  const bob = await person(url, '/v1/users', 'bob')
  const [a, b] = [await socketOf(url, alice), await socketOf(url, bob)]
  const direct = await call<{ id: string }>(url, 'POST', '/v1/conversations', alice.token, {
    kind: 'direct',
    user: bob.id,
  })
  const send = { conversation: direct.id, clientId: randomUUID(), body: { text: 'Hello, bob' } }
  const sent = await a.request('message.send', send)
  const heard = await b.nextEvent('message.new')
  expect(heard).toMatchObject({ ...send, seq: sent.seq, at: sent.at, by: alice.id })
  const answered = await b.request('message.send', {
    conversation: direct.id,
    clientId: randomUUID(),
    body: { text: 'Hello, alice' },
    replyTo: sent.seq,
  })
  expect(await a.nextEvent('message.new')).toMatchObject({ seq: answered.seq, replyTo: sent.seq })
  return { a, b, conversation: direct.id, texts: ['Hello, bob', 'Hello, alice'] }
}

async function textsAsBob(url: string, conversation: string) {
  const bob = await person(url, '/v1/sessions', 'bob')
  const page = await call<{ entries: { event: string; body?: { text: string } }[] }>(
    url,
    'GET',
    `/v1/conversations/${conversation}/messages`,
    bob.token,
  )
  return page.entries.filter(entry => entry.event === 'message.new').map(entry => entry.body?.text)
}

test('two people chat on one port, and the next start knows what was said', async () => {
  const folder = folderFor('standalone')
  const first = await start(folder)
  const { a, b, conversation, texts } = await chat(first.url)
  // Whoever is away while it is started anew is back within five seconds.
  expect(a.hello.reconnect.maxMs).toBeLessThan(5_000)
  const pid = postgresPid(folder)
  await first.stop()
  expect((await a.closed).code).toBe(4000)
  expect((await b.closed).code).toBe(4000)
  expect(isAlive(pid)).toBe(false)
  await expect(fetch(first.url)).rejects.toThrow()

  const operatorPort = await freePort()
  const second = await start(folder, { operator: { host: '127.0.0.1', port: operatorPort } })
  expect(await textsAsBob(second.url, conversation)).toEqual(texts)
  const docs = await fetch(`${second.url}/docs`)
  expect(await docs.text()).toContain('Flotilla API')
  expect((await fetch(`${second.url}/readyz`)).status).toBe(200)
  expectFiguresInPaper(await (await fetch(`http://127.0.0.1:${operatorPort}/metrics`)).text())
})

/** One process that does all of it exports every figure of docs/metrics.md, each once. */
function expectFiguresInPaper(metrics: string) {
  const paper = readFileSync(join(root, 'docs/metrics.md'), 'utf8')
  const exported = [...metrics.matchAll(/^# TYPE (flotilla_\w+)/gm)].map(([, name = '']) => name)
  const named = [...paper.matchAll(/^\| `(flotilla_\w+)`/gm)].map(([, name = '']) => name)
  expect(exported.toSorted()).toEqual(named.toSorted())
}

test('what cannot be had is said, and nothing is left running', async () => {
  const folder = folderFor('standalone')
  const running = await start(folder)
  await expect(start(folder)).rejects.toThrow(/unable to use .*another Flotilla is running on it/)
  // The one that runs is none the worse for it.
  expect((await fetch(`${running.url}/readyz`)).status).toBe(200)
  await running.stop()

  const other = createServer().listen(0, '127.0.0.1')
  undo.push(() => void other.close())
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  await expect(start(folder, { port })).rejects.toThrow(`unable to listen on 127.0.0.1:${port}: the port is in use`)
  await expect(start(folder, { operator: { host: '127.0.0.1', port } })).rejects.toThrow('unable to listen on')
  expect(existsSync(join(folder, 'postgres/postmaster.pid'))).toBe(false)

  renameSync(join(folder, 'keys.json'), join(folder, 'kept.json'))
  await expect(start(folder)).rejects.toThrow('its keys.json is missing')
  renameSync(join(folder, 'kept.json'), join(folder, 'keys.json'))
  writeFileSync(join(folder, 'postgres/postgresql.auto.conf'), 'no_such_setting = 1\n')
  await expect(start(folder)).rejects.toThrow(/unable to start PostgreSQL.*unrecognized configuration parameter/s)
})

test('servers of the operator are used where they are named', async () => {
  const folder = folderFor('standalone')
  const database: TestDatabase = await testDatabase()
  const redis: TestRedis = await testRedis()
  undo.push(
    () => database.drop(),
    () => redis.stop(),
  )
  const options = { databaseUrl: database.url, redisUrl: redis.url, nodeId: randomUUID() }
  const standalone = await start(folder, options)
  const { conversation, texts } = await chat(standalone.url)
  expect(existsSync(join(folder, 'postgres'))).toBe(false)
  await standalone.stop()
  expect(await textsAsBob((await start(folder, { databaseUrl: database.url })).url, conversation)).toEqual(texts)
})

// ── as a process ───────────────────────────────────────────────────────────────────────────────────────────────────

async function npmStart(folder: string): Promise<{ child: ChildProcess; url: string; output: () => string }> {
  const port = await freePort()
  const child = spawn('npm', ['start'], {
    cwd: root,
    env: {
      ...process.env,
      PORT: String(port),
      FLOTILLA_FOLDER: folder,
      DATABASE_URL: '',
      REDIS_URL: '',
      DIRECT_FROM: 'anyone',
      NODE_OPTIONS: '',
    },
    // A group of its own, as a terminal makes it: Ctrl-C goes to all of it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (text: Buffer) => (output += text.toString()))
  child.stderr.on('data', (text: Buffer) => (output += text.toString()))
  undo.push(() => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL')
  })
  await until(() => output.includes('Flotilla is up') || child.exitCode !== null, {
    what: 'npm start is up',
    // The first start builds the web client.
    withinMs: 120_000,
  })
  expect(output).toContain(`"msg":"Flotilla is up: http://localhost:${port}"`)
  return { child, url: `http://localhost:${port}`, output: () => output }
}

test('Ctrl-C ends npm start cleanly', async () => {
  const folder = folderFor('standalone')
  const { child, url, output } = await npmStart(folder)
  const { a } = await chat(url)
  const pid = postgresPid(folder)
  process.kill(-child.pid!, 'SIGINT')
  // Not `exit`: what it has said may still be on its way then.
  const [code] = (await once(child, 'close')) as [number | null]
  expect(output()).toContain('Stopped.')
  // Nobody reads a pipe: but for what npm says itself, all of it is JSON.
  const lines = output().split('\n')
  for (const line of lines.filter(one => one !== '' && !one.startsWith('> ')))
    expect(() => JSON.parse(line) as unknown, line).not.toThrow()
  expect(code).toBe(0)
  expect((await a.closed).code).toBe(4000)
  expect(isAlive(pid)).toBe(false)
})

test('after a crash the store ends too, and the next start finds everything', async () => {
  const folder = folderFor('standalone')
  const { child, url } = await npmStart(folder)
  const { conversation, texts } = await chat(url)
  const pid = postgresPid(folder)
  process.kill(-child.pid!, 'SIGKILL')
  // Of the whole group: npm and Node hold its output open.
  await once(child, 'close')
  const next = await start(folder)
  expect(isAlive(pid)).toBe(false)
  expect(await textsAsBob(next.url, conversation)).toEqual(texts)
  await next.stop()
  // As a crash of the whole machine leaves it: the number is another process's by now.
  writeFileSync(
    join(folder, 'postgres/postmaster.pid'),
    `${process.pid}\n${join(folder, 'postgres')}\n1\n1\n\n\n\nready\n`,
  )
  expect(await textsAsBob((await start(folder)).url, conversation)).toEqual(texts)
})

test('when PostgreSQL ends by itself, it is told', async () => {
  const folder = folderFor('standalone')
  const fault = Promise.withResolvers<Error>()
  const standalone = await start(folder, { onFault: fault.resolve })
  process.kill(postgresPid(folder), 'SIGQUIT')
  expect((await fault.promise).message).toContain('PostgreSQL ended')
  await standalone.stop()
})

/** Whether a page of this origin may call the API, with its cookie, as a browser asks before it does. */
async function mayCall(url: string, origin: string): Promise<boolean> {
  const { headers } = await fetch(`${url}/v1/users`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
  })
  return (
    headers.get('access-control-allow-origin') === origin && headers.get('access-control-allow-credentials') === 'true'
  )
}

test('what would have been mailed and pushed is shown, to this machine alone', async () => {
  const own = await start(folderFor('inbox'))
  for (const origin of ['http://localhost:5173', 'https://localhost', 'http://127.0.0.1:3000', 'http://[::1]:8100'])
    expect(await mayCall(own.url, origin), origin).toBe(true)
  for (const origin of ['http://localhost.evil.example', 'http://evil.example', 'http://10.0.0.7:3000', 'null'])
    expect(await mayCall(own.url, origin), origin).toBe(false)
  const { pathname, search } = new URL(own.devInboxUrl!)
  expect(pathname + search).toMatch(/^\/dev\/mail\?key=[\w-]{22}$/)
  expect((await fetch(`${own.url}/dev/mail`)).status).toBe(404)
  const inbox = () => call<{ subject: string; text: string }[]>(own.url, 'GET', `/dev/mail.json${search}`)
  await call(own.url, 'POST', '/v1/codes', undefined, { email: 'ada@example.org', purpose: 'register' })
  await until(async () => (await inbox()).some(mail => /\b\d{6}\b/.test(mail.text)), { what: 'the code is there' })

  const [ada, bob] = [await person(own.url, '/v1/users', 'ada'), await person(own.url, '/v1/users', 'bob')]
  await call(own.url, 'POST', '/v1/devices', bob.token, {
    name: 'phone',
    platform: 'android',
    provider: 'fcm',
    token: 'a-token',
  })
  const { id } = await call<{ id: string }>(own.url, 'POST', '/v1/conversations', ada.token, {
    kind: 'direct',
    user: bob.id,
  })
  await call(own.url, 'POST', `/v1/conversations/${id}/messages`, ada.token, {
    clientId: randomUUID(),
    body: { text: 'a secret' },
  })
  await until(async () => (await inbox()).some(mail => mail.subject === 'Push: ada'), { what: 'the push is there' })
  expect(JSON.stringify(await inbox())).not.toContain('a secret')
})

test('where others get here, no code is shown, and none is made', async () => {
  const port = await freePort()
  const open = await start(folderFor('open'), {
    port,
    publicUrl: 'https://chat.example.org',
    allowedOrigins: ['https://app.example.org'],
  })
  expect(open.devInboxUrl).toBeUndefined()
  const url = `http://127.0.0.1:${port}`
  expect((await fetch(`${url}/dev/mail`)).status).toBe(404)
  const page = await fetch(url)
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/)
  expect(await page.text()).toContain('--url https://chat.example.org --as alice')
  expect((await fetch(url, { method: 'HEAD' })).status).toBe(200)
  const [wrong, plain] = [await fetch(url, { method: 'POST' }), await fetch(`${url}/v1/socket`)]
  expect([wrong.status, wrong.headers.get('allow'), plain.status]).toEqual([405, 'GET, HEAD', 426])
  expect(await mayCall(url, 'https://app.example.org')).toBe(true)
  expect(await mayCall(url, 'http://localhost:5173')).toBe(false)
  await expect(
    call(url, 'POST', '/v1/codes', undefined, { email: 'ada@example.org', purpose: 'register' }),
  ).rejects.toThrow('mail_disabled')
})

test('behind a proxy people are told apart by what it says, and nobody is shown a code', async () => {
  const port = await freePort()
  const proxied = await start(folderFor('proxied'), {
    port,
    trustedProxies: ['127.0.0.0/8'],
    addressHeader: 'forwarded',
  })
  expect(proxied.devInboxUrl).toBeUndefined()
  const wrong = async (forwarded: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', forwarded },
      body: JSON.stringify({ username: 'nobody-here', password: 'a wrong password' }),
    })
    return answer.status
  }
  const tries: number[] = []
  for (let turn = 0; turn < 17; turn++) tries.push(await wrong(`for="203.0.113.7:${50_000 + turn}";proto=https`))
  expect(tries.filter(status => status === 401)).toHaveLength(15)
  expect(tries.slice(15)).toEqual([429, 429])
  expect(await wrong('for=203.0.113.8')).toBe(401)
})
