/** What single clients do to a node, by accident or on purpose, with raw sockets on gateways that are processes of their own. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { messages, toEntries } from '@flotilla/chat'
import { closeCodes, textOf } from '@flotilla/protocol'
import {
  checkHistory,
  connectSocket,
  dumpStore,
  type FleetNode,
  History,
  makeConversation,
  makeSessions,
  makeUsers,
  SocketClosedError,
  type Stage,
  scale,
  setStage,
  type TestSocket,
  until,
} from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

let stage: Stage
let opened: TestSocket[] = []

beforeAll(async () => {
  stage = await setStage(
    {
      COMMANDS_PER_SECOND: '100000',
      COMMANDS_BURST: '1000000',
      COMMANDS_IN_FLIGHT_MAX: '10000',
      MESSAGES_PER_SECOND: '100000',
      MESSAGES_BURST: '1000000',
      CONNECTS_PER_SECOND: '2000',
    },
    2,
  )
  return () => stage.tearDown()
})
afterAll(async () => {
  await Promise.all(opened.map(socket => socket.terminate()))
  opened = []
})

async function people(count: number): Promise<{ user: string; session: string }[]> {
  const users = await makeUsers(stage.pool, count)
  const sessions = await makeSessions(stage.pool, users)
  return users.map((user, nth) => ({ user, session: sessions[nth]! }))
}

async function connect(
  person: { user: string; session: string },
  node: FleetNode = stage.fleet.nodes[0]!,
  direct = false,
): Promise<TestSocket> {
  const socket = await connectSocket({
    url: direct ? node.directUrl : node.url,
    ticket: stage.fleet.ticket(person.user, person.session),
    keep: true,
  })
  opened.push(socket)
  return socket
}

const seqsOf = async (conversation: string) =>
  (
    await stage.pool.query<{ seq: number }>('SELECT seq FROM messages WHERE conversation_id = $1 ORDER BY seq', [
      conversation,
    ])
  ).rows.map(row => row.seq)

test('the connection is cut between commit and acknowledgement: the retry is answered with the one row', async () => {
  const [alice, bob] = (await people(2)) as [{ user: string; session: string }, { user: string; session: string }]
  const conversation = await makeConversation(stage.pool, [alice.user, bob.user], 'direct')
  const [node] = stage.fleet.nodes
  for (let round = 1; round <= 10; round++) {
    const socket = await connect(alice)
    const sprung = node!.proxy.trap({ direction: 'down', when: { pattern: '"ok":{"seq"' }, action: 'reset' })
    const message = { conversation, clientId: randomUUID(), body: { text: `round ${round}` } }
    await expect(socket.request('message.send', message)).rejects.toThrow()
    await sprung
    // The acknowledgement was on its way, so the message is in the store.
    expect(await seqsOf(conversation)).toHaveLength(round)
    const again = await connect(alice, stage.fleet.nodes[round % 2]!)
    expect((await again.request('message.send', message)).seq).toBe(round)
    expect((await again.request('message.send', message)).seq).toBe(round)
    expect(await seqsOf(conversation)).toHaveLength(round)
    await again.close()
  }
})

test('a slow reader in a busy group is closed and resumes; the node stays flat and the others are not held up', async () => {
  const crowd = await people(12)
  const conversation = await makeConversation(
    stage.pool,
    crowd.map(person => person.user),
  )
  const node = stage.fleet.nodes[0]!
  const sockets = await Promise.all(crowd.map(person => connect(person, node, true)))
  const [slow, ...others] = sockets as [TestSocket, ...TestSocket[]]
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${node.pid()}/status`, 'utf8'))![1]) / 1_024
  const write = (count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, nth) =>
        others[nth % others.length]!.request('message.send', {
          conversation,
          clientId: randomUUID(),
          body: { text: 'x'.repeat(7_000) },
        }),
      ),
    )
  await write(100)
  const before = memory()
  slow.pause()
  // Until the send queue of 1 MiB and what the kernel buffers on both sides are full.
  let head = 100
  for (; (await node.metric('flotilla_disconnects_total', 'code="slow_consumer"')) === 0; head += 100) await write(100)
  expect(memory() - before).toBeLessThan(100)
  // It reads on: what was queued comes first, in order, then the code. One that never does is cut off after the idle time.
  slow.resume()
  expect((await slow.closed).code).toBe(closeCodes.slow_consumer.code)
  const seen = slow.received.flatMap(frame => ('event' in frame && frame.event === 'message.new' ? [frame.seq] : []))
  expect(seen).toEqual(Array.from({ length: seen.length }, (_, nth) => nth + 1))
  expect(seen.length).toBeLessThan(head)
  const back = await connect(crowd[0]!)
  const { verdicts } = await back.request('sync.resume', { epoch: 1, cursors: [{ conversation, seq: seen.length }] })
  expect(verdicts).toMatchObject([{ conversation, verdict: expect.stringMatching('replayed|behind'), head }])
  // The senders were told by their acknowledgements, everybody else by events: nobody else missed any.
  const events = (socket: TestSocket) =>
    socket.received.filter(frame => 'event' in frame && frame.event === 'message.new').length
  const ownMax = (head / 100) * Math.ceil(100 / others.length)
  await until(() => others.every(socket => events(socket) >= head - ownMax), { what: 'the others have everything' })
})

test('frames that are doubled, swapped and replayed on another node make each message once', async () => {
  const [alice, bob] = (await people(2)) as [{ user: string; session: string }, { user: string; session: string }]
  const conversation = await makeConversation(stage.pool, [alice.user, bob.user], 'direct')
  const history = new History()
  history.opened('bob', bob.user)
  const seen = new Set<number>()
  const reader = await connectSocket({
    url: stage.fleet.nodes[1]!.url,
    ticket: stage.fleet.ticket(bob.user, bob.session),
    onFrame(frame) {
      // The part of an application: live frames may come twice or crossed, it keeps what is new and sorts at the end.
      if ('event' in frame && frame.event === 'message.new') seen.add(frame.seq)
    },
  })
  opened.push(reader)
  const sockets = await Promise.all([0, 1, 0].map(node => connect(alice, stage.fleet.nodes[node]!)))
  const sends = Array.from({ length: 300 }, (_, nth) => ({ clientId: randomUUID(), body: { text: `m${nth}` } }))
  const everything = [...sends, ...sends, ...sends]
    .map(send => ({ send, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
  for (const { clientId, body } of sends) history.sent({ user: alice.user, conversation, clientId, text: body.text })
  await Promise.all(
    everything.map(async ({ send }, nth) => {
      const ack = await sockets[nth % 3]!.request('message.send', { conversation, ...send })
      history.acknowledged(alice.user, conversation, send.clientId, ack.seq)
    }),
  )
  await until(() => seen.size === 300, { what: 'the reader has every message' })
  history.connected('bob')
  const { entries } = await messages.history(stage.chat.ctx, bob.user, { conversation, after: 0, limit: 200 })
  const rest = await messages.history(stage.chat.ctx, bob.user, { conversation, after: 200, limit: 200 })
  for (const entry of [...entries, ...rest.entries]) history.saw('bob', entry)
  const dump = await dumpStore(stage.pool, rows => toEntries(stage.chat.ctx.seal, rows, 1))
  const about = dump.heads.filter(one => one.conversation === conversation).map(one => one.head)
  expect(about).toEqual([300])
  const only = {
    ...dump,
    entries: dump.entries.filter(one => one.conversation === conversation),
    heads: dump.heads.filter(one => one.conversation === conversation),
    cursors: dump.cursors.filter(one => one.conversation === conversation),
    memberships: dump.memberships.filter(one => one.conversation === conversation),
  }
  expect(checkHistory(history.records, only)).toEqual([])
})

test(`${scale.malformedFrames} malformed frames: the process stays, and a bystander chats on`, async () => {
  const [mallory, alice, bob] = (await people(3)) as [
    { user: string; session: string },
    { user: string; session: string },
    { user: string; session: string },
  ]
  const conversation = await makeConversation(stage.pool, [alice.user, bob.user], 'direct')
  const [bystander, peer] = [await connect(alice), await connect(bob, stage.fleet.nodes[1])]
  const pid = stage.fleet.nodes[0]!.pid()
  const shapes = [
    () => ({ id: 1, op: randomUUID() }),
    () => ({ id: 'one', op: 'ping' }),
    () => ({ id: 1, op: 'message.send', conversation: 'x', clientId: 7, body: null }),
    () => ({ id: 1, op: 'history.page', conversation, limit: -1 }),
    () => ({ op: { $ne: null }, __proto__: { admin: true } }),
    () => ({ id: 1, op: 'sync.resume', cursors: [[[[[]]]]] }),
    () => ({ id: 2 ** 40, op: 'ping', seen: 'all' }),
  ]
  let socket = await connect(mallory, stage.fleet.nodes[0]!, true)
  let sent = 0
  while (sent < scale.malformedFrames) {
    const chunk: Promise<unknown>[] = []
    for (let nth = 0; nth < 1_000; nth++, sent++)
      chunk.push(socket.sendRaw(JSON.stringify(shapes[sent % shapes.length]!())))
    await Promise.allSettled(chunk)
    // Now and then one that closes: half a frame of JSON, or bytes.
    if (sent % 20_000 === 0) {
      await socket.sendRaw(sent % 40_000 === 0 ? '{"id":' : Buffer.from([0, 255, 0]))
      expect((await socket.closed).code).toBe(closeCodes.frame_malformed.code)
      socket = await connect(mallory, stage.fleet.nodes[0]!, true)
      const text = `still here after ${sent}`
      await bystander.request('message.send', { conversation, clientId: randomUUID(), body: { text } })
      await peer.nextEvent(event => event.event === 'message.new' && textOf(event.body) === text)
    }
  }
  await socket.request('ping', {}).catch((error: unknown) => expect(error).toBeInstanceOf(SocketClosedError))
  expect(stage.fleet.nodes[0]!.pid()).toBe(pid)
  expect(stage.fleet.nodes[0]!.running()).toBe(true)
})
