/** Two gateways that share a Redis: what one person, and one network address, may take of them together. */
import { randomUUID } from 'node:crypto'
import { createPool, type Pool } from '@flotilla/chat'
import { closeCodes, type Event } from '@flotilla/protocol'
import { createRedisRouting, type RoutingStore } from '@flotilla/routing'
import { createRegistry, generateSecretKey, parseSecretKeys, signTicket, silentLogger } from '@flotilla/service'
import {
  connectSocket,
  type Frame,
  makeConversation,
  makeSessions,
  makeUsers,
  type RedisServer,
  startRedis,
  type TestDatabase,
  type TestSocket,
  testDatabase,
  until,
} from '@flotilla/testing'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createGateway, type Gateway } from './gateway.ts'
import type { GatewayOptions } from './options.ts'
import { testGateway } from './gateway.testbed.ts'

const masterKeys = parseSecretKeys(generateSecretKey('m'))
const ticketKeys = parseSecretKeys(generateSecretKey('t'))
let database: TestDatabase
let redis: RedisServer
let pool: Pool
let gateways: Gateway[] = []
let stores: RoutingStore[] = []
let opened: TestSocket[] = []

beforeAll(async () => {
  ;[database, redis] = await Promise.all([testDatabase(), startRedis()])
  pool = createPool({ url: database.url, connectionsMax: 16, logger: silentLogger, applicationName: 'test' })
})
afterAll(async () => {
  await pool.end()
  await database.drop()
  await redis.stop()
})
afterEach(async () => {
  await Promise.all(opened.map(socket => socket.terminate()))
  await Promise.all(gateways.map(gateway => gateway.drain()))
  await Promise.all(stores.map(store => store.close()))
  ;[opened, gateways, stores] = [[], [], []]
  if (!redis.running()) await redis.restart()
})

/** Two of them, in a place of Redis that no other test uses. */
async function open(more: Partial<GatewayOptions>): Promise<[Gateway, Gateway]> {
  const keyPrefix = randomUUID()
  for (const nodeId of ['n1', 'n2']) {
    const routing = await createRedisRouting({ url: redis.url, keyPrefix, fleetKeys: masterKeys, logger: silentLogger })
    stores.push(routing)
    gateways.push(
      await createGateway({
        ...testGateway,
        pool,
        routing,
        logger: silentLogger,
        registry: createRegistry({ node: nodeId }),
        masterKeys,
        ticketKeys,
        nodeId,
        ...more,
      }),
    )
  }
  return gateways as [Gateway, Gateway]
}

async function people(count: number) {
  const users = await makeUsers(pool, count)
  const sessions = await makeSessions(pool, users)
  return users.map((user, nth) => ({ user, session: sessions[nth]! }))
}
type Person = Awaited<ReturnType<typeof people>>[number]

async function connect(gateway: Gateway, person: Person, headers: Record<string, string> = {}): Promise<TestSocket> {
  const url = `ws://127.0.0.1:${gateway.port}/v1/socket`
  const socket = await connectSocket({ url, ticket: signTicket(ticketKeys, person, Date.now()), headers })
  opened.push(socket)
  return socket
}

const refusedWith = (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error: { reason?: string; message?: string }) => (error.reason ? (JSON.parse(error.reason) as object) : error),
  )
const from = (address: string) => ({ 'x-forwarded-for': address })
const text = (value: string) => ({ clientId: randomUUID(), body: { text: value } })
const isNew = (frame: Frame): frame is Event & { event: 'message.new'; by: string } =>
  'event' in frame && frame.event === 'message.new'

/** Next to nothing comes back within a test. */
const seldom = 0.001

test('a flood by one account with many sockets is cut to its budget, and a bystander gets and gives all frames', async () => {
  const fanoutBurst = 200
  const [one, two] = await open({
    chat: { fanoutPerSecond: seldom, fanoutBurst, messagesPerSecond: 1_000, messagesBurst: 1_000 },
  })
  const [mallory, alice, bob, ...crowd] = await people(30)
  const group = await makeConversation(
    pool,
    [mallory!, alice!, ...crowd].map(({ user }) => user),
  )
  const direct = await makeConversation(pool, [alice!.user, bob!.user], 'direct')
  const flooding = await Promise.all(Array.from({ length: 12 }, (_, nth) => connect(nth % 2 ? one : two, mallory!)))
  const [hers, his] = [await connect(one, alice!), await connect(two, bob!)]

  const flood = flooding.flatMap(socket =>
    Array.from({ length: 40 }, () => socket.request('message.send', { conversation: group, ...text('x') })),
  )
  const talk = Array.from({ length: 50 }, (_, nth) => [
    hers.request('message.send', { conversation: direct, ...text(`hers ${nth}`) }),
    his.request('message.send', { conversation: direct, ...text(`his ${nth}`) }),
  ]).flat()
  const answers = await Promise.allSettled(flood)
  await Promise.all(talk)
  await until(
    () => [hers, his].every(socket => socket.received.filter(f => isNew(f) && f.by !== mallory!.user).length >= 50),
    {
      what: 'the two have all of each other',
    },
  )

  const admitted = answers.filter(one => one.status === 'fulfilled').length
  // 29 people and the six own connections of a node, of 200: on each of two nodes at most.
  expect(admitted).toBeGreaterThan(0)
  expect(admitted).toBeLessThanOrEqual(2 * Math.floor(fanoutBurst / (29 + 6)))
  for (const answer of answers)
    if (answer.status === 'rejected')
      expect(answer.reason).toMatchObject({ code: 'rate_limited', body: { retryMs: expect.any(Number) } })
  const heard = hers.received.filter(frame => isNew(frame) && frame.by === mallory!.user).length
  expect(heard).toBeLessThanOrEqual(admitted)

  await expect(flooding[0]!.request('message.send', { conversation: group, ...text('y') })).rejects.toMatchObject({
    code: 'rate_limited',
  })
  await flooding[0]!.request('ping', {})
})

