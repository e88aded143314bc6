/** Two gateways in one process, the memory broker between them, real PostgreSQL and real sockets. */
import { randomUUID } from 'node:crypto'
import { blocks, conversations, createPool, messages, operators, type Pool, sessions } from '@flotilla/chat'
import { closeCodes, type EventOf, limits } from '@flotilla/protocol'
import { createMemoryBus, createMemoryRouting } from '@flotilla/routing'
import { createRegistry, generateSecretKey, parseSecretKeys, signTicket, silentLogger } from '@flotilla/service'
import {
  connectSocket,
  makeConversation,
  makeSessions,
  makeUsers,
  type TestDatabase,
  type TestSocket,
  testDatabase,
  until,
  watchAwake,
} from '@flotilla/testing'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createGateway, type Gateway } from './gateway.ts'
import type { GatewayOptions } from './options.ts'
import { testGateway } from './gateway.testbed.ts'

const masterKeys = parseSecretKeys(generateSecretKey('m'))
const ticketKeys = parseSecretKeys(generateSecretKey('t'))
let database: TestDatabase
let pool: Pool
let nodes: Gateway[]
let opened: TestSocket[] = []
const bus = createMemoryBus()

async function openGateway(nodeId: string, more: Partial<GatewayOptions> = {}): Promise<Gateway> {
  return createGateway({
    ...testGateway,
    pool,
    routing: createMemoryRouting(bus),
    logger: silentLogger,
    registry: createRegistry({ node: nodeId }),
    masterKeys,
    ticketKeys,
    nodeId,
    drainMs: 200,
    chat: {
      directFrom: 'anyone',
      pulseMs: 100,
      receiptWindowMs: 10,
      interestRoutingMin: 4,
      largeConversationMin: 6,
      interestSettleMs: 0,
    },
    ...more,
  })
}

beforeAll(async () => {
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 12, logger: silentLogger, applicationName: 'test' })
  nodes = [await openGateway('n1'), await openGateway('n2')]
})
afterAll(async () => {
  await Promise.all(nodes.map(node => node.drain()))
  await pool.end()
  await database.drop()
})
afterEach(async () => {
  await Promise.all(opened.map(socket => socket.terminate()))
  opened = []
})

interface Person {
  user: string
  session: string
}

async function people(count: number): Promise<Person[]> {
  const users = await makeUsers(pool, count)
  const made = await makeSessions(pool, users)
  return users.map((user, nth) => ({ user, session: made[nth]! }))
}

const ticketOf = (person: Person) => signTicket(ticketKeys, person, Date.now())
const urlOf = (gateway: Gateway) => `ws://127.0.0.1:${gateway.port}/v1/socket`

async function connect(
  person: Person,
  node = 0,
  ticket = ticketOf(person),
  gateway = nodes[node]!,
): Promise<TestSocket> {
  const socket = await connectSocket({ url: urlOf(gateway), ticket })
  opened.push(socket)
  return socket
}

/** What a close says in its reason. */
const closedWith = async (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error: { reason?: string }) => JSON.parse(error.reason || '{}') as unknown,
  )

/** Counts the time of a promise from here. */
function startClock() {
  const awake = watchAwake()
  onTestFinished(() => awake.stop())
  return awake
}

const text = (value: string) => ({ clientId: randomUUID(), body: { text: value } })

test('what is due in one turn shares a frame with whoever takes lines, and with nobody else', async () => {
  const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
  const conversation = await makeConversation(pool, [alice.user, bob.user, carol.user])
  const writer = await connect(alice)
  const listen = async (person: Person, query: string) => {
    const raw = new WebSocket(`${urlOf(nodes[1]!)}?ticket=${ticketOf(person)}${query}`)
    onTestFinished(() => raw.close())
    const heard = { seqs: [] as number[], frames: 0 }
    const greeted = Promise.withResolvers<void>()
    raw.addEventListener('message', ({ data }) => {
      const events = String(data)
        .split('\n')
        .map(line => JSON.parse(line) as { event: string; seq: number })
      const entries = events.filter(({ event }) => event === 'message.new')
      heard.seqs.push(...entries.map(({ seq }) => seq))
      if (entries.length > 0) heard.frames++
      else greeted.resolve()
    })
    await greeted.promise
    return heard
  }
  const [lines, plain] = [await listen(bob, '&lines=1'), await listen(carol, '')]
  await Promise.all(
    Array.from({ length: 20 }, (_, nth) => writer.request('message.send', { conversation, ...text(`${nth}`) })),
  )
  await until(() => [lines, plain].every(({ seqs }) => seqs.length === 20), { what: 'both have all' })
  expect(lines.seqs).toEqual(plain.seqs)
  expect(plain.frames).toBe(20)
  expect(lines.frames).toBeLessThan(20)
})

