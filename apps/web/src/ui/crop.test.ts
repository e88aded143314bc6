import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clampCrop, middleCrop } from './crop.ts'

const size = fc.record({ width: fc.integer({ min: 1, max: 9_000 }), height: fc.integer({ min: 1, max: 9_000 }) })
const number = fc.double({ min: -20_000, max: 20_000, noNaN: true })

test('whatever is asked for, the square lies within the picture', () => {
  fc.assert(
    fc.property(size, fc.record({ x: number, y: number, side: number }), (picture, asked) => {
      const { x, y, side } = clampCrop(asked, picture)
      expect(side).toBeGreaterThanOrEqual(1)
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0)
      expect(x + side).toBeLessThanOrEqual(picture.width)
      expect(y + side).toBeLessThanOrEqual(picture.height)
    }),
  )
})

test('it begins with all of the shorter side, in the middle', () => {
  expect(middleCrop({ width: 300, height: 100 })).toEqual({ x: 100, y: 0, side: 100 })
  expect(clampCrop(middleCrop({ width: 300, height: 100 }), { width: 300, height: 100 })).toEqual({
    x: 100,
    y: 0,
    side: 100,
  })
})
