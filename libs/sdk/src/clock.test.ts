/** What a device's clock may do to it: set forward or back, wrong all the time, standing still while the device sleeps. */
import { textOf } from '@flotilla/protocol'
import { beforeEach, expect, test } from 'vitest'
import { Client } from './client.ts'
import { createSteady } from './clock.ts'
import type { ConnectionState } from './connection.ts'
import { clientDefaults } from './options.ts'
import { ModelServer, ModelSocket } from './simulation/model-server.testbed.ts'
import { dice, SimClock } from './simulation/sim-clock.testbed.ts'

const hourMs = 3_600_000

test('a time between two moments is never shorter than it was, whatever happens to the clocks', () => {
  const at = { wall: 1_000_000, monotonic: 50 }
  const steady = createSteady(
    () => at.wall,
    () => at.monotonic,
  )
  const began = steady()
  at.wall += 1_000
  at.monotonic += 1_000
  expect(steady() - began).toBe(1_000)
  at.wall -= hourMs
  expect(steady() - began).toBe(1_000)
  at.wall += 2_000
  at.monotonic += 2_000
  expect(steady() - began).toBe(3_000)
  // The device sleeps.
  at.wall += 600_000
  expect(steady() - began).toBe(603_000)
})

let clock: SimClock
let server: ModelServer
let sockets: ModelSocket[]
let client: Client
let states: ConnectionState['name'][]
let heard: string[]

beforeEach(async () => {
  clock = new SimClock()
  server = new ModelServer(clock, dice(1))
  server.create('c', 'bob', ['ann'])
  sockets = []
  states = []
  heard = []
  client = new Client({
    api: 'http://api',
    getToken: async () => server.token('ann'),
    clock,
    random: server.random,
    fetch: server.fetch,
    WebSocket: class extends ModelSocket {
      constructor(url: string) {
        super(server, url)
        sockets.push(this)
      }
    },
  })
  client.on('state', state => states.push(state.name))
  client.on('message', message => heard.push(textOf(message.body)))
  const started = client.start()
  await clock.advance(2_000)
  await started
  expect(client.state.name).toBe('live')
  states.length = 0
})

const settings = [
  ['set back by an hour', -hourMs],
  ['set forward by an hour', hourMs],
] as const

/** The longest interval between pings of the model server, and the time for an answer. */
const silenceMsMax = 10_000 + clientDefaults.pingTimeoutMs

test.each(settings)('a dead network is noticed as soon as ever by a device whose clock is %s', async (_, byMs) => {
  clock.set(byMs)
  sockets.at(-1)!.silent = true
  await clock.advance(silenceMsMax)
  expect(states[0]).not.toBe('live')
  expect(states).toContain('connecting')
})

test.each(settings)('what is missing is fetched by a device whose clock is %s in between', async (_, byMs) => {
  const say = (text: string) => server.append('c', { event: 'message.new', by: 'bob', clientId: text, body: { text } })
  server.trouble = { ...server.trouble, losePublish: 1 }
  say('lost')
  server.trouble = { ...server.trouble, losePublish: 0 }
  say('after it')
  await clock.advance(401)
  expect(heard).toEqual([])
  // The gap is known, and when to ask is set.
  clock.set(byMs)
  await clock.advance(2_000)
  expect(heard).toEqual(['lost', 'after it'])
})

test.each(settings)('keystrokes are told on, and no oftener, by a device whose clock is %s', async (_, byMs) => {
  const told: string[] = []
  sockets.at(-1)!.send = text => void told.push((JSON.parse(text) as { op: string }).op)
  client.typing('c')
  clock.set(byMs)
  for (let second = 0; second < 7; second++) {
    await clock.advance(1_000)
    client.typing('c')
  }
  const starts = told.filter(op => op === 'typing.start').length
  expect(starts).toBeGreaterThanOrEqual(3)
  expect(starts).toBeLessThanOrEqual(4)
})

test('a device that wakes asks at once whether the connection stands', async () => {
  const frames = server.frames
  clock.sleep(8 * hourMs)
  await clock.advance(5_200)
  expect(server.frames).toBe(frames + 1)
  expect(client.state.name).toBe('live')
  clock.sleep(8 * hourMs)
  sockets.at(-1)!.silent = true
  await clock.advance(5_000 + clientDefaults.pingTimeoutMs)
  expect(states[0]).not.toBe('live')
})

test('a program that is busy, and late again and again, is not taken for a device that woke', async () => {
  const frames = server.frames
  for (let late = 0; late < 28; late++) {
    clock.sleep(3_000)
    await clock.advance(240)
  }
  expect(server.frames).toBe(frames)
  await clock.advance(400)
  expect(server.frames).toBe(frames + 1)
})

test('a device that wakes does not wait for the rest of a pause', async () => {
  sockets.at(-1)!.end(4100, JSON.stringify({ code: 'overloaded', retryMs: 600_000 }))
  await clock.advance(1_000)
  expect(client.state.name).toBe('waiting')
  clock.sleep(8 * hourMs)
  await clock.advance(6_000)
  expect(client.state.name).toBe('live')
})
