import { expect, test } from 'vitest'
import { Backlog } from './backlog.ts'

class Reader {
  open = true
  readonly bytes: number
  readonly stalled: number
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
}

const stallMsMax = 1_000
const waiting = (max: number, ...bytes: readonly number[]) => {
  const backlog = new Backlog<Reader>(max, stallMsMax)
  const readers = bytes.map(one => new Reader(one))
  for (const reader of readers) backlog.note(reader)
  return { backlog, open: () => readers.filter(reader => reader.open).map(reader => reader.bytes) }
}

test('what fits stays', () => {
  const { backlog, open } = waiting(100, 60, 40, 0)
  expect(backlog.relieve()).toBe(0)
  expect(open()).toEqual([60, 40, 0])
})

test('above the limit those with the most go first, until there is room again', () => {
  const { backlog, open } = waiting(100, 10, 50, 5, 30, 40)
  expect(backlog.relieve()).toBe(2)
  expect(open()).toEqual([10, 5, 30])
  expect(backlog.relieve()).toBe(0)
})

test('whoever has read everything, or has gone, counts no more', () => {
  const { backlog } = waiting(100, 0, 0)
  const gone = new Reader(500)
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
})