test('two people on two nodes chat: acknowledged, delivered, receipts back', async () => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const conversation = await makeConversation(pool, [alice.user, bob.user], 'direct')
  const [phone, laptop, other] = [await connect(alice), await connect(alice, 1), await connect(bob, 1)]
  expect(phone.hello).toMatchObject({
    user: alice.user,
    session: alice.session,
    epoch: 1,
    protocol: 1,
    node: 'n1',
    region: 'test',
  })
  const input = { conversation, ...text('hello') }
  const ack = await phone.request('message.send', input)
  expect(ack).toEqual({ seq: 1, at: expect.any(Number), epoch: 1 })
  const entry = { event: 'message.new', by: alice.user, ...input, ...ack }
  expect(await other.nextEvent('message.new')).toEqual(entry)
  expect(await laptop.nextEvent('message.new')).toEqual(entry)
  other.tell('message.delivered', { conversation, seq: 1 })
  expect(await phone.nextEvent('message.delivered')).toEqual({
    event: 'message.delivered',
    conversation,
    user: bob.user,
    seq: 1,
  })
  await other.request('message.read', { conversation, seq: 1 })
  expect(await phone.nextEvent('message.read')).toEqual({ event: 'message.read', conversation, user: bob.user, seq: 1 })
  // The connection that was acknowledged is not told a second time.
  expect(phone.received.filter(frame => 'event' in frame && frame.event === 'message.new')).toEqual([])
})

test('history, resume and ping answer over the socket what was missed', async () => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const conversation = await makeConversation(pool, [alice.user, bob.user], 'direct')
  const first = await connect(alice)
  for (const value of ['one', 'two', 'three']) await first.request('message.send', { conversation, ...text(value) })
  const second = await connect(bob, 1)
  const resumed = await second.request('sync.resume', { epoch: 1, cursors: [{ conversation, seq: 1 }] })
  expect(resumed).toMatchObject({
    epoch: 1,
    verdicts: [{ conversation, verdict: 'replayed', head: 3, entries: [{ seq: 2 }, { seq: 3 }] }],
  })
  expect(await second.request('history.page', { conversation, limit: 2 })).toMatchObject({
    head: 3,
    from: 1,
    entries: [{ seq: 2 }, { seq: 3 }],
  })
  expect(await second.request('ping', { seen: [{ conversation, seq: 2 }] })).toMatchObject({
    behind: [{ conversation, head: 3 }],
  })
  expect(await second.request('ping', {})).toMatchObject({ behind: [] })
})

test('typing reaches those who are here, and presence those who watch', async () => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const conversation = await makeConversation(pool, [alice.user, bob.user], 'direct')
  const socket = await connect(alice)
  expect(await socket.request('presence.watch', { users: [bob.user] })).toEqual({ online: [] })
  const other = await connect(bob, 1)
  expect(await socket.nextEvent('presence.changed')).toMatchObject({ user: bob.user, online: true })
  other.tell('typing.start', { conversation })
  expect(await socket.nextEvent('typing.start')).toEqual({ event: 'typing.start', conversation, user: bob.user })
  other.tell('typing.stop', { conversation })
  await socket.nextEvent('typing.stop')
  await other.close()
  expect(await socket.nextEvent('presence.changed')).toMatchObject({ user: bob.user, online: false })
  expect(await socket.request('presence.watch', { users: [bob.user] })).toEqual({ online: [] })
  await socket.request('presence.unwatch', { users: [bob.user] })
})

