import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

test('a burst is taken at once, then the rate, and the answer says when to come back', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 3 })
  expect([bucket.take(1, 0), bucket.take(1, 0), bucket.take(1, 0)]).toEqual([0, 0, 0])
  expect(bucket.take(1, 0)).toBe(100)
  expect(bucket.take(1, 99)).toBe(1)
  expect(bucket.take(1, 100)).toBe(0)
  expect(bucket.isFull(399)).toBe(false)
  expect(bucket.isFull(400)).toBe(true)
})

test('over any time no more than burst + rate × time is taken, also when the clock steps back', () => {
  const step = fc.record({ after: fc.integer({ min: -50, max: 500 }), count: fc.integer({ min: 1, max: 5 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const bucket = new TokenBucket({ perSecond: 20, burst: 10 })
      let now = 0
      let forward = 0
      let taken = 0
      for (const { after, count } of steps) {
        now += after
        forward += Math.max(0, after)
        if (bucket.take(count, now) === 0) taken += count
      }
      expect(taken).toBeLessThanOrEqual(10 + (forward / 1_000) * 20 + 1e-6)
    }),
  )
})
