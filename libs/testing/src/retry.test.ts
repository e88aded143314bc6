import { expect, test } from 'vitest'
import { isOutOfTime } from './retry.ts'
import { until } from './until.ts'

const errorOf = async (work: () => unknown): Promise<Error> => {
  try {
    await work()
  } catch (thrown) {
    return thrown as Error
  }
  throw new Error('nothing was thrown')
}

test.each<[string, () => unknown]>([
  ['a poll', () => expect.poll(() => 1, { timeout: 10, interval: 5 }).toBe(2)],
  ['a wait of ours', () => until(() => false, { what: 'the end', withinMs: 10 })],
])('%s that ran out is tried again', async (_, work) => {
  const { message, cause } = await errorOf(work)
  expect(isOutOfTime(Object.assign(Object.create(null), { message, cause }))).toBe(true)
})

test.each<[string, () => unknown]>([
  ['a wrong value', () => expect(1).toBe(2)],
  ['an error with another as its cause', () => Promise.reject(new Error('broken', { cause: new Error('lost') }))],
])('%s is not', async (_, work) => {
  expect(isOutOfTime(await errorOf(work))).toBe(false)
})