test('a stranger can neither watch, post, read nor type', async () => {
  const [alice, bob, mallory] = (await people(3)) as [Person, Person, Person]
  const conversation = await makeConversation(pool, [alice.user, bob.user], 'direct')
  const socket = await connect(mallory)
  const code = (attempt: Promise<unknown>) =>
    expect(attempt)
      .rejects.toMatchObject({ code: expect.any(String) })
      .then(() => attempt.catch((error: { code: string }) => error.code))
  expect(await code(socket.request('presence.watch', { users: [alice.user] }))).toBe('no_shared_conversation')
  expect(await code(socket.request('message.send', { conversation, ...text('x') }))).toBe('not_a_member')
  expect(await code(socket.request('history.page', { conversation }))).toBe('not_a_member')
  expect(await code(socket.request('message.read', { conversation, seq: 1 }))).toBe('not_a_member')
  expect(await code(socket.request('history.page', { conversation: randomUUID() }))).toBe('conversation_unknown')
  socket.tell('typing.start', { conversation })
  expect(await socket.nextEvent('error')).toMatchObject({ op: 'typing.start', error: { code: 'not_a_member' } })
  expect(await socket.request('sync.resume', { cursors: [{ conversation, seq: 0 }] })).toMatchObject({
    verdicts: [{ conversation, verdict: 'left' }],
  })
})

test('somebody who is removed gets the removal and nothing after it, by no way (P8)', async () => {
  const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
  const { id: conversation } = await conversations.createGroup(nodes[0]!.chat, alice.user, {
    name: 'Group',
    members: [bob.user, carol.user],
  })
  const [owner, removed, member] = [await connect(alice), await connect(bob, 1), await connect(carol, 1)]
  await member.request('message.send', { conversation, ...text('warms the cache of n2') })
  await removed.nextEvent('message.new')
  const { seq } = await conversations.removeMember(nodes[0]!.chat, alice.user, { conversation, user: bob.user })
  expect(await removed.nextEvent('member.removed')).toMatchObject({ seq, user: bob.user })
  for (const socket of [owner, member]) await socket.request('message.send', { conversation, ...text('among us') })
  expect(
    (await member.nextEvent(
      event => event.event === 'message.new' && event.by === alice.user,
    )) as EventOf<'message.new'>,
  ).toMatchObject({ seq: seq + 1 })
  await expect(removed.request('message.send', { conversation, ...text('still here?') })).rejects.toMatchObject({
    code: 'not_a_member',
  })
  await expect(removed.request('history.page', { conversation })).rejects.toMatchObject({ code: 'not_a_member' })
  expect(removed.received.filter(frame => 'seq' in frame && (frame as { seq: number }).seq > seq)).toEqual([])
})

test('who is removed does not see any longer when those are here with whom they share nothing else', async () => {
  const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
  const { id: conversation } = await conversations.createGroup(nodes[0]!.chat, alice.user, {
    name: 'Group',
    members: [bob.user, carol.user],
  })
  await makeConversation(pool, [bob.user, carol.user], 'direct')
  const removed = await connect(bob, 1)
  const [owner] = [await connect(alice), await connect(carol)]
  const users = [alice.user, carol.user]
  const { online } = await removed.request('presence.watch', { users })
  expect([...online].sort()).toEqual([...users].sort())
  await conversations.removeMember(nodes[0]!.chat, alice.user, { conversation, user: bob.user })
  expect(await removed.nextEvent('presence.changed')).toMatchObject({ user: alice.user, online: false })
  await owner.close()
  await connect(alice)
  const seen = removed.received.filter(frame => 'event' in frame && frame.event === 'presence.changed')
  expect(seen).toHaveLength(1)
})

