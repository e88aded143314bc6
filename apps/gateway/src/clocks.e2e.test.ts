/**
 * A gateway on a machine whose clock is wrong: Date is set, and stands still; PostgreSQL and the monotonic clock are right.
 */
import { createPool, type Pool } from '@flotilla/chat'
import { createMemoryBus, createMemoryRouting } from '@flotilla/routing'
import {
  clockSkewMsMax,
  createRegistry,
  generateSecretKey,
  type Logger,
  parseSecretKeys,
  signTicket,
  silentLogger,
  ticketLifeMs,
} from '@flotilla/service'
import {
  connectSocket,
  makeSessions,
  makeUsers,
  type TestDatabase,
  type TestSocket,
  testDatabase,
  until,
} from '@flotilla/testing'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { createGateway, type Gateway } from './gateway.ts'
import { testGateway } from './gateway.testbed.ts'

const hourMs = 3_600_000
const masterKeys = parseSecretKeys(generateSecretKey('m'))
const ticketKeys = parseSecretKeys(generateSecretKey('t'))
const warned: { message: string; fields: object }[] = []
const logger: Logger = {
  ...silentLogger,
  warn: (fields: object, message: string) => void warned.push({ fields, message }),
} as unknown as Logger
let database: TestDatabase
let pool: Pool
let gateway: Gateway
let who: { user: string; session: string }
let opened: TestSocket[] = []
/** Before it is set. */
const began = { date: Date.now(), steady: performance.now() }
/** What time it is. */
const trueNow = () => began.date + performance.now() - began.steady
const isOff = (byMs: number) => vi.setSystemTime(trueNow() + byMs)

beforeAll(async () => {
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 5, logger: silentLogger, applicationName: 'test' })
})
beforeEach(async () => {
  warned.length = 0
  vi.useFakeTimers({ toFake: ['Date'] })
  isOff(60_000)
  gateway = await createGateway({
    ...testGateway,
    pool,
    routing: createMemoryRouting(createMemoryBus()),
    logger,
    registry: createRegistry({}),
    masterKeys,
    ticketKeys,
    nodeId: 'n',
    commandsPerSecond: 1,
    commandsBurst: 4,
    drainMs: 100,
    chat: { pulseMs: 50 },
  })
  const [user] = (await makeUsers(pool, 1)) as [string]
  who = { user, session: (await makeSessions(pool, [user]))[0]! }
})
afterEach(async () => {
  vi.useRealTimers()
  await Promise.all(opened.splice(0).map(socket => socket.terminate()))
  await gateway.drain()
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})

async function connect(signedAgoMs = 0): Promise<TestSocket> {
  const ticket = signTicket(ticketKeys, who, Math.round(trueNow() - signedAgoMs))
  const socket = await connectSocket({ url: `ws://127.0.0.1:${gateway.port}/v1/socket`, ticket })
  opened.push(socket)
  return socket
}

test.each([
  ['a minute ahead', 60_000],
  ['an hour behind', -hourMs],
])('%s it takes tickets, and tells the time of the store', async (_, byMs) => {
  isOff(byMs)
  const socket = await connect()
  const isNear = (at: number) => Math.abs(at - trueNow()) < 10_000
  expect(isNear((await socket.request('ping', {})).at)).toBe(true)
  expect(isNear(gateway.chat.clock())).toBe(true)
  expect(Math.abs(gateway.chat.clockSkewMs() - byMs)).toBeLessThan(10_000)
  await until(() => warned.some(({ message }) => message === 'clock differs from that of postgres'), {
    what: 'it is said',
  })
})

test.each([
  ['expired', 'for too long', ticketLifeMs + clockSkewMsMax + 60_000],
  ['early', 'in the future', -clockSkewMsMax - 60_000],
] as const)(
  'a ticket that is %s is refused with the time to come back, and it is said why',
  async (fault, _, agoMs) => {
    const closed = await connect(agoMs).catch((error: { reason: string }) => JSON.parse(error.reason) as object)
    expect(closed).toEqual({ code: 'ticket_invalid', retryMs: expect.any(Number) })
    const { retryMs } = closed as { retryMs: number }
    expect(retryMs).toBeGreaterThanOrEqual(1_000)
    expect(retryMs).toBeLessThan(3_000)
    await connect(agoMs).catch(() => {})
    const said = warned.filter(({ message }) => message === 'tickets refused')
    // Once, and not for each: the next line comes a minute later.
    expect(said).toMatchObject([{ fields: { [fault]: 1, clockSkewMs: expect.any(Number) } }])
  },
)

test('a ticket of a clock that differs by a little is borne with', async () => {
  // Half of what is borne with: the other half is for a machine that stands still.
  await connect(ticketLifeMs + clockSkewMsMax / 2)
  await connect(-clockSkewMsMax / 2)
})

test('set back by an hour it keeps no rate any longer than before, and sends are acknowledged', async () => {
  const socket = await connect()
  const tooOften = async () => {
    for (let turn = 0; turn < 20; turn++)
      if ((await socket.request('ping', {}).catch((error: { code?: string }) => error.code)) === 'rate_limited') return
    throw new Error('the rate was never reached')
  }
  await tooOften()
  isOff(-hourMs)
  await tooOften()
  await until(
    () =>
      socket.request('ping', {}).then(
        () => true,
        () => false,
      ),
    {
      what: 'there is room again',
      // Whoever asks too often for too long is closed.
      everyMs: 1_100,
    },
  )
})
