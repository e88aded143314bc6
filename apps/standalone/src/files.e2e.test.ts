/**
 * At the file limit: whoever opens more sockets than a process may have files reaches nothing by it. The operator port
 * answers, the stores are reached, and the next who comes is served.
 */
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { generateTokenKey } from '@flotilla/api'
import { generateSecretKey } from '@flotilla/service'
import {
  dropFolder,
  freePort,
  makeFolder,
  type StartedProcess,
  startProcess,
  type TestDatabase,
  testDatabase,
  type TestRedis,
  testRedis,
  until,
} from '@flotilla/testing'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

/** 150 are kept, and one for each connection to PostgreSQL. */
const filesMax = 260
const floodSockets = 400
const within = { withinMs: 30_000, everyMs: 100 }

const keys = {
  MASTER_KEYS: generateSecretKey('m'),
  TICKET_KEYS: generateSecretKey('t'),
  REFRESH_KEYS: generateSecretKey('r'),
  TOKEN_KEYS: generateTokenKey(),
}
let database: TestDatabase
let redis: TestRedis
let folder: string
let started: StartedProcess | undefined
let flood: Socket[] = []

beforeAll(async () => {
  ;[database, redis] = await Promise.all([testDatabase(), testRedis()])
  folder = makeFolder('files')
})
afterAll(async () => {
  await redis.stop()
  await database.drop()
  dropFolder(folder)
})
afterEach(async () => {
  for (const socket of flood) socket.destroy()
  flood = []
  await started?.end('SIGKILL')
})

interface Ports {
  readonly port: number
  readonly operatorPort: number
}

async function start(part: 'gateway' | 'api', settings: Readonly<Record<string, string>>): Promise<Ports> {
  const [port, operatorPort] = [await freePort(), await freePort()]
  started = await startProcess({
    command: process.execPath,
    args: ['--conditions=source', fileURLToPath(new URL(`../../${part}/src/main.ts`, import.meta.url))],
    launcher: ['/bin/sh', '-c', `ulimit -n ${filesMax}; exec "$@"`, 'sh'],
    folder,
    env: {
      NODE_ID: part,
      HOST: '127.0.0.1',
      PORT: String(port),
      OPERATOR_HOST: '127.0.0.1',
      OPERATOR_PORT: String(operatorPort),
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      STORAGE_FOLDER: folder,
      ...keys,
      ...settings,
    },
    ready: async () => (await ask(operatorPort, '/readyz')).startsWith('200'),
    readyWithinMs: 40_000,
  })
  return { port, operatorPort }
}

async function ask(port: number, path: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(30_000),
  })
  return `${answer.status} ${await answer.text()}`
}

/** Sockets that say nothing, more than there are files. Resolves when each was taken, by the process or for it. */
async function openFlood(port: number): Promise<void> {
  for (let nth = 0; nth < floodSockets; nth++) {
    const socket = connect({ host: '127.0.0.1', port })
    flood.push(socket.on('error', () => {}).on('end', () => {}))
  }
  await until(() => flood.every(socket => !socket.connecting), { what: 'all were taken', ...within })
}

test.each([
  ['gateway', { CONNECTIONS_MAX: '90', DATABASE_CONNECTIONS_MAX: '6' }, '/nothing', '404'],
  ['api', { REQUESTS_IN_FLIGHT_MAX: '90', DATABASE_CONNECTIONS_MAX: '6' }, '/v1/me', '401'],
] as const)(
  'the %s',
  async (part, settings, path, status) => {
    const { port, operatorPort } = await start(part, settings)
    await openFlood(port)
    for (let nth = 0; nth < 5; nth++) {
      expect(await ask(operatorPort, '/healthz')).toBe('200 ok\n')
      expect(await ask(operatorPort, '/readyz')).toBe('200 ready\n')
    }
    const files = /^process_open_fds(?:\{[^}]*\})? (\d+)$/m.exec(await ask(operatorPort, '/metrics'))?.[1]
    expect(Number(files)).toBeLessThan(filesMax - 20)
    for (const socket of flood) socket.destroy()
    await until(async () => (await ask(port, path)).startsWith(status), { what: 'it serves the next', ...within })
  },
  90_000,
)

test('a limit that CONNECTIONS_MAX cannot be reached with is refused at the start', async () => {
  const ended = await start('gateway', { CONNECTIONS_MAX: '105', DATABASE_CONNECTIONS_MAX: '6' }).catch(String)
  expect(ended).toContain('CONNECTIONS_MAX is 105, but a file limit of 260 allows at most 104')
}, 60_000)
