/** Changes that are committed and told to nobody, as when their process died in between: the pulse finds them. */
import { randomUUID } from 'node:crypto'
import { conversations, createPool, messages, operators, type Pool } from '@flotilla/chat'
import { closeCodes } from '@flotilla/protocol'
import { type Counters, createMemoryBus, createMemoryRouting } from '@flotilla/routing'
import { createRegistry, generateSecretKey, parseSecretKeys, signTicket, silentLogger } from '@flotilla/service'
import {
  connectSocket,
  makeConversation,
  makeSessions,
  makeUsers,
  openTestChat,
  type TestChat,
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
let database: TestDatabase
let pool: Pool
let gateway: Gateway
/** Of a process that commits and then tells nobody. */
let silent: TestChat
let opened: TestSocket[]

/** Until this is resolved nobody's ticket is looked up, as while Redis stalls. */
let held: Promise<void>
let ticketsAsked: number

/** Conversations of more members are routed by interest, and at once. */
const byInterest = { interestRoutingMin: 3, interestSettleMs: 0 }

beforeEach(async () => {
  opened = []
  held = Promise.resolve()
  ticketsAsked = 0
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 8, logger: silentLogger, applicationName: 'retell-test' })
  const routing = createMemoryRouting(createMemoryBus())
  const counters: Counters = {
    ...routing.counters,
    hit(key, windowMs) {
      ticketsAsked++
      return held.then(() => routing.counters.hit(key, windowMs))
    },
  }
  gateway = await createGateway({
    ...testGateway,
    pool,
    routing: { ...routing, counters },
    logger: silentLogger,
    registry: createRegistry({}),
    masterKeys,
    ticketKeys,
    nodeId: 'one',
    chat: byInterest,
  })
  silent = await openTestChat(database.url, { masterKeys, settings: byInterest })
})
afterEach(async () => {
  for (const socket of opened) await socket.close()
  await gateway.drain()
  await silent.close()
  await pool.end()
  await database.drop()
})

async function people(count: number) {
  const users = await makeUsers(pool, count)
  const sessions = await makeSessions(pool, users)
  const connect = async (nth: number) => {
    const ticket = signTicket(ticketKeys, { user: users[nth]!, session: sessions[nth]! }, Date.now())
    const socket = await connectSocket({ url: `ws://127.0.0.1:${gateway.port}/v1/socket`, ticket })
    opened.push(socket)
    return socket
  }
  return { users, connect }
}

const headsOf = async (socket: TestSocket, conversation: string) =>
  (await socket.nextEvent('sync.heads')).heads.find(head => head.conversation === conversation)?.head

test('a rename, an addition and a removal that nobody told are told within a pulse, to the removed as well', async () => {
  const { users, connect } = await people(3)
  const [alice, bob, carol] = users as [string, string, string]
  const conversation = await makeConversation(pool, [alice, bob])
  const sockets = [await connect(0), await connect(1), await connect(2)] as const

  await conversations.rename(silent.ctx, alice, { conversation, name: 'renamed' })
  expect(await Promise.all(sockets.slice(0, 2).map(socket => headsOf(socket, conversation)))).toEqual([1, 1])

  await conversations.addMembers(silent.ctx, alice, { conversation, users: [carol] })
  expect(await Promise.all(sockets.map(socket => headsOf(socket, conversation)))).toEqual([2, 2, 2])

  await conversations.removeMember(silent.ctx, alice, { conversation, user: bob })
  expect(await Promise.all(sockets.map(socket => headsOf(socket, conversation)))).toEqual([3, 3, 3])
  const { verdicts } = await sockets[1].request('sync.resume', { cursors: [{ conversation, seq: 2 }], only: true })
  expect(verdicts).toEqual([{ conversation, verdict: 'left' }])

  // What is cached of the members here is no older than that: bob does not hear that somebody types.
  await sockets[0].request('typing.start', { conversation })
  await sockets[2].nextEvent('typing.start')
  expect(sockets[1].received.filter(frame => 'event' in frame && frame.event === 'typing.start')).toEqual([])
})

test('whoever is suspended while they are being greeted does not get in', async () => {
  const { users, connect } = await people(2)
  const [operator, alice] = users as [string, string]
  const witness = await connect(0)
  const gate = Promise.withResolvers<void>()
  held = gate.promise
  const arriving = connect(1).catch((error: unknown) => error)
  await until(() => ticketsAsked === 4 && pool.idleCount === pool.totalCount, {
    what: 'the store has said that the session is good',
  })
  await operators.suspend(silent.ctx, { operator }, { user: alice, reason: 'Spam' })
  const ended = await pool.query<{ id: string }>('SELECT id FROM sessions WHERE user_id = $1', [alice])
  await until(() => gateway.chat.pulse.isSuspended(ended.rows[0]!.id), { what: 'the pulse has told' })
  gate.resolve()
  expect(await arriving).toMatchObject({ code: closeCodes.account_suspended.code })
  await witness.request('ping', {})
})

test('who was added to a conversation that goes by interest, and was not told, hears what is said there afterwards', async () => {
  const { users, connect } = await people(6)
  const [alice] = users as [string]
  const newcomer = users[5]!
  const conversation = await makeConversation(pool, users.slice(0, 5))
  await pool.query('UPDATE conversations SET large_since = now() WHERE id = $1', [conversation])
  const socket = await connect(5)
  await conversations.addMembers(silent.ctx, alice, { conversation, users: [newcomer] })
  expect(await headsOf(socket, conversation)).toBe(1)
  const said = await messages.post(gateway.chat, alice, {
    conversation,
    clientId: randomUUID(),
    body: { text: 'welcome' },
  })
  expect((await socket.nextEvent('message.new')).seq).toBe(said.seq)
})

test('who was added to a conversation that goes by interest while they were on their way here hears what is said there afterwards', async () => {
  const { users, connect } = await people(6)
  const [alice] = users as [string]
  const newcomer = users[5]!
  const conversation = await makeConversation(pool, users.slice(0, 5))
  await pool.query('UPDATE conversations SET large_since = now() WHERE id = $1', [conversation])
  const other = await connect(0)
  const gate = Promise.withResolvers<void>()
  held = gate.promise
  const arriving = connect(5)
  await until(() => ticketsAsked === 4 && pool.idleCount === pool.totalCount, {
    what: 'the store has said what the newcomer is in',
  })
  await conversations.addMembers(silent.ctx, alice, { conversation, users: [newcomer] })
  expect(await headsOf(other, conversation)).toBe(1)
  gate.resolve()
  const socket = await arriving
  const message = { conversation, clientId: randomUUID(), body: { text: 'welcome' } }
  const said = await messages.post(gateway.chat, alice, message)
  expect((await socket.nextEvent('message.new')).seq).toBe(said.seq)
})
