import { beforeEach, expect, test } from 'vitest'
import { Cursors } from './cursors.ts'
import { SimClock } from './simulation/sim-clock.testbed.ts'
import type { Store, StoredCursor } from './store.ts'
import { createMemoryStore } from './store-memory.ts'

let clock: SimClock
let memory: Store
let writes: { put: string[]; drop: readonly string[]; end: (error?: Error) => void }[]
let cursors: Cursors

const short = (cursor: StoredCursor) => `${cursor.conversation} ${cursor.seq}`
const stored = async () => (await memory.load()).cursors.map(short)
const next = () => {
  const write = writes.shift()
  if (write === undefined) throw new Error('nothing is being written')
  return write
}

beforeEach(() => {
  clock = new SimClock()
  memory = createMemoryStore()
  writes = []
  const store: Store = {
    ...memory,
    writeCursors: (put, drop) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error) => (error ? reject(error) : resolve(memory.writeCursors(put, drop)))
        writes.push({ put: put.map(short), drop, end })
      }),
  }
  cursors = new Cursors({ store, clock, random: () => 0.5, report: () => {} })
})

test('one write at a time; what changes meanwhile goes into the next, and is called back then', async () => {
  const saved: string[] = []
  for (const seq of [1, 2, 3]) cursors.move('a', 1, seq, () => saved.push(`a ${seq}`))
  cursors.move('b', 1, 7, () => saved.push('b 7'))
  expect(writes.map(write => write.put)).toEqual([['a 1']])
  next().end()
  await clock.settle()
  expect(saved).toEqual(['a 1'])
  expect(writes.map(write => write.put)).toEqual([['a 3', 'b 7']])
  next().end()
  await clock.settle()
  expect(saved).toEqual(['a 1', 'a 2', 'a 3', 'b 7'])
  expect(await stored()).toEqual(['a 3', 'b 7'])
})

test('a write that fails is tried again, and does not bring back what has changed since', async () => {
  const saved: string[] = []
  cursors.move('a', 1, 1, () => saved.push('a 1'))
  cursors.move('a', 1, 2, () => saved.push('a 2'))
  next().end(new Error('busy'))
  await clock.settle()
  expect(writes).toEqual([])
  await clock.advance(250)
  expect(writes.map(write => write.put)).toEqual([['a 2']])
  next().end()
  await clock.settle()
  expect(saved).toEqual(['a 1', 'a 2'])
})

test('dropped and begun again: the last word counts', async () => {
  cursors.move('a', 1, 1, () => {})
  next().end()
  await clock.settle()
  cursors.move('b', 1, 1, () => {})
  cursors.drop('a')
  cursors.drop('b')
  cursors.move('b', 1, 9, () => {})
  next().end()
  await clock.settle()
  expect(writes[0]).toMatchObject({ put: ['b 9'], drop: ['a'] })
  next().end()
  await clock.settle()
  expect(await stored()).toEqual(['b 9'])
  expect(cursors.get('a')).toBeUndefined()
})

test('the end waits for the last write, with one more try if it failed, and no longer', async () => {
  cursors.move('a', 1, 1, () => {})
  next().end(new Error('busy'))
  await clock.settle()
  const closed = cursors.close()
  await clock.settle()
  next().end()
  await closed
  expect(await stored()).toEqual(['a 1'])

  cursors.move('a', 1, 2, () => {})
  next().end(new Error('gone'))
  await cursors.close()
  expect(await stored()).toEqual(['a 1'])
})
