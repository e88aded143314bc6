/** How a gateway starts, waits and stays, as a process whose stores are away. Liveness never asks for them. */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { migrate } from '@flotilla/chat'
import { generateSecretKey } from '@flotilla/service'
import {
  dropFolder,
  freePort,
  freshDatabase,
  makeCertificate,
  makeFolder,
  type PostgresServer,
  type RedisServer,
  type StartedProcess,
  startPostgres,
  startProcess,
  startRedis,
  until,
} from '@flotilla/testing'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const timeout = 90_000
const keys = { MASTER_KEYS: generateSecretKey('m'), TICKET_KEYS: generateSecretKey('t') }
let postgres: PostgresServer
let redis: RedisServer
let databaseUrl: string
let folders: string[] = []
let gateway: StartedProcess | undefined
let operatorPort: number

beforeAll(async () => {
  ;[postgres, redis] = await Promise.all([startPostgres(), startRedis()])
  databaseUrl = (await freshDatabase(postgres.url)).url
})
afterAll(async () => {
  await Promise.all([postgres.drop(), redis.stop()])
})
afterEach(async () => {
  await gateway?.end('SIGKILL')
  for (const folder of folders) dropFolder(folder)
  folders = []
})

const ask = async (path: string) => {
  const answer = await fetch(`http://127.0.0.1:${operatorPort}${path}`, { signal: AbortSignal.timeout(20_000) })
  return `${answer.status} ${(await answer.text()).trim()}`
}
const isLive = async () => (await ask('/healthz')) === '200 ok'
const isReady = async () => (await ask('/readyz')) === '200 ready'
const within = { withinMs: 40_000, everyMs: 100 }

/** Starts one; resolves as soon as its operator port answers. */
async function start(settings: Readonly<Record<string, string>> = {}): Promise<StartedProcess> {
  operatorPort = await freePort()
  const folder = makeFolder('start')
  folders.push(folder)
  gateway = await startProcess({
    command: process.execPath,
    args: ['--conditions=source', main],
    folder,
    env: {
      NODE_ID: 'starts',
      HOST: '127.0.0.1',
      PORT: String(await freePort()),
      OPERATOR_HOST: '127.0.0.1',
      OPERATOR_PORT: String(operatorPort),
      DATABASE_URL: databaseUrl,
      REDIS_URL: redis.url,
      ...keys,
      DRAIN_MS: '0',
      ...settings,
    },
    ready: isLive,
    readyWithinMs: 40_000,
  })
  return gateway
}

test('PostgreSQL away at the start: it lives, is not ready, and becomes so by itself', { timeout }, async () => {
  await postgres.stop()
  const started = await start()
  await until(async () => (await ask('/readyz')) === '503 PostgreSQL does not answer', {
    what: 'it says so',
    ...within,
  })
  expect(await isLive()).toBe(true)
  await postgres.start()
  await until(isReady, { what: 'it is ready', ...within })
  expect(started.running()).toBe(true)
})

test('PostgreSQL away later: it lives, is not ready, and becomes so again', { timeout }, async () => {
  const started = await start()
  await until(isReady, { what: 'it is ready', ...within })
  await postgres.stop('immediate')
  await until(async () => (await ask('/readyz')) === '503 the store does not answer', { what: 'it says so', ...within })
  expect(await isLive()).toBe(true)
  await postgres.start()
  await until(isReady, { what: 'it is ready again', ...within })
  expect(started.running()).toBe(true)
})

test('Redis away at the start: it is ready for whoever comes here, and joins the fleet later', {
  timeout,
}, async () => {
  await redis.kill()
  await start()
  await until(isReady, { what: 'it is ready', ...within })
  const isUp = async () => /^flotilla_routing_up\{[^}]*\} 1$/m.test(await ask('/metrics'))
  expect(await isUp()).toBe(false)
  await redis.restart()
  await until(isUp, { what: 'it is in the fleet', ...within })
  expect(await isReady()).toBe(true)
})

test('with MIGRATE=false it waits for the schema, and never makes it', { timeout }, async () => {
  const { url } = await freshDatabase(postgres.url, { key: 'empty', fill: () => Promise.resolve() })
  const started = await start({ DATABASE_URL: url, MIGRATE: 'false' })
  const older = '503 the schema is older than this version: it lacks 0001-core.sql'
  await until(async () => (await ask('/readyz')) === older, { what: 'it says so', ...within })
  expect(await isLive()).toBe(true)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  expect((await client.query("SELECT FROM pg_tables WHERE schemaname = 'public'")).rowCount).toBe(0)
  await client.end()
  await migrate(url)
  await until(isReady, { what: 'it is ready', ...within })
  expect(started.running()).toBe(true)
})

test('the wait is bounded, and a mistake is not waited for', { timeout }, async () => {
  const away = `postgres://nobody@127.0.0.1:${await freePort()}/none`
  expect(await ending({ DATABASE_URL: away, MIGRATE_WAIT_MS: '1000' })).toContain(
    'unable to start: PostgreSQL does not answer (waited 1000 ms)',
  )
  expect(await ending({ DATABASE_URL: new URL('/missing', databaseUrl).href })).toContain(
    'database \\"missing\\" does not exist',
  )
})

/** Starts one that cannot, which may be over before anybody has asked it. @returns its log */
async function ending(settings: Readonly<Record<string, string>>): Promise<string> {
  try {
    const started = await start(settings)
    expect(await started.exited).toBe(1)
    return started.log()
  } catch (error) {
    return String(error)
  }
}

test('told to end while it waits, it ends at once', { timeout }, async () => {
  const away = `postgres://nobody@127.0.0.1:${await freePort()}/none`
  const started = await start({ DATABASE_URL: away })
  await until(async () => (await ask('/readyz')).includes('PostgreSQL'), { what: 'it waits', ...within })
  started.signal('SIGTERM')
  expect(await started.exited).toBe(0)
})

test('in a pod it tells the API server what deleting it costs', { timeout }, async () => {
  const { certificate, key } = makeCertificate()
  const told: string[] = []
  const server = createServer({ key, cert: certificate }, (request, response) => {
    told.push(`${request.method} ${request.url} ${request.headers.authorization}`)
    response.end('{}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const account = makeFolder('service-account')
  folders.push(account)
  writeFileSync(join(account, 'token'), 'secret')
  writeFileSync(join(account, 'ca.crt'), certificate)
  try {
    await start({
      DELETION_COST: 'true',
      POD_NAME: 'gateway-1',
      POD_NAMESPACE: 'chat',
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String((server.address() as AddressInfo).port),
      SERVICE_ACCOUNT_FOLDER: account,
    })
    await until(() => told.length > 0, { what: 'it tells', ...within })
    expect(told).toEqual(['PATCH /api/v1/namespaces/chat/pods/gateway-1 Bearer secret'])
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
