import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createNode, createRedisRouting } from '@flotilla/routing'
import { generateSecretKey, parseSecretKeys, silentLogger, verifyTicket } from '@flotilla/service'
import {
  dropFolder,
  freePort,
  makeFolder,
  type StartedProcess,
  startProcess,
  startRedis,
  testDatabase,
  until,
} from '@flotilla/testing'
import { beforeAll, expect, test } from 'vitest'
import { generateTokenKey } from './sign-in/tokens.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const ticketKeys = generateSecretKey('ticket')
let settings: Record<string, string>
let api: StartedProcess
let redisUrl: string

const at = (path: string) => `http://127.0.0.1:${settings['PORT']}${path}`
const operator = (path: string) => fetch(`http://127.0.0.1:${settings['OPERATOR_PORT']}${path}`)

async function call(method: string, path: string, token: string | undefined, body?: object) {
  const response = await fetch(at(path), {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: JSON.parse((await response.text()) || 'null') }
}

const register = async (username: string) =>
  (await call('POST', '/v1/users', undefined, { username, password: 'correct horse battery' })).body

beforeAll(async () => {
  const [database, redis] = await Promise.all([testDatabase(), startRedis()])
  redisUrl = redis.url
  const folder = makeFolder('api')
  settings = {
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
    OPERATOR_HOST: '127.0.0.1',
    OPERATOR_PORT: String(await freePort()),
    NODE_ID: 'api-test',
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    MASTER_KEYS: generateSecretKey('master'),
    TICKET_KEYS: ticketKeys,
    REFRESH_KEYS: generateSecretKey('refresh'),
    TOKEN_KEYS: generateTokenKey(),
    STORAGE_FOLDER: join(folder, 'files'),
    // On a busy machine every process is late now and then.
    EVENT_LOOP_DELAY_MS_MAX: '60000',
    // For long enough to be seen to work on.
    DRAIN_WAIT_MS: '8000',
  }
  api = await startProcess({
    command: process.execPath,
    args: ['--conditions=source', main],
    folder,
    env: settings,
    ready: async () => (await operator('/readyz')).ok,
  })
  return async () => {
    await api.end('SIGTERM')
    await redis.stop()
    await database.drop()
    dropFolder(folder)
  }
})

test('a message posted over REST reaches a socket on a gateway, and connect names that gateway', async () => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  const frames: { event: string; body?: { text: string } }[] = []
  const fleetKeys = parseSecretKeys(settings['MASTER_KEYS']!)
  const routing = await createRedisRouting({ url: redisUrl, fleetKeys, logger: silentLogger })
  const gateway = createNode({
    id: 'gateway-test',
    store: routing,
    logger: silentLogger,
    info: () => ({ kind: 'gateway', url: 'ws://gateway/v1/socket', region: 'local', connections: 1, accepting: true }),
    ports: {
      deliver: (_users, frame) => {
        frames.push(JSON.parse(frame))
        return []
      },
      deliverByInterest: () => {},
      absent: () => {},
      suspect: () => {},
      presenceChanged: () => {},
    },
  })
  try {
    await gateway.start()
    await gateway.connect(bob.user.id)
    // They do not know each other: whoever opens what they were asked into accepts it.
    const opened = await call('POST', '/v1/conversations', bob.accessToken, { kind: 'direct', user: alice.user.id })
    await call('POST', '/v1/conversations', alice.accessToken, { kind: 'direct', user: bob.user.id })
    const body = { clientId: randomUUID(), body: { text: 'over the wire' } }
    expect((await call('POST', `/v1/conversations/${opened.body.id}/messages`, alice.accessToken, body)).status).toBe(
      201,
    )
    await until(() => frames.length === 4, { what: 'all of it arrives' })
    const events = ['conversation.created', 'member.added', 'conversation.answered', 'message.new']
    expect(frames.map(frame => frame.event)).toEqual(events)
    expect(frames[3]?.body?.text).toBe('over the wire')
    const connect = await until(
      async () => {
        const answer = await call('GET', '/v1/connect', bob.accessToken)
        return answer.status === 200 && answer.body
      },
      { what: 'the gateway is seen' },
    )
    expect(connect.urls).toEqual([{ url: 'ws://gateway/v1/socket', region: 'local' }])
    expect(verifyTicket(parseSecretKeys(ticketKeys), connect.ticket, Date.now())).toMatchObject({ user: bob.user.id })
  } finally {
    await gateway.stop()
    await routing.close()
  }
})

test('operators see its figures on a port of their own', async () => {
  const metrics = await (await operator('/metrics')).text()
  expect(metrics).toMatch(/flotilla_api_request_duration_seconds_count\{.*route="\/v1\/users"/)
  expect((await fetch(at('/metrics'))).status).toBe(404)
  expect((await fetch(at('/readyz'))).status).toBe(200)
})

test('on SIGTERM it says that it is not ready, works on, and ends by itself', async () => {
  api.signal('SIGTERM')
  await until(async () => (await operator('/readyz')).status === 503, { what: 'it is not ready' })
  expect((await fetch(at('/healthz'))).status).toBe(200)
  expect(await api.exited).toBe(0)
})
