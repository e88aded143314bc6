import { beforeEach, expect, test } from 'vitest'
import { Cursors } from './cursors.ts'
import { FlotillaError } from './flotilla-error.ts'
import { HeardReceipts, Receipts } from './receipts.ts'
import { openWire, type Wire } from './simulation/wire.testbed.ts'
import type { Store } from './store.ts'
import { createMemoryStore } from './store-memory.ts'

let wire: Wire
let store: Store
let cursors: Cursors
let receipts: Receipts

function run(): void {
  cursors = new Cursors({ store, clock: wire.clock, random: () => 0.5, report: () => {} })
  receipts = new Receipts({ clock: wire.clock, requests: wire.requests, cursors, receiptGatherMs: 50 })
}
beforeEach(() => {
  wire = openWire()
  store = createMemoryStore()
  run()
})

const has = (conversation: string, seq: number, epoch = 1) =>
  cursors.move(conversation, epoch, seq, () => receipts.delivered(conversation))
const delivered = (conversation: string, seq: number) => ({ op: 'message.delivered', conversation, seq })
const read = (conversation: string, seq: number) => ({ op: 'message.read', conversation, seq })
async function provenByPings(): Promise<void> {
  for (let pings = 0; pings < 2; pings++) receipts.pinging()()
  await wire.clock.settle()
}

test('what the device has is told once for a while, the highest of each conversation', async () => {
  receipts.live()
  for (let seq = 1; seq <= 9; seq++) has('c', seq)
  has('d', 4)
  await wire.clock.advance(49)
  expect(wire.said()).toEqual([])
  await wire.clock.advance(10)
  expect(wire.said()).toEqual([delivered('c', 9), delivered('d', 4)])
  await wire.clock.advance(10_000)
  expect(wire.said()).toEqual([])
})

test('what is gathered is told at once where nothing may run after', async () => {
  receipts.live()
  receipts.leave()
  has('c', 5)
  await wire.clock.settle()
  receipts.read('c', 4)
  expect(wire.said()).toEqual([])
  receipts.leave()
  expect(wire.said()).toEqual([read('c', 4), delivered('c', 5)])
  await wire.clock.advance(10_000)
  expect(wire.said()).toEqual([])
})

test('it is told only when it is written: a crash before would have to take it back', async () => {
  let write = () => {}
  store = { ...store, writeCursors: () => new Promise(resolve => (write = resolve)) }
  run()
  receipts.live()
  has('c', 1)
  await wire.clock.advance(100)
  expect(wire.said()).toEqual([])
  write()
  await wire.clock.advance(100)
  expect(wire.said()).toEqual([delivered('c', 1)])
})

test('read implies delivered, and is never told beyond what the device has', async () => {
  receipts.live()
  has('c', 5)
  receipts.read('c', 8)
  await wire.clock.advance(100)
  expect(wire.said()).toEqual([read('c', 5)])
  has('c', 9)
  await wire.clock.advance(100)
  expect(wire.said()).toEqual([read('c', 8), delivered('c', 9)])
  receipts.read('c', 3)
  await wire.clock.advance(100)
  expect(wire.said()).toEqual([])
})

test('what was not proven is told again on the next connection; what was, is not', async () => {
  receipts.live()
  has('c', 5)
  await wire.clock.advance(100)
  await provenByPings()
  has('d', 6)
  await wire.clock.advance(100)
  wire.said()
  receipts.down()
  receipts.live()
  await wire.clock.advance(100)
  expect(wire.said()).toEqual([delivered('d', 6)])
})

test('the same across runs: what was read without a connection is told by the next one', async () => {
  receipts.live()
  has('c', 5)
  await wire.clock.advance(100)
  await provenByPings()
  receipts.down()
  receipts.read('c', 4)
  await wire.clock.settle()
  wire.said()
  run()
  cursors.restore((await store.load()).cursors)
  receipts.live()
  await wire.clock.advance(100)
  expect(wire.said()).toEqual([read('c', 4)])
})

test('one answered ping is not enough: the error may come after it', async () => {
  receipts.live()
  has('c', 5)
  await wire.clock.advance(100)
  receipts.pinging()()
  wire.said()
  receipts.failed(new FlotillaError('unavailable', 'x'))
  await wire.clock.advance(2_000)
  expect(wire.said()).toEqual([delivered('c', 5)])
})

test('a refusal for good is not repeated', async () => {
  receipts.live()
  has('c', 5)
  await wire.clock.advance(100)
  wire.said()
  receipts.failed(new FlotillaError('not_a_member', 'x'))
  await wire.clock.advance(10_000)
  expect(wire.said()).toEqual([])
})

test('a store of another epoch has forgotten, and is told anew', async () => {
  receipts.live()
  has('c', 5)
  receipts.read('c', 5)
  await wire.clock.advance(100)
  await provenByPings()
  wire.said()
  has('c', 4, 2)
  receipts.live()
  await wire.clock.advance(100)
  expect(wire.said()).toEqual([read('c', 4)])
})

test("others' receipts only rise, per person", () => {
  const heard = new HeardReceipts()
  const hear = (event: 'message.delivered' | 'message.read', user: string, seq: number) =>
    heard.hear({ event, conversation: 'c', user, seq })
  expect(hear('message.delivered', 'bob', 5)).toEqual({ conversation: 'c', user: 'bob', kind: 'delivered', seq: 5 })
  expect(hear('message.delivered', 'bob', 4)).toBeUndefined()
  expect(hear('message.delivered', 'zoe', 4)).toBeDefined()
  expect(hear('message.read', 'bob', 7)).toMatchObject({ kind: 'read', seq: 7 })
  expect(hear('message.delivered', 'bob', 6), 'read implies delivered').toBeUndefined()
})
