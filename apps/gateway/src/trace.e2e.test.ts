/** Two gateways with traces on, the memory broker between them, and a collector that takes OTLP. */
import { randomUUID } from 'node:crypto'
import { createPool, type Pool } from '@flotilla/chat'
import { createMemoryBus, createMemoryRouting } from '@flotilla/routing'
import {
  createRegistry,
  generateSecretKey,
  openTracing,
  parseSecretKeys,
  signTicket,
  silentLogger,
  type Tracing,
} from '@flotilla/service'
import {
  connectSocket,
  makeConversation,
  makeSessions,
  makeUsers,
  startTraceCollector,
  type TestDatabase,
  type TestSocket,
  testDatabase,
  type TraceCollector,
} from '@flotilla/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createGateway, type Gateway } from './gateway.ts'
import { testGateway } from './gateway.testbed.ts'

const masterKeys = parseSecretKeys(generateSecretKey('m'))
const ticketKeys = parseSecretKeys(generateSecretKey('t'))
const bus = createMemoryBus()
let database: TestDatabase
let pool: Pool
let collector: TraceCollector
let nodes: { gateway: Gateway; tracing: Tracing | undefined }[]
let sockets: TestSocket[]

async function openNode(nodeId: string, oneIn: number) {
  const tracing = await openTracing({
    url: collector.url,
    oneIn,
    name: 'gateway',
    node: nodeId,
    region: 'test',
    logger: silentLogger,
  })
  const gateway = await createGateway({
    ...testGateway,
    pool,
    routing: createMemoryRouting(bus),
    logger: silentLogger,
    registry: createRegistry({ node: nodeId }),
    masterKeys,
    ticketKeys,
    nodeId,
    ...(tracing === undefined ? {} : { trace: tracing.trace }),
  })
  nodes.push({ gateway, tracing })
}

async function connect(nth: number, user: string, session: string): Promise<TestSocket> {
  const ticket = signTicket(ticketKeys, { user, session }, Date.now())
  const socket = await connectSocket({ url: `ws://127.0.0.1:${nodes[nth]!.gateway.port}/v1/socket`, ticket })
  sockets.push(socket)
  return socket
}

/** Two people on two nodes who share a conversation. */
async function twoPeople() {
  const users = await makeUsers(pool, 2)
  const [sessions, conversation] = [await makeSessions(pool, users), await makeConversation(pool, users, 'direct')]
  const [alice, bob] = [await connect(0, users[0]!, sessions[0]!), await connect(1, users[1]!, sessions[1]!)]
  return { alice, bob, conversation }
}

beforeEach(async () => {
  nodes = []
  sockets = []
  collector = await startTraceCollector()
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 8, logger: silentLogger, applicationName: 'trace-test' })
})

/** Ends the nodes; what they had to tell the collector is told then. */
async function endNodes() {
  for (const socket of sockets.splice(0)) await socket.close()
  for (const { gateway, tracing } of nodes.splice(0)) {
    await gateway.drain()
    await tracing?.close()
  }
}

afterEach(async () => {
  await endNodes()
  await collector.close()
  await pool.end()
  await database.drop()
})

test('one trace leads from the frame through commit and publish to the delivery on the other node', async () => {
  await openNode('one', 1)
  await openNode('two', 1)
  const { alice, bob, conversation } = await twoPeople()
  const arrived = bob.nextEvent('message.new')
  const body = { text: 'a text for nobody but bob' }
  const ack = await alice.request('message.send', { conversation, clientId: randomUUID(), body })
  await arrived
  await endNodes()

  const root = collector.spans.find(span => span.name === 'message.send')!
  expect(root.parentSpanId).toBeUndefined()
  expect(root.attributes).toMatchObject({ 'flotilla.conversation': conversation, 'flotilla.seq': ack['seq'] })
  const parts = collector.spans.filter(span => span.traceId === root.traceId && span !== root)
  expect(parts.map(span => `${span.name} by ${span.process}`).sort()).toEqual([
    'commit by flotilla-gateway one',
    // The sender's own other devices would be served here.
    'deliver by flotilla-gateway one',
    'deliver by flotilla-gateway two',
    'publish by flotilla-gateway one',
  ])
  for (const part of parts) {
    expect(part.parentSpanId).toBe(root.spanId)
    expect(part.startedAt).toBeGreaterThanOrEqual(root.startedAt)
    expect(part.endedAt).toBeGreaterThanOrEqual(part.startedAt)
  }
  expect(collector.raw()).not.toContain(body.text)
})

test('all nodes keep the same entries, and about as many as were asked for', async () => {
  await openNode('one', 4)
  await openNode('two', 4)
  const { alice, bob, conversation } = await twoPeople()
  const messages = 120
  for (let nth = 0; nth < messages; nth++) {
    const arrived = bob.nextEvent('message.new')
    await alice.request('message.send', { conversation, clientId: randomUUID(), body: { text: String(nth) } })
    await arrived
  }
  await endNodes()
  const kept = (name: string) =>
    collector.spans.filter(span => span.name === name && span.attributes['flotilla.conversation'] === conversation)
  const seqs = (name: string) => kept(name).map(span => Number(span.attributes['flotilla.seq']))
  expect(seqs('message.send').length).toBeGreaterThan(messages / 12)
  expect(seqs('message.send').length).toBeLessThan(messages / 2)
  expect(new Set(seqs('deliver'))).toEqual(new Set(seqs('message.send')))
})
