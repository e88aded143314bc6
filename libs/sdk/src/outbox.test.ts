import { beforeEach, expect, test } from 'vitest'
import { FlotillaError } from './flotilla-error.ts'
import { type Ack, Outbox, type OutboxOptions, type Send } from './outbox.ts'
import { SimClock } from './simulation/sim-clock.testbed.ts'
import type { Store } from './store.ts'
import { createMemoryStore } from './store-memory.ts'

interface Flight {
  clientId: string
  conversation: string
  land: (ack: Ack) => void
  crash: (error: FlotillaError) => void
}

let clock: SimClock
let store: Store
let flights: Flight[]
let changes: string[]
let outbox: Outbox

const ack = (seq: number): Ack => ({ seq, at: 5, epoch: 1 })
const failure = (
  code: 'rate_limited' | 'quota_exceeded' | 'disconnected' | 'not_a_member' | 'timed_out',
  retryMs?: number,
) => new FlotillaError(code, code, { retryMs })

const makeOutbox = (outboxEntriesMax = 100) => new Outbox(outboxOptions(outboxEntriesMax))

function outboxOptions(outboxEntriesMax = 100): OutboxOptions {
  let number = 0
  return {
    store,
    clock,
    random: () => 0.5,
    uuid: () => `m${++number}`,
    send: ({ clientId, conversation }) =>
      new Promise((land, crash) => flights.push({ clientId, conversation, land, crash })),
    changed: ({ clientId, state }: Send) => changes.push(`${clientId} ${state.name}`),
    report: () => {},
    outboxEntriesMax,
    inFlightMax: 2,
    retryPolicy: { baseMs: 100, maxMs: 1_000 },
  }
}
const add = (conversation = 'c') => outbox.add({ op: 'message.send', conversation, body: { text: 'hi' } })
const inAir = () => flights.splice(0).map(flight => flight.clientId)
const next = () => {
  const flight = flights.shift()
  if (flight === undefined) throw new Error('nothing is under way')
  return flight
}

beforeEach(() => {
  clock = new SimClock()
  store = createMemoryStore()
  flights = []
  changes = []
  outbox = makeOutbox()
})

test('a message is stored before it leaves and forgotten when it is acknowledged', async () => {
  outbox.live()
  const send = add()
  expect(send.state).toEqual({ name: 'sending' })
  expect(flights, 'not before it is stored').toEqual([])
  await clock.settle()
  expect((await store.load()).sends).toMatchObject([{ clientId: 'm1', order: 1, conversation: 'c' }])
  next().land(ack(7))
  expect(await send.acknowledged).toEqual(ack(7))
  expect(send.state).toEqual({ name: 'sent', ...ack(7) })
  expect(changes).toEqual(['m1 sending', 'm1 sent'])
  await clock.settle()
  expect((await store.load()).sends).toEqual([])
})

test('a message that is still being stored does not leave, whatever else is going on', async () => {
  outbox.live()
  add('a')
  await clock.settle()
  const { addSend } = store
  store.addSend = async send => {
    await clock.wait(1_000)
    return addSend(send)
  }
  add('b')
  next().land(ack(1))
  await clock.advance(999)
  expect(flights).toEqual([])
  await clock.advance(1)
  expect(inAir()).toEqual(['m2'])
})

test('one at a time in a conversation, several conversations at a time, and no more than the limit', async () => {
  outbox.live()
  for (const conversation of ['a', 'a', 'b', 'c']) add(conversation)
  await clock.settle()
  expect(flights.map(flight => flight.clientId)).toEqual(['m1', 'm3'])
  next().land(ack(1))
  await clock.settle()
  expect(flights.map(flight => flight.clientId)).toEqual(['m3', 'm4'])
})

test.each(['rate_limited', 'quota_exceeded'] as const)(
  'what is refused with %s is tried again, no sooner than said, and nothing overtakes it',
  async code => {
    outbox.live()
    add()
    add()
    await clock.settle()
    next().crash(failure(code, 500))
    await clock.advance(500)
    expect(flights).toEqual([])
    await clock.advance(50)
    expect(inAir()).toEqual(['m1'])
  },
)

test('tries grow apart', async () => {
  outbox.live()
  add()
  await clock.settle()
  const waits: number[] = []
  for (let tries = 0; tries < 6; tries++) {
    next().crash(failure('timed_out'))
    await clock.settle()
    const since = clock.now()
    while (flights.length === 0) await clock.advance(10)
    waits.push(clock.now() - since)
  }
  expect(waits).toEqual([50, 100, 200, 400, 500, 500])
})

test('what is refused for good makes room for the next', async () => {
  outbox.live()
  const send = add()
  add()
  await clock.settle()
  next().crash(failure('not_a_member'))
  await expect(send.acknowledged).rejects.toMatchObject({ code: 'not_a_member' })
  await clock.settle()
  expect(changes).toEqual(['m1 sending', 'm2 sending', 'm1 failed'])
  expect(inAir()).toEqual(['m2'])
})

test('a failure that nobody looks at is no unhandled rejection', async () => {
  outbox.live()
  add()
  await clock.settle()
  next().crash(failure('not_a_member'))
  await clock.settle()
  expect(changes.at(-1)).toBe('m1 failed')
})

test('without a connection everything waits, and then goes in order', async () => {
  add()
  add()
  await clock.advance(10_000)
  expect(flights).toEqual([])
  outbox.live()
  const first = next()
  outbox.down()
  first.crash(failure('disconnected'))
  await clock.advance(10_000)
  expect(flights).toEqual([])
  outbox.live()
  expect(inAir()).toEqual(['m1'])
})

