import { beforeEach, expect, test } from 'vitest'
import { Connection, type ConnectionState, readClose, type Socket, type SocketEvent } from './connection.ts'
import { FlotillaError } from './flotilla-error.ts'
import type { ConnectAnswer } from '@flotilla/protocol'
import { SimClock } from './simulation/sim-clock.testbed.ts'

class FakeSocket implements Socket {
  readonly url: string
  closed = false
  readonly #listeners = new Map<string, (event: SocketEvent) => void>()

  constructor(url: string) {
    this.url = url
    sockets.push(this)
  }
  send(): void {}
  close(): void {
    this.closed = true
  }
  addEventListener(type: string, listener: (event: SocketEvent) => void): void {
    this.#listeners.set(type, listener)
  }
  fire(type: string, more: Omit<SocketEvent, 'type'> = {}): void {
    this.#listeners.get(type)?.({ type, ...more })
  }
  hello(): void {
    this.fire('message', { data: hello })
  }
}

const hello = JSON.stringify({ event: 'hello', pingIntervalMs: 20_000, reconnect: { baseMs: 1_000, maxMs: 8_000 } })

let clock: SimClock
let sockets: FakeSocket[]
let connection: Connection
let states: ConnectionState[]
let frames: string[]
let locate: () => Promise<ConnectAnswer>
let ping: (timeoutMs: number) => Promise<void>
let pings: number
let downs: number
let hear: (text: string) => void

const answer: ConnectAnswer = {
  urls: [
    { url: 'ws://one', region: 'a' },
    { url: 'ws://two', region: 'b' },
  ],
  ticket: 'a+b',
  ticketExpiresInMs: 30_000,
  protocol: 1,
  epoch: 1,
}

beforeEach(() => {
  clock = new SimClock()
  sockets = []
  states = []
  frames = []
  pings = 0
  downs = 0
  hear = text => frames.push(text)
  locate = async () => answer
  ping = async () => {}
  connection = new Connection({
    clock,
    random: () => 0.5,
    WebSocket: FakeSocket,
    connectTimeoutMs: 5_000,
    pingTimeoutMs: 2_000,
    wakeTimeoutMs: 1_500,
    stableMs: 10_000,
    retryPolicy: { baseMs: 1_000, maxMs: 8_000 },
    ports: {
      locate: () => locate(),
      live: () => {},
      down: () => (downs += 1),
      frame: text => hear(text),
      ping: timeoutMs => {
        pings += 1
        return ping(timeoutMs)
      },
      changed: state => states.push(state),
    },
  })
})

const last = () => {
  const socket = sockets.at(-1)
  if (socket === undefined) throw new Error('there is no socket')
  return socket
}
async function connect(): Promise<FakeSocket> {
  connection.start()
  await clock.settle()
  last().hello()
  return last()
}
/** How long it waits until the next try. */
async function waitOf(): Promise<number> {
  const { state } = connection
  if (state.name !== 'waiting') throw new Error(`it is ${state.name}`)
  const waitMs = state.until - clock.now()
  await clock.advance(waitMs)
  return waitMs
}
const reason = (code: string, retryMs?: number) => JSON.stringify({ code, retryMs })

test('it asks where to go, goes there with the ticket, and is live with hello', async () => {
  const socket = await connect()
  expect(socket.url).toBe('ws://one?ticket=a%2Bb&v=1&lines=1')
  expect(states.map(state => state.name)).toEqual(['connecting', 'live'])
  socket.fire('message', { data: 'text' })
  expect(frames).toEqual(['text'])
})

test('of a frame with several lines it hears each, also those behind hello, and none once it has ended', async () => {
  connection.start()
  await clock.settle()
  const socket = last()
  socket.fire('message', { data: `${hello}\none\ntwo` })
  expect(frames).toEqual(['one', 'two'])
  hear = text => {
    frames.push(text)
    if (text === 'four') connection.stop('stopped')
  }
  socket.fire('message', { data: 'three\nfour\nfive' })
  expect(frames).toEqual(['one', 'two', 'three', 'four'])
})

