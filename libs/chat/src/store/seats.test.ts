import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createSeats } from './seats.ts'

/** Work that goes on until it is let go. */
function works() {
  const ends: (() => void)[] = []
  return { begun: () => ends.length, end: () => ends.shift()?.(), work: () => new Promise<void>(end => ends.push(end)) }
}

test('few are had at once, the rest wait in order, and beyond the queue is refused', async () => {
  const { take } = createSeats({ atOnceMax: 2, queueMax: 1 })
  const { begun, end, work } = works()
  const [a, b, c] = [take('a', work), take('b', work), take('c', work)]
  await turn()
  expect(begun()).toBe(2)
  await expect(take('d', work)).rejects.toMatchObject({ code: 'overloaded', detail: { retryMs: 1_000 } })
  end()
  await a
  expect(begun()).toBe(2)
  end()
  end()
  await Promise.all([b, c])
  await take('d', async () => {})
})

test('nobody has two, also when the first fails', async () => {
  const { take } = createSeats({ atOnceMax: 2, queueMax: 1 })
  const failing = take('a', () => Promise.reject(new Error('gone')))
  await expect(take('a', async () => {})).rejects.toMatchObject({ code: 'rate_limited', detail: { retryMs: 1_000 } })
  await expect(failing).rejects.toThrow('gone')
  await take('a', async () => {})
})
