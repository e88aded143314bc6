import { expect, test } from 'vitest'
import { createHints } from './hints.ts'

test('the last word counts, while it is fresh', () => {
  const hints = createHints(10, 100)
  hints.note('ann', true, 1)
  hints.note('bob', true, 1)
  hints.note('bob', false, 50)
  expect([hints.isPresent('ann', 101), hints.isPresent('bob', 101), hints.isPresent('eve', 101)]).toEqual([
    true,
    false,
    undefined,
  ])
  expect(hints.isPresent('ann', 102)).toBeUndefined()
  expect(hints.isPresent('bob', 151)).toBeUndefined()
})

test('no more people are remembered than the limit, the oldest go first', () => {
  const hints = createHints(2, 100)
  for (const name of ['ann', 'bob']) hints.note(name, true, 1)
  hints.note('ann', true, 2)
  hints.note('eve', true, 2)
  expect(['ann', 'bob', 'eve'].map(name => hints.isPresent(name, 3))).toEqual([true, undefined, true])
})