test('a block stops the sends of both on all nodes at once, and who is here is hidden within two seconds (P8)', async () => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const conversation = await makeConversation(pool, [alice.user, bob.user], 'direct')
  const [blocker, blocked] = [await connect(alice), await connect(bob, 1)]
  for (const [socket, other] of [
    [blocker, bob],
    [blocked, alice],
  ] as const)
    expect(await socket.request('presence.watch', { users: [other.user] })).toEqual({ online: [other.user] })
  const { seq } = await blocked.request('message.send', { conversation, ...text('before') })
  await blocker.nextEvent('message.new')

  const sinceBlock = startClock()
  await blocks.block(nodes[0]!.chat, alice.user, bob.user)
  for (const socket of [blocker, blocked])
    await expect(socket.request('message.send', { conversation, ...text('after') })).rejects.toMatchObject({
      code: 'blocked',
    })
  for (const [socket, other] of [
    [blocker, bob],
    [blocked, alice],
  ] as const)
    expect(await socket.nextEvent('presence.changed')).toMatchObject({ user: other.user, online: false })
  expect(sinceBlock.ms()).toBeLessThan(2_000)
  expect(await blocker.nextEvent('block.changed')).toMatchObject({ user: bob.user, blocked: true })
  blocked.tell('typing.start', { conversation })
  await blocked.request('message.read', { conversation, seq })
  expect(await blocked.request('presence.watch', { users: [alice.user, bob.user] })).toEqual({ online: [bob.user] })
  expect(await blocked.request('history.page', { conversation })).toMatchObject({ head: seq })

  await blocks.unblock(nodes[0]!.chat, alice.user, bob.user)
  expect(await blocked.request('message.send', { conversation, ...text('again') })).toMatchObject({ seq: seq + 1 })
  expect(await blocked.request('presence.watch', { users: [alice.user] })).toEqual({ online: [alice.user] })
  await blocker.nextEvent(event => event.event === 'message.new' && event.seq === seq + 1)
  const heard = blocker.received.flatMap(frame => ('event' in frame ? [frame.event] : []))
  expect(heard).not.toContain('typing.start')
  expect(heard).not.toContain('message.read')
  expect(heard).not.toContain('message.delivered')
  expect(blocked.received.filter(frame => 'event' in frame && frame.event === 'block.changed')).toEqual([])
})

test('who stops showing when they are here is offline for the others within two seconds, and seen again when they do', async () => {
  const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
  await makeConversation(pool, [alice.user, bob.user, carol.user])
  const [watcher, elsewhere] = [await connect(bob), await connect(carol, 1)]
  await connect(alice)
  for (const socket of [watcher, elsewhere])
    expect(await socket.request('presence.watch', { users: [alice.user] })).toEqual({ online: [alice.user] })
  const sinceHidden = startClock()
  await pool.query('UPDATE users SET last_seen_to = 3, hidden_at = now() WHERE id = $1', [alice.user])
  for (const socket of [watcher, elsewhere])
    expect(await socket.nextEvent('presence.changed')).toMatchObject({ user: alice.user, online: false })
  expect(sinceHidden.ms()).toBeLessThan(2_000)
  expect(await watcher.request('presence.watch', { users: [alice.user] })).toEqual({ online: [] })
  await pool.query('UPDATE users SET last_seen_to = 1 WHERE id = $1', [alice.user])
  expect(await watcher.request('presence.watch', { users: [alice.user] })).toEqual({ online: [alice.user] })
})

test('a session that is revoked loses its socket within two seconds, and no ticket of it opens another', async () => {
  const [alice] = (await people(1)) as [Person]
  const socket = await connect(alice)
  const sinceEnd = startClock()
  await sessions.end(nodes[1]!.chat, alice.session)
  expect(await socket.closed).toEqual({ code: closeCodes.session_ended.code, reason: '{"code":"session_ended"}' })
  expect(sinceEnd.ms()).toBeLessThan(2_000)
  expect(await closedWith(connect(alice))).toEqual({ code: 'session_ended' })
})

test('whoever is suspended loses their sockets within two seconds, and hears why; what was under way comes to its end', async () => {
  const [alice, bob, operator] = (await people(3)) as [Person, Person, Person]
  const conversation = await makeConversation(pool, [alice.user, bob.user])
  const [socket, other] = [await connect(alice), await connect(bob, 1)]
  // Sends wait for the conversation, which somebody else has in hand.
  const holder = await pool.connect()
  await holder.query('BEGIN')
  await holder.query('SELECT FROM conversations WHERE id = $1 FOR UPDATE', [conversation])
  const sending = socket.request('message.send', { conversation, ...text('the last word') }).then(
    () => 'acknowledged',
    () => 'unanswered',
  )
  await until(() => nodes[0]!.chat.inserts.queued > 0, { what: 'the send is under way' })
  const sinceSuspension = startClock()
  await operators.suspend(nodes[1]!.chat, { operator: operator.user }, { user: alice.user, reason: 'Spam' })
  const reason = '{"code":"account_suspended"}'
  expect(await socket.closed).toEqual({ code: closeCodes.account_suspended.code, reason })
  expect(sinceSuspension.ms()).toBeLessThan(2_000)
  await holder.query('COMMIT')
  holder.release()
  expect(await sending).toBe('unanswered')
  // It was taken before: the others have it, once.
  expect(await other.nextEvent('message.new')).toMatchObject({ by: alice.user, seq: 1 })
  expect(await closedWith(connect(alice))).toEqual({ code: 'account_suspended' })
  await operators.lift(nodes[1]!.chat, { operator: operator.user }, { user: alice.user, reason: 'Enough' })
  expect(await closedWith(connect(alice))).toEqual({ code: 'session_ended' })
})

