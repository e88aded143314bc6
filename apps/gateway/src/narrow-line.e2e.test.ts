/**
 * Large replies behind a line that carries them slowly: small segments and small buffers in the kernel, so that they wait in
 * the node.
 */
import { randomUUID } from 'node:crypto'
import { createPool, messages, type Pool } from '@flotilla/chat'
import { closeCodes, limits } from '@flotilla/protocol'
import { createMemoryBus, createMemoryRouting } from '@flotilla/routing'
import { createRegistry, generateSecretKey, parseSecretKeys, signTicket, silentLogger } from '@flotilla/service'
import { createClient } from '@flotilla/sdk'
import {
  connectSocket,
  makeConversation,
  makeSessions,
  makeUsers,
  type NarrowLine,
  startNarrowLine,
  type TestDatabase,
  testDatabase,
  until,
} from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGateway, type Gateway } from './gateway.ts'
import type { GatewayOptions } from './options.ts'
import { testGateway } from './gateway.testbed.ts'

const masterKeys = parseSecretKeys(generateSecretKey('m'))
const ticketKeys = parseSecretKeys(generateSecretKey('t'))
const count = 205
let database: TestDatabase
let pool: Pool
let gateway: Gateway
let line: NarrowLine
const undo: (() => Promise<unknown>)[] = []
let conversation: string
let reader: { user: string; session: string }

beforeAll(async () => {
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 6, logger: silentLogger, applicationName: 'test' })
  ;({ gateway, line } = await open('n1'))
  const users = (await makeUsers(pool, 2)) as [string, string]
  reader = { user: users[1], session: (await makeSessions(pool, users))[1]! }
  conversation = await makeConversation(pool, users)
  const text = '語'.repeat(limits.textLengthMax)
  await Promise.all(
    Array.from({ length: count }, () =>
      messages.post(gateway.chat, users[0], { conversation, clientId: randomUUID(), body: { text } }),
    ),
  )
})
afterAll(async () => {
  for (const run of undo.toReversed()) await run()
  await pool?.end()
  await database?.drop()
})

/** A gateway, and the line to it. */
async function open(nodeId: string, more: Partial<GatewayOptions> = {}) {
  const registry = createRegistry({ node: nodeId })
  const opened = await createGateway({
    ...testGateway,
    pool,
    routing: createMemoryRouting(createMemoryBus()),
    logger: silentLogger,
    registry,
    masterKeys,
    ticketKeys,
    nodeId,
    // Less than one page: what a client has asked for does not count.
    sendQueueBytesMax: 65_536,
    chat: { messagesBurst: count },
    ...more,
  })
  undo.push(() => opened.drain())
  const narrow = await startNarrowLine(opened, 6_000_000)
  undo.push(() => narrow.close())
  return { gateway: opened, line: narrow, registry }
}

const ticket = () => signTicket(ticketKeys, reader, Date.now())
const url = (of = line) => `ws://127.0.0.1:${of.port}/v1/socket`

test('205 messages of 8,000 letters arrive with the SDK on one connection', async () => {
  const client = createClient({
    api: 'http://api',
    getToken: async () => 'token',
    history: 'all',
    fetch: async () =>
      Response.json({ urls: [{ url: url(), region: 'test' }], ticket: ticket(), protocol: 1, epoch: 1 }),
    logger: { debug() {}, warn() {} },
  })
  const seen: number[] = []
  const states: string[] = []
  client.on('message', ({ seq }) => void seen.push(seq))
  client.on('state', ({ name }) => void states.push(name))
  await client.start()
  await until(() => seen.length >= count, { what: 'everything has arrived', withinMs: 60_000 })
  expect(seen).toEqual(Array.from({ length: count }, (_, nth) => nth + 1))
  expect(states).toEqual(['connecting', 'live'])
  await client.stop()
}, 90_000)

test('however many pages are asked for at once, one waits for the client, and all arrive', async () => {
  const socket = await connectSocket({ url: url(), ticket: ticket() })
  const pages = Array.from({ length: 8 }, () => socket.request('history.page', { conversation, limit: 200 }, 60_000))
  for (const page of await Promise.all(pages)) expect(page.entries.at(-1)?.seq).toBe(count)
  await socket.close()
}, 90_000)

test('a client that never reads is closed', async () => {
  // Here alone so short a time: a line that stands still for as long would be taken for such a client.
  const short = await open('n2', { readStallMsMax: 1_500 })
  const socket = await connectSocket({ url: url(short.line), ticket: ticket() })
  socket.pause()
  for (let nth = 0; nth < 8; nth++) void socket.request('history.page', { conversation, limit: 200 }).catch(() => {})
  const closed = async () => /flotilla_disconnects_total{.*slow_consumer.*} 1/.test(await short.registry.metrics())
  await until(closed, { what: 'it is closed', withinMs: 30_000 })
  socket.resume()
  expect((await socket.closed).code).toBe(closeCodes.slow_consumer.code)
}, 60_000)