test('the range of a close code says what to do, with codes of tomorrow too; the reason says why', () => {
  expect(readClose({ code: 4000, reason: reason('node_draining') })).toMatchObject({
    advice: 'now',
    code: 'node_draining',
  })
  expect(readClose({ code: 4099 })).toMatchObject({ advice: 'now', code: 'closed_4099' })
  expect(readClose({ code: 4100, reason: reason('overloaded', 900) })).toMatchObject({ advice: 'after', retryMs: 900 })
  expect(readClose({ code: 4200 })).toMatchObject({ advice: 'never', code: 'session_ended' })
  expect(readClose({ code: 1006, reason: 'not JSON' })).toMatchObject({ advice: 'after', retryMs: undefined })
})

test('told to come back now, it does not wait', async () => {
  const socket = await connect()
  await clock.advance(15_000)
  socket.fire('close', { code: 4000, reason: reason('node_draining') })
  expect(downs).toBe(1)
  expect(await waitOf()).toBe(0)
  expect(sockets).toHaveLength(2)
})

test('sent away by a node, it asks anew and prefers another one; the same is taken when there is no other', async () => {
  let asked = 0
  locate = async () => ({ ...answer, ticket: `t${++asked}` })
  const socket = await connect()
  await clock.advance(15_000)
  socket.fire('close', { code: 4002, reason: reason('rebalanced') })
  expect(await waitOf()).toBe(0)
  expect(last().url).toBe('ws://two?ticket=t2&v=1&lines=1')
  last().hello()
  await clock.advance(15_000)
  // What sent it away once is good again.
  last().fire('close', { code: 4000, reason: reason('node_draining') })
  expect(await waitOf()).toBe(0)
  expect(last().url).toBe('ws://one?ticket=t3&v=1&lines=1')
  last().hello()
  await clock.advance(15_000)
  locate = async () => ({ ...answer, urls: answer.urls.slice(0, 1) })
  last().fire('close', { code: 4002, reason: reason('rebalanced') })
  expect(await waitOf()).toBe(0)
  expect(last().url).toContain('ws://one')
  expect(sockets).toHaveLength(4)
})

test('a connection that was lost comes back to where it was', async () => {
  await connect()
  await clock.advance(15_000)
  last().fire('close', { code: 1006 })
  await waitOf()
  expect(last().url).toContain('ws://one')
})

test('told so again and again, it waits: a node that greets and closes makes no hot loop', async () => {
  await connect()
  const waits: number[] = []
  for (let round = 0; round < 5; round++) {
    last().fire('close', { code: 4000 })
    waits.push(await waitOf())
    last().hello()
  }
  expect(waits).toEqual([0, 1_000, 2_000, 4_000, 4_000])
})

test('a connection that lasted wipes out the failures before it', async () => {
  await connect()
  for (let round = 0; round < 3; round++) {
    last().fire('close', { code: 1006 })
    await waitOf()
    last().hello()
  }
  await clock.advance(10_000)
  last().fire('close', { code: 1006 })
  expect(await waitOf()).toBe(500)
})

test('the time that the server names is the earliest, and jitter comes on top', async () => {
  const socket = await connect()
  socket.fire('close', { code: 4100, reason: reason('overloaded', 3_000) })
  connection.wake()
  expect(connection.state.name, 'no wake shortens it').toBe('waiting')
  expect(await waitOf()).toBe(3_500)
})

test('told never to come back, it stops and says why; started again, it comes', async () => {
  const socket = await connect()
  socket.fire('close', { code: 4200, reason: reason('session_ended') })
  expect(connection.state).toEqual({ name: 'stopped', reason: 'session_ended', advice: 'sign_in' })
  await clock.advance(600_000)
  expect(sockets).toHaveLength(1)
  connection.start()
  await clock.settle()
  expect(sockets).toHaveLength(2)
})

test('the second address is tried at once, with a ticket of its own; only then it waits', async () => {
  let asked = 0
  locate = async () => ({ ...answer, ticket: `t${++asked}` })
  connection.start()
  await clock.settle()
  last().fire('close', { code: 1006 })
  expect(await waitOf()).toBe(0)
  expect(last().url).toBe('ws://two?ticket=t2&v=1&lines=1')
  last().fire('close', { code: 1006 })
  expect(await waitOf()).toBe(1_000)
  expect(last().url, 'from the beginning').toContain('ws://one')
})

