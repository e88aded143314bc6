import { expect, test } from 'vitest'
import { until } from './until.ts'

test('it asks until there is an answer, through errors, and gives it back', async () => {
  let asked = 0
  const answer = await until(
    () => {
      asked += 1
      if (asked === 1) throw new Error('not yet')
      return asked === 3 ? 0 : undefined
    },
    { what: 'an answer', everyMs: 1 },
  )
  expect([answer, asked]).toEqual([0, 3])
})

test('when the time is over it says what was waited for and the last reason', async () => {
  const failing = () => {
    throw new Error('still away')
  }
  await expect(until(failing, { what: 'the node is back', withinMs: 5 })).rejects.toThrow(
    'not within 5 ms: the node is back: still away',
  )
  await expect(until(() => false, { what: 'never', withinMs: 5 })).rejects.toThrow('not within 5 ms: never')
})
