import { type Command, closeCodes, limits, Refusal } from '@flotilla/protocol'
import { TokenBucket } from '@flotilla/routing'
import { expect, test } from 'vitest'
import { Connection, type ConnectionDeps, type Frame, type Socket } from './connection.ts'

const conversation = '00000000-0000-4000-8000-000000000001'
const send = {
  id: 7,
  op: 'message.send',
  conversation,
  clientId: '00000000-0000-4000-8000-000000000002',
  body: { text: 'hi' },
}

/** A socket that keeps what is written to it and can be made to hold back. */
function fakeSocket() {
  const socket = {
    sent: [] as string[],
    ended: undefined as { code: number; reason: string } | undefined,
    holding: false,
    buffered: 0,
    isCut: false,
    corks: 0,
    send(frame: Frame) {
      const text = String(frame)
      if (socket.ended !== undefined) throw new Error('touched after its close')
      socket.sent.push(text)
      if (socket.holding) socket.buffered += text.length
      return socket.holding ? 0 : 1
    },
    getBufferedAmount: () => socket.buffered,
    cork(write: () => void) {
      socket.corks++
      write()
    },
    end(code: number, reason: string) {
      if (socket.buffered > 0) throw new Error('what waits would be kept where nobody counts it')
      socket.ended = { code, reason }
    },
    close() {
      socket.isCut = true
      socket.buffered = 0
    },
  }
  return socket satisfies Socket
}

function open(
  options: { handle?: ConnectionDeps['handle']; limits?: Partial<ConnectionDeps['limits']>; lines?: boolean } = {},
) {
  const dirty: Connection[] = []
  const faults: unknown[] = []
  const traffic = { received: 0, sent: 0, dropped: { signal: 0, ephemeral: 0 } }
  const missed: Connection[] = []
  let now = 0
  let backlogs = 0
  const socket = fakeSocket()
  const bucket = new TokenBucket({ perSecond: 1_000, burst: 1_000 })
  const deps: ConnectionDeps = {
    nodeId: 'n',
    steady: () => now,
    limits: {
      frameBytesMax: limits.frameBytesMax,
      commandsInFlightMax: 4,
      commands: { perSecond: 10, burst: 5 },
      sendQueueBytesMax: 1_000,
      ...options.limits,
    },
    handle: options.handle ?? (async () => ({ seq: 1, at: 2, epoch: 1 })),
    spend: (_user, weight) => bucket.take(weight, now),
    markDirty: connection => dirty.push(connection),
    onBacklog: () => backlogs++ === 0,
    onFault: error => faults.push(error),
    onCommand: () => {},
    onClose: () => {},
    onMissed: connection => missed.push(connection),
    traffic,
  }
  const connection = new Connection(deps, socket, {
    user: 'u',
    session: 's',
    number: 1,
    requestId: undefined,
    address: '',
    lines: options.lines ?? false,
  })
  connection.since = 1
  const receive = async (frame: unknown) => {
    const text = typeof frame === 'string' ? frame : JSON.stringify(frame)
    await connection.receive(text, Buffer.byteLength(text))
    connection.flush()
    return socket.sent.map(
      one => JSON.parse(one) as { id?: number; ok?: object; error?: { code: string }; event?: string },
    )
  }
  const pass = (ms: number) => (now += ms)
  return { connection, socket, receive, faults, traffic, missed, backlogs: () => backlogs, pass }
}

test('a command is answered with its id and the value of its handler', async () => {
  const seen: Command[] = []
  const { receive, traffic } = open({
    handle: async (_, command) => {
      seen.push(command)
      return { seq: 9, at: 1, epoch: 1 }
    },
  })
  expect(await receive(send)).toEqual([{ id: 7, ok: { seq: 9, at: 1, epoch: 1 } }])
  expect(seen).toEqual([send])
  expect(traffic).toMatchObject({ received: 1, sent: 1 })
})

test('a quiet command is answered only when it fails, by an error event', async () => {
  const quiet = { op: 'message.read', conversation, seq: 1 }
  expect(await open().receive(quiet)).toEqual([])
  const failing = open({ handle: () => Promise.reject(new Refusal('not_a_member')) })
  expect(await failing.receive(quiet)).toMatchObject([
    { event: 'error', op: 'message.read', error: { code: 'not_a_member' } },
  ])
})

