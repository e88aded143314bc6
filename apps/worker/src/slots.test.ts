import { expect, test } from 'vitest'
import { createSlots } from './slots.ts'

test('a slot is taken until its work has ended, and whoever waits for one goes on then', async () => {
  const slots = createSlots(2)
  const works = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  for (const { promise } of works) slots.run(() => promise)
  expect([slots.free, slots.taken]).toEqual([0, 2])
  await slots.whenFree(5)
  expect(slots.free).toBe(0)
  const free = slots.whenFree(60_000)
  works[0]!.resolve()
  await free
  expect(slots.free).toBe(1)
  expect(await slots.drained(5)).toBe(false)
  works[1]!.resolve()
  expect(await slots.drained(60_000)).toBe(true)
})