test('commands of a person are counted over all of their connections and both nodes', async () => {
  const [one, two] = await open({ commandsPerSecond: seldom, commandsBurst: 100 })
  const [eve] = (await people(1)) as [Person]
  const here = await Promise.all([connect(one, eve), connect(one, eve), connect(one, eve)])
  const there = await connect(two, eve)
  const pings = (socket: TestSocket, count: number) =>
    Promise.allSettled(Array.from({ length: count }, () => socket.request('ping', {})))
  const answers = (await Promise.all(here.map(socket => pings(socket, 90)))).flat()
  const answered = answers.filter(answer => answer.status === 'fulfilled').length
  // Twice what a connection may.
  expect(answered).toBe(200)
  // What is taken there is settled, and then that node knows of what was taken here.
  await pings(there, 10)
  await until(async () => (await pings(there, 1))[0]!.status === 'rejected', { what: 'the other node has heard' })
})

test('an address, or a person, has no more sockets than it may, on whatever node', async () => {
  const [one, two] = await open({ socketsPerAddressMax: 4, connectionsPerPersonMax: 3, trustedProxies: ['127.0.0.1'] })
  const [eve] = (await people(1)) as [Person]
  for (const address of ['198.51.100.1', '198.51.100.2']) await connect(one, eve, from(address))
  const all = await people(8)
  for (const person of all.slice(0, 4)) await connect(one, person, from('192.0.2.1'))
  const refused = await refusedWith(connect(one, all[4]!, from('192.0.2.1')))
  expect(refused).toEqual({ code: 'address_limited', retryMs: expect.any(Number) })
  // The others hear of it with the next telling.
  await until(
    async () => {
      const attempt = await refusedWith(connect(two, all[5]!, from('192.0.2.1')))
      return (attempt as { code?: string } | undefined)?.code === 'address_limited'
    },
    { what: 'the other node knows', withinMs: 30_000, everyMs: 500 },
  )
  await connect(two, all[6]!, from('192.0.2.2'))
  const third = await connect(two, eve, from('198.51.100.3'))
  let newest = third
  await until(
    async () => {
      await connect(two, eve, from('198.51.100.4')).then(socket => (newest = socket))
      if (!third.open) return true
      await newest.close()
      return false
    },
    { what: 'of those there the oldest is closed', withinMs: 30_000, everyMs: 500 },
  )
  expect((await third.closed).code).toBe(closeCodes.too_many_connections.code)
  expect(newest.open).toBe(true)
  expect(opened.filter(socket => socket.hello.user === eve.user && socket.open)).toHaveLength(3)
})

test('an address has its budget of connects before the node, and an IPv6 network of 64 bits is one address', async () => {
  const [one] = await open({ connectsPerAddressMax: 3, connectsPerSecond: 5, trustedProxies: ['127.0.0.1'] })
  const all = await people(10)
  const attempts: unknown[] = []
  for (const [nth, person] of all.slice(0, 8).entries())
    attempts.push(await refusedWith(connect(one, person, from(`1.2.3.4, 2001:db8::${nth + 1}`))))
  expect(attempts.slice(0, 3)).toEqual([undefined, undefined, undefined])
  // As many again are told why, the rest before the upgrade.
  for (const told of attempts.slice(3, 6)) expect(told).toMatchObject({ code: 'address_limited' })
  for (const silent of attempts.slice(6)) expect(String(silent)).toMatch(/429/)
  // Five sockets a second are what the node takes: the flood has used up three of them.
  await connect(one, all[8]!, from('2001:db8:0:1::1'))
  await connect(one, all[9]!, from('192.0.2.3'))
  expect(closeCodes.address_limited.code).toBe(4106)
})

test('without Redis each node keeps to its budgets by itself', async () => {
  const [one, two] = await open({
    connectsPerPersonMax: 3,
    chat: { fanoutPerSecond: seldom, fanoutBurst: 6, messagesPerSecond: 1_000, messagesBurst: 1_000 },
  })
  const [eve, bob] = (await people(2)) as [Person, Person]
  const direct = await makeConversation(pool, [eve.user, bob.user], 'direct')
  await redis.kill()
  await until(() => one.node.state() !== 'up' && two.node.state() !== 'up', { what: 'they know', withinMs: 20_000 })
  const sockets = [await connect(one, eve), await connect(one, eve), await connect(one, eve)]
  expect(await refusedWith(connect(one, eve))).toEqual({ code: 'too_many_connections', retryMs: 60_000 })
  const send = () => sockets[0]!.request('message.send', { conversation: direct, ...text('x') })
  // Two people and three connections.
  await send()
  await expect(send()).rejects.toMatchObject({ code: 'rate_limited' })
  await (await connect(two, eve)).request('message.send', { conversation: direct, ...text('x') })
})