test('an error that nobody expected is answered as internal, without its text', async () => {
  const { receive, faults, socket } = open({ handle: () => Promise.reject(new Error('password=hunter2')) })
  expect(await receive(send)).toMatchObject([{ id: 7, error: { code: 'internal' } }])
  expect(socket.sent.join()).not.toContain('hunter2')
  expect(faults).toHaveLength(1)
})

test('a store that is away is answered as unavailable, whatever was asked', async () => {
  const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const { receive, faults } = open({ handle: () => Promise.reject(new Error('query failed', { cause: away })) })
  expect(await receive(send)).toMatchObject([{ id: 7, error: { code: 'unavailable', retryMs: 2_000 } }])
  expect(faults).toEqual([])
})

test('before hello nothing is taken', async () => {
  const { connection, receive } = open()
  connection.since = 0
  expect(await receive(send)).toMatchObject([{ event: 'error', error: { code: 'unauthenticated' } }])
})

test('hello is the first frame, whatever is told before', () => {
  const { connection, socket } = open()
  connection.since = 0
  connection.push('too early')
  connection.greet('hello', 5)
  connection.push('in time')
  connection.flush()
  expect(socket.sent).toEqual(['hello', 'in time'])
  expect(connection.since).toBe(5)
})

test('a frame that is too large is refused, one that is no JSON closes', async () => {
  const large = open()
  expect(await large.receive('x'.repeat(limits.frameBytesMax + 1))).toMatchObject([
    { event: 'error', error: { code: 'frame_too_large' } },
  ])
  expect(large.socket.ended).toBeUndefined()
  const malformed = open()
  expect(await malformed.receive('{')).toMatchObject([{ event: 'error', error: { code: 'frame_malformed' } }])
  expect(malformed.socket.ended?.code).toBe(closeCodes.frame_malformed.code)
})

test('too fast is refused with the time to come back, and going on closes', async () => {
  const { receive, socket, pass } = open()
  for (let nth = 0; nth < 5; nth++) await receive(send)
  expect((await receive(send)).at(-1)).toMatchObject({ id: 7, error: { code: 'rate_limited', retryMs: 100 } })
  pass(100)
  expect((await receive(send)).at(-1)).toHaveProperty('ok')
  for (let nth = 0; nth < 7; nth++) await receive(send)
  expect(socket.ended).toEqual({ code: closeCodes.flooding.code, reason: '{"code":"flooding","retryMs":10000}' })
})

test('invalid frames cost tokens too', async () => {
  const { receive, socket } = open()
  for (let nth = 0; nth < 11; nth++) await receive({ id: 1, op: 'message.explode' })
  expect(socket.ended?.code).toBe(closeCodes.flooding.code)
})

test('so do frames that are too large, by their size, and those before hello', async () => {
  const oversized = open()
  for (let nth = 0; nth < 7; nth++) await oversized.receive('x'.repeat(limits.frameBytesMax + 1))
  expect(oversized.socket.ended?.code).toBe(closeCodes.flooding.code)
  const early = open()
  early.connection.since = 0
  for (let nth = 0; nth < 11; nth++) await early.receive(send)
  expect(early.socket.ended?.code).toBe(closeCodes.flooding.code)
})

test('no more commands wait than the limit allows', async () => {
  const { connection, socket } = open({
    handle: () => new Promise(() => {}),
    limits: { commands: { perSecond: 10, burst: 50 } },
  })
  for (let nth = 0; nth < 5; nth++) void connection.receive(JSON.stringify(send), 100)
  await new Promise(setImmediate)
  connection.flush()
  expect(socket.sent.map(one => JSON.parse(one) as object)).toMatchObject([{ id: 7, error: { code: 'overloaded' } }])
})

test('frames of one turn go out in order under one cork', () => {
  const { connection, socket } = open()
  for (const frame of ['a', 'b', 'c']) connection.push(frame)
  expect(socket.sent).toEqual([])
  connection.flush()
  expect(socket.sent).toEqual(['a', 'b', 'c'])
  expect(socket.corks).toBe(1)
})