test('a ticket opens one socket, on whatever node, and only a good one', async () => {
  const [alice] = (await people(1)) as [Person]
  const ticket = ticketOf(alice)
  await connect(alice, 0, ticket)
  expect(await closedWith(connect(alice, 1, ticket))).toEqual({ code: 'ticket_used', retryMs: 0 })
  expect(await closedWith(connect(alice, 0, `${ticket}x`))).toMatchObject({ code: 'ticket_invalid' })
  expect(
    await closedWith(connectSocket({ url: urlOf(nodes[0]!), ticket: ticketOf(alice), protocol: 99 })),
  ).toMatchObject({ code: 'protocol_unsupported' })
})

test.each([
  ['an unknown operation', '{"id":1,"op":"message.explode"}', 'op_unknown', 'op'],
  ['a missing field', `{"id":1,"op":"message.read","seq":1}`, 'field_invalid', 'conversation'],
  ['a wrong type', `{"id":1,"op":"history.page","conversation":7}`, 'field_invalid', 'conversation'],
  [
    'too many cursors',
    JSON.stringify({
      id: 1,
      op: 'sync.resume',
      cursors: Array.from({ length: limits.resumeCursorsMax + 1 }, () => ({ conversation: randomUUID(), seq: 0 })),
    }),
    'field_invalid',
    'cursors',
  ],
  ['an oversized frame', `{"id":1,"op":"ping"${' '.repeat(limits.frameBytesMax)}}`, 'frame_too_large', undefined],
])('%s has its code, and the connection stays', async (_name, frame, code, field) => {
  const [alice] = (await people(1)) as [Person]
  const socket = await connect(alice)
  await socket.sendRaw(frame)
  const answer = code === 'frame_too_large' ? await socket.nextEvent('error') : await socket.nextReply(1)
  expect(answer).toMatchObject({ error: { code, ...(field === undefined ? {} : { field }) } })
  expect(await socket.request('ping', {})).toMatchObject({ behind: [] })
})

test.each([
  ['text that is no JSON', 'hello', true],
  ['bytes', Buffer.from('{"id":1,"op":"ping"}'), true],
  ['text that is no UTF-8', Buffer.from([0xff, 0xfe, 0x22]), false],
  ['a frame far above the limit', 'x'.repeat(limits.frameBytesMax * 3), false],
])('%s closes its own connection and nobody else’s', async (_name, frame, named) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const [socket, bystander] = [await connect(alice), await connect(bob)]
  await socket.sendRaw(frame, { binary: Buffer.isBuffer(frame) && named })
  const { code } = await socket.closed
  if (named) expect(code).toBe(closeCodes.frame_malformed.code)
  await bystander.request('ping', {})
})

test('a person on many connections is limited as one', async () => {
  // Next to nothing comes back within the test, however long that is.
  const gateway = await openGateway('n3', { commandsPerSecond: 0.001, commandsBurst: 10 })
  const [alice] = (await people(1)) as [Person]
  const sockets = await Promise.all(Array.from({ length: 4 }, () => connect(alice, 0, ticketOf(alice), gateway)))
  const results = await Promise.allSettled(
    sockets.flatMap(socket => Array.from({ length: 10 }, () => socket.request('ping', {}))),
  )
  // Twice what a connection may.
  expect(results.filter(result => result.status === 'fulfilled').length).toBeLessThanOrEqual(20)
  expect(results.find(result => result.status === 'rejected')).toMatchObject({
    reason: { code: 'rate_limited', body: { retryMs: expect.any(Number) } },
  })
  await gateway.drain()
})

test('a node refuses above its count and its rate, with the time to come back', async () => {
  const full = await openGateway('n4', { connectionsMax: 1 })
  const [alice, bob] = (await people(2)) as [Person, Person]
  await connect(alice, 0, ticketOf(alice), full)
  expect(await closedWith(connect(bob, 0, ticketOf(bob), full))).toMatchObject({
    code: 'overloaded',
    retryMs: expect.any(Number),
  })
  // It is full and yet ready: who is not ready is the first that Kubernetes removes.
  await until(() => full.node.nodes().some(({ node, info }) => node === 'n4' && !info.accepting), {
    what: 'its beat tells that it is full',
  })
  expect(full.unready()).toBeUndefined()
  expect(full.connections()).toBe(1)
  await full.drain()
})

