/** What is revoked over REST closes its sockets on the gateway within two seconds (P8), and nothing else. */
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type CloseName, closeCodes } from '@flotilla/protocol'
import { silentLogger } from '@flotilla/service'
import { connectSocket, dropFolder, makeFolder, type TestSocket, watchAwake } from '@flotilla/testing'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { type Standalone, startStandalone } from './standalone.ts'

vi.setConfig({ testTimeout: 60_000 })

const password = 'correct horse battery staple'
let standalone: Standalone
let folder: string

beforeAll(async () => {
  folder = makeFolder('revocations')
  standalone = await startStandalone({
    folder,
    host: '127.0.0.1',
    port: 0,
    logger: silentLogger,
    eventLoopDelayMsMax: 60_000,
  })
  return async () => {
    await standalone.stop()
    dropFolder(folder)
  }
})

async function call(
  route: string,
  token?: string,
  body?: object,
  tries = 10,
): Promise<{ status: number; body: ReturnType<typeof JSON.parse> }> {
  const [method, path] = route.split(' ') as [string, string]
  const response = await fetch(standalone.url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const { error } = text === '' ? {} : JSON.parse(text)
  // A machine with much else to do sheds: then one comes back when it says, as any client.
  if (response.status === 503 && tries > 1) {
    await sleep(error.retryMs)
    return call(route, token, body, tries - 1)
  }
  if (response.status >= 500) throw new Error(`${route}: ${response.status} ${text}`)
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
}

interface Device {
  readonly session: string
  readonly token: string
  readonly refreshToken: string
  readonly socket: TestSocket
}

async function device(route: 'POST /v1/users' | 'POST /v1/sessions', username: string): Promise<Device> {
  const { body } = await call(route, undefined, { username, password })
  const { session, accessToken: token, refreshToken } = body
  return { session, token, refreshToken, socket: await socketOf(token) }
}

async function socketOf(token: string): Promise<TestSocket> {
  const { body } = await call('GET /v1/connect', token)
  const socket = await connectSocket({ url: body.urls[0].url, ticket: body.ticket })
  onTestFinished(async () => void (await socket.terminate()))
  return socket
}

const isOpen = async ({ socket }: Device) =>
  socket.request('ping', {}).then(
    () => true,
    () => false,
  )

/** Does something and waits until these sockets are closed. @returns how long after the answer the slowest was */
async function closing(
  devices: readonly Device[],
  act: () => Promise<{ status: number }>,
  status = 204,
  how: CloseName = 'session_ended',
) {
  expect(await Promise.all(devices.map(isOpen))).toEqual(devices.map(() => true))
  expect((await act()).status).toBe(status)
  const awake = watchAwake()
  const closed = await Promise.all(devices.map(one => one.socket.closed))
  const closedAfterMs = awake.ms()
  awake.stop()
  for (const one of closed) expect(one.code).toBe(closeCodes[how].code)
  return closedAfterMs
}

test('one session that is revoked from another', async () => {
  const [laptop, phone] = [await device('POST /v1/users', 'one'), await device('POST /v1/sessions', 'one')]
  expect(await closing([phone], () => call(`DELETE /v1/sessions/${phone.session}`, laptop.token))).toBeLessThan(2_000)
  expect(await isOpen(laptop)).toBe(true)
  expect((await call('GET /v1/connect', phone.token)).status).toBe(401)
  const { body } = await call('POST /v1/sessions/refresh', undefined, { refreshToken: phone.refreshToken })
  expect(body.error.code).toBe('refresh_token_invalid')
})

test('all others at once, then all', async () => {
  const [laptop, phone, tablet] = [
    await device('POST /v1/users', 'sam'),
    await device('POST /v1/sessions', 'sam'),
    await device('POST /v1/sessions', 'sam'),
  ]
  expect(await closing([phone, tablet], () => call('DELETE /v1/sessions', laptop.token))).toBeLessThan(2_000)
  expect(await isOpen(laptop)).toBe(true)
  expect(await closing([laptop], () => call('DELETE /v1/sessions?current=true', laptop.token))).toBeLessThan(2_000)
})

test('a sign-out', async () => {
  const [laptop, phone] = [await device('POST /v1/users', 'out'), await device('POST /v1/sessions', 'out')]
  const second = await socketOf(phone.token)
  expect(await closing([phone], () => call('DELETE /v1/sessions/current', phone.token))).toBeLessThan(2_000)
  expect((await second.closed).code).toBe(closeCodes.session_ended.code)
  expect(await isOpen(laptop)).toBe(true)
})

test('a refresh token that is shown again by somebody else', async () => {
  const phone = await device('POST /v1/users', 'reused')
  const refresh = (agent: string) =>
    fetch(`${standalone.url}/v1/sessions/refresh`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': agent },
      body: JSON.stringify({ refreshToken: phone.refreshToken }),
    })
  expect((await refresh('the app')).status).toBe(200)
  expect(await closing([phone], () => refresh('the thief'), 401)).toBeLessThan(2_000)
})

test('asking for the end of the account closes the others', async () => {
  const [laptop, phone] = [await device('POST /v1/users', 'leaving'), await device('POST /v1/sessions', 'leaving')]
  expect(await closing([phone], () => call('PUT /v1/me/deletion', laptop.token), 200)).toBeLessThan(2_000)
  expect(await isOpen(laptop)).toBe(true)
})

test('a suspension, here by the command line of operators, which finds the store by its folder', async () => {
  const phone = await device('POST /v1/users', 'suspended')
  const main = fileURLToPath(new URL('operate.ts', import.meta.url))
  const operate = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['--conditions=source', main, ...args], {
      env: { ...process.env, FLOTILLA_FOLDER: folder },
      timeout: 50_000,
    }).then(() => ({ status: 204 }))
  const suspend = () => operate('suspend', 'suspended', '--reason', 'Spam', '--until', '2d')
  expect(await closing([phone], suspend, 204, 'account_suspended')).toBeLessThan(2_000)
  for (const again of [
    call('GET /v1/me', phone.token),
    call('POST /v1/sessions', undefined, { username: 'suspended', password }),
  ]) {
    const { status, body } = await again
    expect({ status, code: body.error.code }).toEqual({ status: 403, code: 'account_suspended' })
    expect(body.error.until).toBeGreaterThan(Date.now())
  }
})