test('an error without a close counts as one after a moment', async () => {
  connection.start()
  await clock.settle()
  last().fire('error')
  await clock.advance(1_000)
  expect(last().url).toContain('ws://two')
})

test('no hello in time: the next address', async () => {
  connection.start()
  await clock.advance(4_999)
  expect(sockets).toHaveLength(1)
  await clock.advance(1)
  expect(last().url).toContain('ws://two')
  expect(sockets[0]?.closed).toBe(true)
  // What the first one still says is not heard.
  sockets[0]?.hello()
  expect(connection.state.name).toBe('connecting')
})

test('an API that is away is asked again, not before its Retry-After', async () => {
  locate = () => Promise.reject(new FlotillaError('unavailable', 'away', { retryMs: 7_000 }))
  connection.start()
  await clock.settle()
  expect(await waitOf()).toBe(7_500)
  locate = () => Promise.reject(new TypeError('fetch failed'))
  await clock.settle()
  expect(connection.state).toMatchObject({ name: 'waiting' })
})

test('without a session there is nothing to come back with', async () => {
  locate = () => Promise.reject(new FlotillaError('refresh_token_invalid', 'sign in'))
  connection.start()
  await clock.settle()
  expect(connection.state).toEqual({ name: 'stopped', reason: 'refresh_token_invalid', advice: 'sign_in' })
})

test('fresh tokens that are refused are tried a few times only', async () => {
  locate = () => Promise.reject(new FlotillaError('unauthenticated', 'no'))
  connection.start()
  await clock.advance(60_000)
  expect(connection.state).toEqual({ name: 'stopped', reason: 'unauthenticated', advice: 'sign_in' })
  expect(states.filter(state => state.name === 'connecting')).toHaveLength(3)
})

test('it pings before the interval is over; silence ends the connection', async () => {
  await connect()
  await clock.advance(20_000)
  expect(pings).toBe(1)
  ping = ms => clock.wait(ms).then(() => Promise.reject(new FlotillaError('timed_out', 'silence')))
  await clock.advance(20_000)
  expect(connection.state.name).not.toBe('live')
  expect(downs).toBe(1)
})

test('a node that is busy but not silent is kept', async () => {
  const socket = await connect()
  ping = ms => clock.wait(ms).then(() => Promise.reject(new FlotillaError('timed_out', 'late')))
  for (let second = 0; second < 60; second++) {
    await clock.advance(1_000)
    socket.fire('message', { data: 'x' })
  }
  expect(pings).toBeGreaterThan(1)
  expect(connection.state.name).toBe('live')
})

test('a wake ends the wait, and proves a connection that looks alive', async () => {
  await connect()
  last().fire('close', { code: 1006 })
  await waitOf()
  last().hello()
  await clock.advance(2_000)
  connection.wake()
  expect(pings).toBe(1)
  last().fire('close', { code: 1006 })
  await clock.advance(1)
  connection.wake()
  await clock.settle()
  expect(sockets).toHaveLength(3)
  // A second sign in the same moment is none.
  last().fire('close', { code: 1006 })
  connection.wake()
  await clock.settle()
  expect(sockets).toHaveLength(3)
})

test('what keeps it from connecting is told with its cause, in every state of waiting', async () => {
  const said = () => (connection.state.name === 'waiting' ? connection.state.error : undefined)
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' })
  locate = () => Promise.reject(new TypeError('fetch failed', { cause: refused }))
  connection.start()
  await clock.settle()
  expect(said()).toMatchObject({
    code: 'unreachable',
    message: 'unable to connect: fetch failed: connect ECONNREFUSED 127.0.0.1:1',
  })
  locate = async () => ({ ...answer, urls: answer.urls.slice(0, 1) })
  await waitOf()
  last().fire('error', { error: new Error('self-signed certificate') })
  last().fire('close', { code: 1006 })
  expect(said()?.message).toMatch(/^unable to connect to ws:\/\/one: self-signed certificate; nothing answers there/)
  expect(said()?.message).not.toContain('ticket')
  await waitOf()
  await clock.advance(5_000)
  expect(said()).toMatchObject({ message: 'unable to connect to ws://one: no hello within 5000 ms' })
  await waitOf()
  last().hello()
  last().fire('close', { code: 4000 })
  expect(said()).toMatchObject({ code: 'disconnected', message: expect.stringContaining('shutting down') })
})

