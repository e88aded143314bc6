/** A fleet whose only way to PostgreSQL is a real PgBouncer, in both modes. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import {
  connectSocket,
  findPgBouncer,
  type PgBouncer,
  startPgBouncer,
  type TestDatabase,
  type TestSocket,
  testDatabase,
  until,
} from '@flotilla/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { type Processes, startProcesses } from './processes.testbed.ts'

const found = await findPgBouncer().catch((error: unknown) => String(error))
const isMissing = found.startsWith('Error')
if (isMissing) console.warn(`skipped: no fleet was tried behind PgBouncer: ${found}`)

let database: TestDatabase
let bouncer: PgBouncer | undefined
let processes: Processes | undefined
let sockets: TestSocket[] = []

afterEach(async () => {
  for (const socket of sockets) await socket.terminate()
  sockets = []
  await processes?.stop()
  await bouncer?.stop()
  await database?.drop()
})

async function call<T>(path: string, token: string | undefined, body?: object): Promise<T> {
  const response = await fetch(`${processes!.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return (await response.json()) as T
}

interface Person {
  readonly id: string
  readonly token: string
  readonly socket: TestSocket
}

async function join(username: string): Promise<Person> {
  const { user, accessToken: token } = await call<{ user: { id: string }; accessToken: string }>(
    '/v1/users',
    undefined,
    { username, password: 'correct horse battery staple' },
  )
  const { urls, ticket } = await call<{ urls: { url: string }[]; ticket: string }>('/v1/connect', token)
  const socket = await connectSocket({ url: urls[0]!.url, ticket })
  sockets.push(socket)
  return { id: user.id, token, socket }
}

describe.skipIf(isMissing).each(['session', 'transaction'] as const)('pool_mode = %s', mode => {
  test('the fleet starts on an empty database, people write to each other, and a later start finds nothing to wait for', {
    timeout: 60_000,
  }, async () => {
    database = await testDatabase({ key: 'empty', fill: () => Promise.resolve() })
    bouncer = await startPgBouncer(database.url, mode)
    processes = await startProcesses({ DATABASE_URL: bouncer.url })
    const [alice, bob] = [await join('alice'), await join('bob')]
    const { id: conversation } = await call<{ id: string }>('/v1/conversations', alice.token, {
      kind: 'direct',
      user: bob.id,
    })
    const sent = Array.from({ length: 30 }, (_, nth) =>
      (nth % 2 === 0 ? alice : bob).socket.request('message.send', {
        conversation,
        clientId: randomUUID(),
        body: { text: `message ${nth}` },
      }),
    )
    const seqs = (await Promise.all(sent)).map(answer => answer.seq)
    // The first entry is its opening.
    expect(seqs.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, nth) => nth + 2))
    const heard = () =>
      bob.socket.received.filter(one => 'event' in one && one.event === 'message.new' && one.by === alice.id)
    await until(() => heard().length === 15, { what: 'bob has heard alice' })
    const started = await promisify(execFile)(
      process.execPath,
      ['--conditions=source', fileURLToPath(new URL('../../api/src/migrate.ts', import.meta.url))],
      { env: { PATH: process.env['PATH'], DATABASE_URL: bouncer.url }, timeout: 20_000 },
    )
    expect(started.stdout).toContain('schema already up to date')
    for (const part of ['gateway', 'api', 'worker'] as const) expect(processes.log(part)).not.toMatch(/"level":[56]0/)
  })
})
