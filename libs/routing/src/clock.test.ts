import { expect, test } from 'vitest'
import { createAgeClock } from './clock.ts'

function open() {
  const at = { wall: 1_000_000, steady: 50 }
  const clock = createAgeClock({ now: () => at.wall, steady: () => at.steady, after: () => () => {} })
  return { at, clock }
}

test('an age is never shorter than the true one, whatever happens to the clocks', () => {
  const { at, clock } = open()
  const began = clock.now()
  at.wall += 1_000
  at.steady += 1_000
  expect(clock.now() - began).toBe(1_000)
  // The wall clock is set back by an hour, and time goes on.
  at.wall -= 3_600_000
  clock.now()
  at.wall += 2_000
  at.steady += 2_000
  expect(clock.now() - began).toBe(3_000)
  // The machine is suspended: the steady clock stands still.
  at.wall += 600_000
  expect(clock.now() - began).toBe(603_000)
})