test('every reason to stop says what helps', async () => {
  const stops: [number, string, string][] = [
    [4200, 'session_ended', 'sign_in'],
    [4201, 'protocol_unsupported', 'reload'],
    [4202, 'frame_malformed', 'reload'],
    [4203, 'account_suspended', 'sign_in'],
    [4299, 'closed_4299', 'reload'],
  ]
  for (const [code, name, advice] of stops) {
    const socket = await connect()
    socket.fire('close', { code, reason: reason('a_name_of_tomorrow') })
    expect(connection.state).toEqual({ name: 'stopped', reason: name, advice })
  }
  connection.start()
  connection.stop('stopped')
  expect(connection.state).toMatchObject({ advice: 'nothing' })
})

test('offline is believed at once; it tries again at its times, and at once when the network is back', async () => {
  await connect()
  await clock.advance(2_000)
  connection.offline()
  expect(downs).toBe(1)
  expect(connection.state).toMatchObject({ name: 'waiting', reason: 'offline' })
  locate = () => Promise.reject(new TypeError('Failed to fetch'))
  for (let round = 0; round < 6; round++) await waitOf()
  await clock.settle()
  // An attempt has just failed: the sign is kept for the moment that it may not come sooner.
  locate = async () => answer
  connection.wake()
  expect(await waitOf()).toBeLessThanOrEqual(1_000)
  last().hello()
  expect(connection.state.name).toBe('live')
  // While nothing is open there is nothing to believe.
  connection.stop('stopped')
  connection.offline()
  expect(connection.state.name).toBe('stopped')
})

test('after a wake the network is new: failures before it make no wait longer', async () => {
  locate = () => Promise.reject(new TypeError('Failed to fetch'))
  connection.start()
  await clock.settle()
  for (let round = 0; round < 6; round++) await waitOf()
  await clock.settle()
  expect(connection.state.name === 'waiting' && connection.state.until - clock.now()).toBe(4_000)
  await clock.advance(1_500)
  connection.wake()
  await clock.settle()
  expect(await waitOf()).toBe(500)
})

test('a wake is checked by a short ping, and a dead connection is left then', async () => {
  await connect()
  await clock.advance(2_000)
  ping = ms => clock.wait(ms).then(() => Promise.reject(new FlotillaError('timed_out', 'silence')))
  connection.wake()
  await clock.advance(1_400)
  expect(connection.state.name).toBe('live')
  await clock.advance(101)
  expect(connection.state).toMatchObject({ name: 'waiting', reason: 'timed_out' })
})

test('an attempt from before the wake is given up for a new one', async () => {
  connection.start()
  await clock.advance(1_400)
  connection.wake()
  await clock.settle()
  expect(sockets).toHaveLength(1)
  await clock.advance(100)
  connection.wake()
  await clock.settle()
  expect(sockets).toHaveLength(2)
  expect(sockets[0]?.closed).toBe(true)
  last().hello()
  expect(connection.state.name).toBe('live')
})

test('an answer that comes after the end, or after it was given up, opens nothing', async () => {
  locate = () => clock.wait(1_000).then(() => answer)
  connection.start()
  await clock.settle()
  connection.stop('stopped')
  await clock.advance(1_000)
  expect(sockets).toEqual([])
  locate = () => clock.wait(5_400).then(() => answer)
  connection.start()
  await clock.advance(5_450)
  expect(connection.state.name, 'given up after five seconds, and waiting').toBe('waiting')
  expect(sockets).toEqual([])
})

test('stopped by whoever hears of a state, it stays so', async () => {
  states.push = state => {
    if (state.name === 'waiting') connection.stop('stopped')
    return 0
  }
  await connect()
  last().fire('close', { code: 1006 })
  await clock.advance(600_000)
  expect(connection.state).toEqual({ name: 'stopped', reason: 'stopped', advice: 'nothing' })
  expect(sockets).toHaveLength(1)
})
