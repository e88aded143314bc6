/** Signals that a client does not get, because it reads too slowly or because Redis lost them: it is told, on its connection. */
import { randomUUID } from 'node:crypto'
import { createPool, type Pool } from '@flotilla/chat'
import { createMemoryBus, createMemoryRouting, type RoutingStore } from '@flotilla/routing'
import {
  createRegistry,
  generateSecretKey,
  parseSecretKeys,
  type Registry,
  signTicket,
  silentLogger,
} from '@flotilla/service'
import {
  connectSocket,
  makeConversation,
  makeSessions,
  makeUsers,
  type TestDatabase,
  type TestSocket,
  testDatabase,
  until,
} from '@flotilla/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createGateway, type Gateway } from './gateway.ts'
import { testGateway } from './gateway.testbed.ts'

const masterKeys = parseSecretKeys(generateSecretKey('m'))
const ticketKeys = parseSecretKeys(generateSecretKey('t'))
/** What can be dropped is from a quarter of it on, and the kernel takes some more before. */
const sendQueueBytesMax = 4_194_304
let database: TestDatabase
let pool: Pool
let gateways: Gateway[]
let opened: TestSocket[]
/** Envelopes with frames that are lost on their way from here on. */
let losses: number

beforeEach(async () => {
  gateways = []
  opened = []
  losses = 0
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 8, logger: silentLogger, applicationName: 'signals-test' })
})
afterEach(async () => {
  for (const socket of opened) await socket.close()
  for (const gateway of gateways) await gateway.drain()
  await pool.end()
  await database.drop()
})

async function open(nodeId: string, routing: RoutingStore): Promise<{ gateway: Gateway; registry: Registry }> {
  const registry = createRegistry({})
  const gateway = await createGateway({
    ...testGateway,
    sendQueueBytesMax,
    sendQueuesBytesMax: 4 * sendQueueBytesMax,
    pool,
    routing,
    logger: silentLogger,
    registry,
    masterKeys,
    ticketKeys,
    nodeId,
  })
  gateways.push(gateway)
  return { gateway, registry }
}

async function connect(gateway: Gateway, user: string): Promise<TestSocket> {
  const [session] = await makeSessions(pool, [user])
  const ticket = signTicket(ticketKeys, { user, session: session! }, Date.now())
  const socket = await connectSocket({ url: `ws://127.0.0.1:${gateway.port}/v1/socket`, ticket })
  opened.push(socket)
  return socket
}

async function metric(registry: Registry, series: string): Promise<number> {
  const line = (await registry.metrics()).split('\n').find(one => one.startsWith(`${series} `))
  return Number(line?.split(' ')[1])
}

const entry = (conversation: string, seq: number, text: string) =>
  ({
    class: 'entry',
    event: {
      event: 'message.new',
      conversation,
      seq,
      epoch: 1,
      at: 1,
      by: randomUUID(),
      clientId: randomUUID(),
      body: { text },
    },
    entry: { conversation, seq },
  }) as const
const blocked = (user: string, by: string) =>
  ({ class: 'signal', to: [by], event: { event: 'block.changed', user, blocked: true } }) as const
const heard = ({ received }: TestSocket, name: string) =>
  received.filter(frame => 'event' in frame && frame.event === name).length

test('a slow reader whose signals were dropped is told once it reads again; the ephemeral is only counted', async () => {
  const { gateway, registry } = await open('one', createMemoryRouting(createMemoryBus()))
  const [ann, bob] = (await makeUsers(pool, 2)) as [string, string]
  const conversation = await makeConversation(pool, [ann, bob])
  const [slow, other] = [await connect(gateway, ann), await connect(gateway, bob)]
  const dropped = (of: string) => metric(registry, `flotilla_frames_dropped_total{class="${of}"}`)
  slow.pause()
  for (let seq = 1; (await dropped('signal')) < 3; seq++) {
    for (let nth = 0; nth < 20; nth++)
      gateway.chat.emit({ ...entry(conversation, 20 * seq + nth, 'x'.repeat(8_000)), to: [ann] })
    gateway.chat.emit(blocked(bob, ann))
    gateway.chat.emit({ class: 'ephemeral', to: [ann], event: { event: 'typing.start', conversation, user: bob } })
    await new Promise(setImmediate)
  }
  expect(await dropped('ephemeral')).toBeGreaterThan(0)
  expect(heard(slow, 'refresh')).toBe(0)
  slow.resume()
  await slow.nextEvent('refresh')
  await slow.request('ping', {})
  await other.request('ping', {})
  expect([heard(slow, 'refresh'), heard(other, 'refresh')]).toEqual([1, 0])
  expect(await metric(registry, 'flotilla_refreshes_total')).toBe(1)
})

test('a signal that Redis lost is told of without a reconnect; the loss of an entry alone is no reason to read lists', async () => {
  const bus = createMemoryBus()
  const { gateway: one, registry } = await open('one', createMemoryRouting(bus))
  const routing = createMemoryRouting(bus)
  const { gateway: two } = await open('two', {
    ...routing,
    broker: {
      ...routing.broker,
      publish: (inbox, text) =>
        text.includes('\n') && losses-- > 0 ? Promise.resolve(1) : routing.broker.publish(inbox, text),
    },
  })
  const [ann, bob] = (await makeUsers(pool, 2)) as [string, string]
  const conversation = await makeConversation(pool, [ann, bob])
  const socket = await connect(one, ann)
  const rounds = () => metric(registry, 'flotilla_heal_rounds_total')
  two.chat.emit(blocked(bob, ann))
  await socket.nextEvent('block.changed')

  losses = 1
  two.chat.emit({ ...entry(conversation, 1, 'lost'), to: [ann] })
  await until(async () => (await rounds()) === 1, { what: 'the loss of an entry is healed', withinMs: 20_000 })
  losses = 1
  two.chat.emit(blocked(bob, ann))
  await socket.nextEvent('refresh', 20_000)
  expect(await rounds()).toBe(2)
  expect([heard(socket, 'refresh'), heard(socket, 'block.changed'), heard(socket, 'message.new')]).toEqual([1, 1, 0])
})