test('a drain moves the clients with a code that says so, and takes no new ones', async () => {
  const gateway = await openGateway('n5')
  const crowd = await people(5)
  const sockets = await Promise.all(crowd.map(person => connect(person, 0, ticketOf(person), gateway)))
  const draining = gateway.drain()
  expect(gateway.unready()).toBe('draining')
  const codes = await Promise.all(sockets.map(socket => socket.closed))
  expect(new Set(codes.map(one => one.code))).toEqual(new Set([closeCodes.node_draining.code]))
  await draining
  await expect(connect(crowd[0]!, 0, ticketOf(crowd[0]!), gateway)).rejects.toThrow()
})

test('in a group that goes by interest and is not large, those who are away are owed what is said there', async () => {
  const crowd = await people(5)
  const [alice, bob] = crowd as [Person, Person]
  const chat = nodes[0]!.chat
  const { id: conversation } = await conversations.createGroup(chat, alice.user, {
    name: 'Crew',
    members: crowd.slice(1).map(person => person.user),
  })
  const [sender, there] = [await connect(alice), await connect(bob, 1)]
  await until(async () => (await chat.memberships.of(conversation))?.byInterest, { what: 'it goes by interest' })
  const owedTo = async (seq: number) => {
    const found = await pool.query<{ user_id: string }>(
      'SELECT user_id FROM offline_messages WHERE conversation_id = $1 AND seq = $2',
      [conversation, seq],
    )
    return found.rows.map(row => row.user_id).sort()
  }
  const away = crowd.slice(2).map(person => person.user)
  const { seq: first } = await sender.request('message.send', { conversation, ...text('to all') })
  expect(await there.nextEvent('message.new')).toMatchObject({ seq: first })
  await there.request('message.delivered', { conversation, seq: first })
  await until(async () => (await owedTo(first)).length === away.length, { what: 'nobody else is owed it' })
  expect(await owedTo(first)).toEqual([...away].sort())

  // Who goes is taken to be here for a while: the look-up after the commit finds that they are not.
  await until(() => nodes[0]!.node.presumedAbsent([bob.user]).length === 0, { what: 'bob was found' })
  void there.close()
  await until(async () => !(await nodes[0]!.node.online([bob.user])).has(bob.user), { what: 'bob has gone' })
  expect(nodes[0]!.node.presumedAbsent([bob.user])).toEqual([])
  const { seq: second } = await sender.request('message.send', { conversation, ...text('and to you') })
  const all = [bob.user, ...away].sort()
  await until(async () => (await owedTo(second)).length === all.length, { what: 'bob is owed it, too' })
  expect(await owedTo(second)).toEqual(all)
})

test('a large conversation is routed by interest: one publish for each other node, whoever joins or leaves', async () => {
  const crowd = await people(8)
  const [alice, bob, carol, dave] = crowd as [Person, Person, Person, Person]
  const chat = nodes[0]!.chat
  const { id: conversation } = await conversations.createGroup(chat, alice.user, {
    name: 'Large',
    members: crowd.slice(1, 7).map(person => person.user),
  })
  const [sender, here, there, late] = [
    await connect(alice),
    await connect(bob),
    await connect(carol, 1),
    await connect(crowd[7]!, 1),
  ]
  await until(async () => (await chat.memberships.of(conversation))?.large, { what: 'the conversation is large' })
  const publishes = nodes[0]!.node.stats.publishes
  const ack = await sender.request('message.send', { conversation, ...text('to all') })
  for (const socket of [here, there]) expect(await socket.nextEvent('message.new')).toMatchObject({ seq: ack.seq })
  expect(nodes[0]!.node.stats.publishes - publishes).toBeLessThanOrEqual(1)
  expect(
    (await pool.query('SELECT FROM offline_messages WHERE conversation_id = $1 AND seq = $2', [conversation, ack.seq]))
      .rowCount,
  ).toBe(0)

  const removal = await conversations.removeMember(chat, alice.user, { conversation, user: carol.user })
  expect(await there.nextEvent('member.removed')).toMatchObject({ seq: removal.seq })
  const addition = await conversations.addMembers(chat, alice.user, { conversation, users: [crowd[7]!.user] })
  expect(await late.nextEvent('member.added')).toMatchObject({ seq: addition.seq })
  const after = await sender.request('message.send', { conversation, ...text('after') })
  expect(await here.nextEvent(event => event.event === 'message.new' && event.seq === after.seq)).toBeDefined()
  expect(await late.nextEvent(event => event.event === 'message.new' && event.seq === after.seq)).toBeDefined()
  expect(there.received.filter(frame => 'seq' in frame && (frame as { seq: number }).seq > removal.seq)).toEqual([])
  await expect(messages.post(nodes[1]!.chat, carol.user, { conversation, ...text('out') })).rejects.toMatchObject({
    code: 'not_a_member',
  })
  await expect(messages.post(nodes[1]!.chat, dave.user, { conversation, ...text('in') })).resolves.toMatchObject({
    seq: after.seq + 1,
  })
})

