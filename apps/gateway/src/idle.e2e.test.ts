/** The idle rule of docs/protocol.md: a socket is closed when nothing arrives on it, whatever it is sent. */
import { randomUUID } from 'node:crypto'
import { createPool } from '@flotilla/chat'
import { createMemoryBus, createMemoryRouting } from '@flotilla/routing'
import { createRegistry, generateSecretKey, parseSecretKeys, signTicket, silentLogger } from '@flotilla/service'
import { makeConversation, makeSessions, makeUsers, testDatabase, until } from '@flotilla/testing'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { createGateway } from './gateway.ts'
import { testGateway } from './gateway.testbed.ts'

/** Short for a test: eight seconds of silence are the least that a gateway waits. */
const pingIntervalMs = 1_000

test('what arrives keeps a socket open, be it a command or a ping of WebSocket; what is sent to it does not', async () => {
  const database = await testDatabase()
  const pool = createPool({ url: database.url, connectionsMax: 4, logger: silentLogger, applicationName: 'idle-test' })
  const ticketKeys = parseSecretKeys(generateSecretKey('t'))
  const gateway = await createGateway({
    ...testGateway,
    pool,
    routing: createMemoryRouting(createMemoryBus()),
    logger: silentLogger,
    registry: createRegistry({}),
    masterKeys: parseSecretKeys(generateSecretKey('m')),
    ticketKeys,
    nodeId: 'one',
    pingIntervalMs,
  })
  const [alice = '', bob = ''] = await makeUsers(pool, 2)
  const [session = ''] = await makeSessions(pool, [alice])
  const conversation = await makeConversation(pool, [alice, bob])
  const open = () => {
    const ticket = signTicket(ticketKeys, { user: alice, session }, Date.now())
    return new WebSocket(`ws://127.0.0.1:${gateway.port}/v1/socket?ticket=${ticket}&v=1`)
  }
  const [silent, asking, pinging] = [open(), open(), open()]
  const heard: string[] = []
  silent.on('message', (frame: Buffer) => heard.push(JSON.parse(frame.toString()).event))
  const beat = setInterval(() => {
    const message = { conversation, clientId: randomUUID(), body: { text: 'all of my devices hear this' } }
    if (asking.readyState === WebSocket.OPEN) asking.send(JSON.stringify({ id: 1, op: 'message.send', ...message }))
    if (pinging.readyState === WebSocket.OPEN) pinging.ping()
  }, pingIntervalMs)
  onTestFinished(async () => {
    clearInterval(beat)
    for (const socket of [silent, asking, pinging]) socket.terminate()
    await gateway.drain()
    await pool.end()
    await database.drop()
  })
  await until(() => silent.readyState === WebSocket.CLOSED, { what: 'the silent socket is closed', withinMs: 60_000 })
  expect(heard.filter(event => event === 'message.new').length).toBeGreaterThan(1)
  expect([asking.readyState, pinging.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN])
}, 90_000)
