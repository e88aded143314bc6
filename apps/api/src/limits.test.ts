import { Refusal } from '@flotilla/protocol'
import { expect, test } from 'vitest'
import { createCounter, take } from './limits.ts'

const limit = { max: 2, windowMs: 1_000 }

test('the shared count decides, and the refusal says when to come back', async () => {
  const keys: string[] = []
  const hit = async (key: string) => {
    keys.push(key)
    return { count: 3, resetMs: 41.5 }
  }
  const counter = createCounter({ hit }, () => 0)
  await expect(take(counter, 'k', { ...limit, max: 3 })).resolves.toBeUndefined()
  const refusal = await take(counter, 'k', limit).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(Refusal)
  expect(refusal).toMatchObject({ code: 'rate_limited', detail: { retryMs: 42 } })
  expect(keys).toEqual(['api:k', 'api:k'])
})

test.each([
  ['is away', async () => undefined],
  ['fails', () => Promise.reject(new Error('gone'))],
])('while Redis %s the process counts by itself, each key in its own window', async (_name, hit) => {
  let now = 0
  const counter = createCounter({ hit }, () => now)
  await take(counter, 'a', limit)
  now = 400
  await take(counter, 'a', limit)
  await take(counter, 'b', limit)
  expect(await take(counter, 'a', limit).catch((error: unknown) => error)).toMatchObject({ detail: { retryMs: 600 } })
  now = 1_000
  await take(counter, 'a', limit)
})

test('the memory of its own counts has an end', async () => {
  const counter = createCounter({ hit: async () => undefined }, () => 0)
  await counter('first', 1_000)
  for (let at = 0; at < 50_000; at++) await counter(`k${at}`, 1_000)
  expect((await counter('first', 1_000)).count).toBe(1)
  expect((await counter('k49999', 1_000)).count).toBe(2)
})