test('a slow reader loses what may be dropped first, is known to miss the signals, then is closed to resume', () => {
  const { connection, socket, backlogs, missed, traffic } = open()
  socket.holding = true
  connection.push('x'.repeat(600))
  connection.flush()
  expect(backlogs()).toBe(1)
  connection.push('typing', 'ephemeral')
  connection.flush()
  expect(socket.sent).toHaveLength(1)
  expect(missed).toEqual([])
  connection.push('block', 'signal')
  connection.flush()
  expect(socket.sent).toHaveLength(1)
  expect(missed).toEqual([connection])
  expect(traffic.dropped).toEqual({ signal: 1, ephemeral: 1 })
  connection.push('y'.repeat(600))
  connection.flush()
  expect(connection.open).toBe(false)
  connection.push('z')
  connection.flush()
  expect(socket.sent).toHaveLength(2)
})

test('a close waits until what stands before it was taken, is counted meanwhile, and can be cut', () => {
  const { connection, socket } = open()
  socket.holding = true
  connection.push('x'.repeat(600))
  connection.flush()
  connection.close('session_ended')
  expect([connection.open, socket.ended, connection.bufferedBytes()]).toEqual([false, undefined, 600])
  socket.buffered = 1
  connection.drained()
  expect(socket.ended).toBeUndefined()
  socket.buffered = 0
  connection.drained()
  expect(socket.ended?.code).toBe(closeCodes.session_ended.code)

  const other = open()
  other.socket.holding = true
  other.connection.push('x'.repeat(1_100))
  other.connection.flush()
  expect([other.connection.open, other.socket.isCut]).toEqual([false, false])
  other.connection.cut()
  expect([other.socket.isCut, other.connection.bufferedBytes()]).toEqual([true, 0])
})

test('what is queued is written a piece at a time when others wait, in order', () => {
  const { connection, socket } = open()
  for (const frame of ['a'.repeat(40), 'b'.repeat(40), 'c'.repeat(40)]) connection.push(frame)
  expect(connection.flush(100)).toBe(80)
  expect([socket.sent.map(one => one[0]), connection.waits]).toEqual([['a', 'b'], true])
  connection.push('d'.repeat(500))
  expect([connection.flush(100), connection.flush(100)]).toEqual([40, 500])
  expect([socket.sent.map(one => one[0]), connection.waits]).toEqual([['a', 'b', 'c', 'd'], false])
})

test('who takes lines gets what is queued in one frame, in order, and a part of it when others wait', () => {
  const { connection, socket, traffic } = open({ lines: true })
  for (const frame of ['a'.repeat(40), Buffer.from('ä'.repeat(20)), 'c'.repeat(40)]) connection.push(frame)
  expect(connection.flush(100)).toBe(81)
  connection.push('d'.repeat(500))
  expect([connection.flush(100), connection.flush(100)]).toEqual([40, 500])
  expect(socket.sent).toEqual([`${'a'.repeat(40)}\n${'ä'.repeat(20)}`, 'c'.repeat(40), 'd'.repeat(500)])
  expect(traffic.sent).toBe(4)
})

test('in a group, what many get in one turn is put together once, and nobody gets what is for another', () => {
  const members = [1, 2, 3, 4].map(() => open({ lines: true }))
  const asker = members[2]!
  for (const { connection } of members) {
    connection.push('{"seq":1}')
    connection.push('{"seq":2}')
    if (connection === asker.connection) connection.push('{"id":7}')
    connection.flush()
  }
  const both = '{"seq":1}\n{"seq":2}'
  expect(members.map(({ socket }) => socket.sent)).toEqual([[both], [both], [`${both}\n{"id":7}`], [both]])
})

test('a frame of lines has a length; who takes none gets a frame for each', () => {
  const [taking, plain] = [true, false].map(lines => open({ lines, limits: { sendQueueBytesMax: 1_000_000 } }))
  for (const { connection } of [taking!, plain!]) {
    for (const letter of ['a', 'b', 'c']) connection.push(letter.repeat(30_000))
    for (const frame of ['d'.repeat(100_000), 'e']) connection.push(frame)
    connection.flush()
  }
  expect(taking!.socket.sent.map(frame => frame.length)).toEqual([60_001, 30_000, 100_000, 1])
  expect(plain!.socket.sent.map(frame => frame.length)).toEqual([30_000, 30_000, 30_000, 100_000, 1])
})