test('when somebody was last here is written as their last connection closes, and as a node drains', async () => {
  const lastSeen = async (user: string) => {
    const found = await pool.query<{ at: Date | null }>('SELECT last_seen_at AS at FROM users WHERE id = $1', [user])
    return found.rows[0]!.at?.getTime()
  }
  const [alice, bob] = (await people(2)) as [Person, Person]
  const gateway = await openGateway('n-seen', { chat: { lastSeenWindowMs: 10 } })
  const [phone, laptop] = [await connect(alice, 0, undefined, gateway), await connect(alice, 0, undefined, gateway)]
  await connect(bob, 0, undefined, gateway)
  await phone.terminate()
  await new Promise(resolve => setTimeout(resolve, 150))
  expect(await lastSeen(alice.user)).toBeUndefined()
  const before = gateway.chat.clock()
  await laptop.terminate()
  const at = await until(() => lastSeen(alice.user), { what: 'the first was seen' })
  // The time of the store is known to within a round trip, which is long on a busy machine.
  expect(at).toBeGreaterThanOrEqual(before - 500)
  expect(await lastSeen(bob.user)).toBeUndefined()
  await gateway.drain()
  expect(await lastSeen(bob.user)).toBeGreaterThanOrEqual(at - 500)
})

test('a session that expires under its socket is closed', async () => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const [socket, other] = [await connect(alice), await connect(bob)]
  await pool.query("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id = $1", [alice.session])
  expect((await socket.closed).code).toBe(closeCodes.session_ended.code)
  await other.request('ping', {})
})

test('one session, and one person, have so many connections: the oldest goes for one more', async () => {
  const gateway = await openGateway('n-few', { connectionsPerSessionMax: 2, connectionsPerPersonMax: 3 })
  try {
    const [user] = (await makeUsers(pool, 1)) as [string]
    const [phone, laptop] = (await makeSessions(pool, [user, user])) as [string, string]
    const enter = (session: string) => connect({ user, session }, 0, ticketOf({ user, session }), gateway)
    const first = await enter(phone)
    const second = await enter(phone)
    const third = await enter(phone)
    expect((await first.closed).code).toBe(closeCodes.too_many_connections.code)
    const fourth = await enter(laptop)
    const fifth = await enter(laptop)
    expect((await second.closed).code).toBe(closeCodes.too_many_connections.code)
    expect(gateway.connections()).toBe(3)
    for (const socket of [third, fourth, fifth]) await socket.request('ping', {})
  } finally {
    await gateway.drain()
  }
})

test('whoever opens connections again and again is told to come back, on whatever node', async () => {
  const strict = { connectsPerPersonMax: 3 }
  const [one, other] = [await openGateway('n-strict-1', strict), await openGateway('n-strict-2', strict)]
  try {
    const [eve, bob] = (await people(2)) as [Person, Person]
    for (const gateway of [one, other, one]) await connect(eve, 0, ticketOf(eve), gateway)
    const refused = await closedWith(connect(eve, 0, ticketOf(eve), other))
    expect(refused).toEqual({ code: 'too_many_connections', retryMs: 60_000 })
    await connect(bob, 0, ticketOf(bob), other)
  } finally {
    await Promise.all([one.drain(), other.drain()])
  }
})
