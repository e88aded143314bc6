/** Somebody in very many conversations who comes back with many devices at once, and somebody else beside them. */
import { createPool, type Pool } from '@flotilla/chat'
import { createMemoryBus, createMemoryRouting } from '@flotilla/routing'
import { createRegistry, generateSecretKey, parseSecretKeys, signTicket, silentLogger } from '@flotilla/service'
import {
  connectSocket,
  makeConversation,
  makeConversations,
  makeSessions,
  makeUsers,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGateway, type Gateway } from './gateway.ts'
import { testGateway } from './gateway.testbed.ts'

const ticketKeys = parseSecretKeys(generateSecretKey('t'))
const devices = 16
let database: TestDatabase
let pool: Pool
let gateway: Gateway

beforeAll(async () => {
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 6, logger: silentLogger, applicationName: 'test' })
  gateway = await createGateway({
    ...testGateway,
    pool,
    routing: createMemoryRouting(createMemoryBus()),
    logger: silentLogger,
    registry: createRegistry({ node: 'n1' }),
    masterKeys: parseSecretKeys(generateSecretKey('m')),
    ticketKeys,
    nodeId: 'n1',
  })
})
afterAll(async () => {
  await gateway?.drain()
  await pool?.end()
  await database?.drop()
})

test('all devices are answered, one after the other, and the other person waits for none of them', async () => {
  const [crowd, bob] = (await makeUsers(pool, 2)) as [string, string]
  const [session, other] = (await makeSessions(pool, [crowd, bob])) as [string, string]
  const groups = Array.from({ length: 3_000 }, () => ({ kind: 'group' as const, members: [crowd] }))
  await pool.query('UPDATE conversations SET head_seq = 9 WHERE id = ANY($1)', [await makeConversations(pool, groups)])
  const own = await makeConversation(pool, [bob])
  const connect = (user: string, session: string) =>
    connectSocket({
      url: `ws://127.0.0.1:${gateway.port}/v1/socket`,
      ticket: signTicket(ticketKeys, { user, session }, Date.now()),
      keep: false,
    })
  const many = await Promise.all(Array.from({ length: devices }, () => connect(crowd, session)))
  const bystander = await connect(bob, other)

  // Who holds how many connections of the pool for a resume. The store answers the crowd when the bystander was answered.
  let [held, most] = [0, 0]
  const gate = Promise.withResolvers<void>()
  const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<unknown>
  pool.query = (async (...args: unknown[]) => {
    const { name, values } = args[0] as { name?: string; values?: unknown[] }
    const isTheirs = name?.startsWith('resume-') === true && (values?.[0] === crowd || name === 'resume-gaps')
    if (isTheirs) most = Math.max(most, ++held)
    try {
      if (isTheirs && values?.[0] === crowd) await gate.promise
      return await query(...args)
    } finally {
      if (isTheirs) held--
    }
  }) as typeof pool.query

  let answered = 0
  const resumes = many.map(async socket => {
    let pages = 0
    for (let after: string | undefined; ; pages++) {
      const reply = await socket.request(
        'sync.resume',
        { cursors: [], start: 'latest', ...(after ? { after } : {}) },
        60_000,
      )
      if (reply.next === undefined) break
      after = reply.next
    }
    answered++
    return pages + 1
  })
  const { verdicts } = await bystander.request('sync.resume', { cursors: [{ conversation: own, seq: 1 }] })
  expect(verdicts).toMatchObject([{ conversation: own }])
  expect(answered).toBe(0)
  gate.resolve()
  expect(await Promise.all(resumes)).toEqual(Array(devices).fill(3))
  expect(most).toBe(1)
  await Promise.all([bystander, ...many].map(socket => socket.close()))
}, 60_000)