test('for whom more is queued than may be, they are closed to resume when it is their turn', () => {
  const { connection, socket } = open()
  for (let nth = 0; nth < 50; nth++) connection.push('x'.repeat(100))
  expect(connection.open).toBe(true)
  expect(connection.flush()).toBe(0)
  expect([connection.open, socket.sent]).toEqual([false, []])
  expect(socket.ended?.code).toBe(closeCodes.slow_consumer.code)
})

const page = (id: number) => ({ id, op: 'history.page', conversation })
/** What a page holds in these tests: more than the send queue may. */
const reply = { entries: ['x'.repeat(3_000)] }

test('a large reply that was asked for does not count, what is pushed beside it does', async () => {
  const { connection, socket, receive } = open({ handle: async () => reply })
  socket.holding = true
  await receive(page(1))
  const push = (bytes: number) => {
    connection.push('x'.repeat(bytes))
    connection.flush()
  }
  push(900)
  expect(socket.ended).toBeUndefined()
  // Half of the reply has left: the rest of it counts no more than all of it did.
  socket.buffered -= 1_500
  connection.drained()
  push(50)
  expect(connection.open).toBe(true)
  push(60)
  expect(connection.open).toBe(false)
})

test('once a reply has left, everything that waits counts again', async () => {
  const { connection, socket, receive } = open({ handle: async () => reply })
  socket.holding = true
  await receive(page(1))
  connection.push('x'.repeat(900))
  connection.flush()
  socket.buffered = 904
  connection.drained()
  connection.push('x'.repeat(101))
  connection.flush()
  expect(connection.open).toBe(false)
})

test('pages are answered one after the other, as the client reads them; other commands do not wait', async () => {
  const begun: number[] = []
  const { connection, socket, receive } = open({
    limits: { commands: { perSecond: 10, burst: 50 } },
    handle: async (_, command) => {
      begun.push(command.id ?? 0)
      return command.op === 'history.page' ? reply : { seq: 1, at: 2, epoch: 1 }
    },
  })
  socket.holding = true
  for (const id of [1, 2, 3]) void receive(page(id))
  await receive(send)
  expect(begun).toEqual([1, 7])
  const settle = () => new Promise(setImmediate)
  socket.buffered -= 1_000
  connection.drained()
  await settle()
  expect(begun).toEqual([1, 7])
  socket.buffered = 0
  connection.drained()
  await settle()
  expect(begun).toEqual([1, 7, 2])
  // A client that takes everything at once waits for nothing.
  socket.holding = false
  socket.buffered = 0
  connection.drained()
  await settle()
  expect(begun).toEqual([1, 7, 2, 3])
  expect(socket.sent.map(one => (JSON.parse(one) as { id: number }).id)).toEqual([1, 7, 2, 3])
})

test('a page that fails makes room for the next, and one whose client has gone is not begun', async () => {
  const begun: number[] = []
  const { connection, socket, receive } = open({
    limits: { commands: { perSecond: 10, burst: 50 } },
    handle: async (_, command) => {
      begun.push(command.id ?? 0)
      if (command.id === 1) throw new Refusal('not_a_member')
      return reply
    },
  })
  socket.holding = true
  const all = [1, 2, 3, 4].map(id => receive(page(id)))
  await new Promise(setImmediate)
  expect(begun).toEqual([1, 2])
  connection.closed()
  await Promise.all(all)
  expect(begun).toEqual([1, 2])
  expect(connection.busy).toBe(false)
})

test('how long a client has taken nothing is counted from when something began to wait, and from each time that it takes', () => {
  const { connection, socket, pass } = open()
  pass(5_000)
  expect(connection.stalledMs()).toBe(0)
  socket.holding = true
  connection.push('x')
  connection.flush()
  pass(1_000)
  connection.push('y')
  connection.flush()
  expect(connection.stalledMs()).toBe(1_000)
  socket.buffered = 1
  connection.drained()
  pass(300)
  expect(connection.stalledMs()).toBe(300)
  socket.buffered = 0
  expect(connection.stalledMs()).toBe(0)
})

test('what is queued goes before the close', () => {
  const { connection, socket } = open()
  connection.push('last')
  connection.close('node_draining')
  expect(socket.sent).toEqual(['last'])
  expect(socket.ended).toEqual({ code: closeCodes.node_draining.code, reason: '{"code":"node_draining"}' })
  connection.close('flooding')
  expect(socket.ended?.code).toBe(closeCodes.node_draining.code)
})