test('a wait for another try ends with the connection: the next one does not wait for it', async () => {
  outbox.live()
  add()
  await clock.settle()
  next().crash(failure('rate_limited', 60_000))
  await clock.settle()
  outbox.down()
  outbox.live()
  expect(inAir()).toEqual(['m1'])
})

test('another run takes over what is left, in order and before its own', async () => {
  add('a')
  add('a')
  await clock.settle()
  outbox = makeOutbox()
  outbox.restore((await store.load()).sends)
  changes.length = 0
  outbox.add({ op: 'message.send', conversation: 'a', body: { text: 'later' } })
  expect(outbox.pending().map(send => send.clientId)).toEqual(['m1', 'm2', 'm1'])
  outbox.live()
  await clock.settle()
  const left = next()
  expect(left.clientId).toBe('m1')
  left.land(ack(1))
  await clock.settle()
  expect(inAir()).toEqual(['m2'])
})

test('whatever it says, it goes in the order of its conversation, is kept, and is sent as it was handed in', async () => {
  const sent: object[] = []
  const edit = { op: 'message.edit', conversation: 'a', target: 3, body: { text: 'better' } } as const
  add('a')
  outbox.add(edit)
  add('a')
  await clock.settle()
  // Of another run, and as a version before has stored a message.
  const left = (await store.load()).sends.map(({ op, ...send }) => (op === 'message.send' ? send : { ...send, op }))
  outbox = new Outbox({
    ...outboxOptions(),
    send: async draft => {
      sent.push(draft)
      return ack(sent.length)
    },
  })
  outbox.restore(left)
  expect(outbox.pending().map(send => send.op)).toEqual(['message.send', 'message.edit', 'message.send'])
  const [, waiting] = outbox.pending()
  outbox.live()
  await clock.settle()
  expect(sent).toEqual([
    { op: 'message.send', clientId: 'm1', conversation: 'a', body: { text: 'hi' } },
    { ...edit, clientId: 'm2' },
    { op: 'message.send', clientId: 'm3', conversation: 'a', body: { text: 'hi' } },
  ])
  expect(waiting).toMatchObject({ op: 'message.edit', target: 3, state: { name: 'sent', seq: 2 } })
  expect(() => outbox.add({ ...edit, body: { text: '' } })).toThrow(expect.objectContaining({ field: 'body.text' }))
})

test('what another tab left is sent at once, in its order, and what is here already is not here twice', async () => {
  outbox.live()
  const mine = add()
  await clock.settle()
  const left = ['x1', 'x2'].map((clientId, nth) => ({ clientId, order: nth, conversation: 'd', body: { text: 'hi' } }))
  outbox.restore([...left, { clientId: mine.clientId, order: 1, conversation: 'c', body: { text: 'hi' } }])
  expect(flights.map(flight => flight.clientId)).toEqual(['m1', 'x1'])
  expect(outbox.pending().map(send => send.clientId)).toEqual(['x1', 'm1', 'x2'])
  next().land(ack(1))
  await clock.settle()
  next().land(ack(1))
  await clock.settle()
  expect(inAir()).toEqual(['x2'])
})

test('the end waits for what the store has still to write', async () => {
  const { removeSend } = store
  store.removeSend = async clientId => {
    await clock.wait(100)
    return removeSend(clientId)
  }
  outbox.live()
  add()
  await clock.settle()
  next().land(ack(1))
  await clock.settle()
  const closed = outbox.close()
  await clock.advance(100)
  await closed
  expect((await store.load()).sends).toEqual([])
})

test('it has an end, and what can never be sent is refused at once', async () => {
  outbox = makeOutbox(2)
  add()
  add()
  expect(() => add()).toThrow(expect.objectContaining({ code: 'outbox_full' }))
  outbox = makeOutbox()
  const post = (body: { text: string; data?: Record<string, unknown> }) =>
    outbox.add({ op: 'message.send', conversation: 'c', body })
  expect(() => post({ text: '' })).toThrow(expect.objectContaining({ code: 'field_invalid', field: 'body.text' }))
  expect(() => post({ text: 'x'.repeat(8_001) })).toThrow(expect.objectContaining({ rule: 'maxLength 8000' }))
  expect(() => post({ text: '😀'.repeat(8_001) })).toThrow(expect.objectContaining({ rule: 'maxLength 8000' }))
  expect(() => post({ text: '\u200b' })).toThrow(expect.objectContaining({ rule: 'something visible' }))
  expect(() => post({ text: 'x', data: { y: 'z'.repeat(40_000) } })).toThrow(
    expect.objectContaining({ field: 'body.data', rule: 'maxBytes 8192' }),
  )
  expect(() => post({ text: 'x', data: { y: ['\ud800'] } })).toThrow(
    expect.objectContaining({ code: 'field_invalid', field: 'body.data.y.0' }),
  )
  expect(() => post({ text: '😀'.repeat(8_000), data: { y: 'z'.repeat(4_000) } })).toThrow(
    expect.objectContaining({ code: 'frame_too_large' }),
  )
  expect(() => post({ text: '😀'.repeat(8_000) })).not.toThrow()
})

test('a message that the store does not take fails, and is never sent', async () => {
  store = { ...store, addSend: () => Promise.reject(new Error('quota')) }
  outbox = makeOutbox()
  outbox.live()
  const send = add()
  await expect(send.acknowledged).rejects.toMatchObject({ code: 'store_failed' })
  expect(flights).toEqual([])
  expect(outbox.pending()).toEqual([])
})

test('what is sent is what was handed in, whatever the caller does with it later', async () => {
  const body = { text: 'first' }
  const send = outbox.add({ op: 'message.send', conversation: 'c', body })
  body.text = 'second'
  expect(send).toMatchObject({ body: { text: 'first' } })
})
