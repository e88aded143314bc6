import { expect, test } from 'vitest'
import { Lane } from './lane.ts'

function arrivals(...numbers: number[]): Lane {
  const lane = new Lane()
  for (const number of numbers) lane.arrive(number)
  return lane
}

test('in order and once is without fault', () => {
  const lane = arrivals(1, 2, 3, 4)
  expect([lane.missing(4), lane.repeated, lane.early]).toEqual([0, 0, 0])
})

test('a loss shows, in the middle and at the end', () => {
  expect(arrivals(1, 2, 4).missing(4)).toBe(1)
  expect(arrivals(1, 2, 3).missing(4)).toBe(1)
  expect(arrivals().missing(4)).toBe(4)
})

test('a repetition shows, at once and later, also of what came too early', () => {
  expect(arrivals(1, 1, 2).repeated).toBe(1)
  expect(arrivals(1, 2, 3, 1).repeated).toBe(1)
  expect(arrivals(1, 3, 3, 2).repeated).toBe(1)
})

test('a change of order shows, and is no loss', () => {
  const lane = arrivals(1, 3, 2, 4)
  expect([lane.missing(4), lane.repeated, lane.early]).toEqual([0, 0, 1])
})
