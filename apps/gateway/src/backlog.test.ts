import { expect, test } from 'vitest'
import { Backlog } from './backlog.ts'

class Reader {
  open = true
  bytes: number
  stalled: number
  constructor(bytes: number, stalled = 0) {
    this.bytes = bytes
    this.stalled = stalled
  }
  stalledMs(): number {
    return this.stalled
  }
  bufferedBytes(): number {
    return this.bytes
  }
  close(): void {
    this.open = false
  }
  cut(): void {
    this.open = false
    this.bytes = 0
  }
}

const stallMsMax = 1_000
const waiting = (max: number, ...bytes: readonly number[]) => {
  const backlog = new Backlog<Reader>(max, stallMsMax)
  const readers = bytes.map(one => new Reader(one))
  for (const reader of readers) backlog.note(reader)
  return { backlog, readers, open: () => readers.filter(reader => reader.open).map(reader => reader.bytes) }
}

test('what fits stays', () => {
  const { backlog, open } = waiting(100, 60, 40, 0)
  expect(backlog.relieve()).toBe(0)
  expect(open()).toEqual([60, 40, 0])
})

test('above the limit those with the most are cut first, until there is room again, as soon as it is passed', () => {
  const { backlog, open } = waiting(100, 10, 50, 5, 30)
  // They have 95. The next one has not waited for a look to be too much.
  const more = new Reader(40)
  backlog.note(more)
  expect(open()).toEqual([10, 5, 30])
  expect(more.open).toBe(false)
  expect(backlog.relieve()).toBe(2)
  expect(backlog.relieve()).toBe(0)
})

test('what grows is counted anew each time, not on top', () => {
  const { backlog, readers, open } = waiting(100, 30, 30)
  for (const bytes of [40, 50, 60]) {
    readers[0]!.bytes = bytes
    backlog.note(readers[0]!)
  }
  expect(open()).toEqual([60, 30])
})

test('who is closed counts until what waits has left, and is cut first when there is no room', () => {
  const { backlog, readers, open } = waiting(100, 30, 20, 40)
  readers[1]!.open = false
  const more = new Reader(25)
  backlog.note(more)
  expect(readers[1]!.bytes).toBe(0)
  expect(open()).toEqual([30])
  expect([readers[2]!.open, more.open]).toEqual([false, true])
})

test('whoever has read everything, or has gone, counts no more', () => {
  const { backlog } = waiting(100, 0, 0)
  const gone = new Reader(0)
  gone.open = false
  backlog.note(gone)
  expect(backlog.relieve()).toBe(0)
})

test('who takes nothing for too long goes, however little waits for them', () => {
  const { backlog } = waiting(100)
  const [still, gone] = [new Reader(1, stallMsMax), new Reader(1, stallMsMax + 1)]
  expect([still, gone, gone].map(reader => backlog.note(reader))).toEqual([true, true, false])
  expect(backlog.relieve()).toBe(0)
  expect([still.open, gone.open]).toEqual([true, false])
  // It has not taken even its close: what was kept for that is given back.
  expect(gone.bytes).toBe(1)
  backlog.relieve()
  expect([still.bytes, gone.bytes]).toEqual([1, 0])
})
