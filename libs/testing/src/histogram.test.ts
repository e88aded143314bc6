import { expect, test } from 'vitest'
import { Histogram, quantilesOf } from './histogram.ts'

test('a quantile is at most 1 % above the value that a sorted list would give', () => {
  const histogram = new Histogram()
  const values = Array.from({ length: 10_000 }, (_, at) => 0.05 * 1.001 ** at)
  for (const value of values) histogram.record(value)
  for (const share of [0.01, 0.5, 0.99, 0.999]) {
    const exact = values[Math.ceil(share * values.length) - 1]!
    const read = histogram.quantile(share)
    expect(read).toBeGreaterThanOrEqual(exact * 0.9999)
    expect(read).toBeLessThanOrEqual(exact * 1.0101)
  }
})

test('what one process counted is read by another', () => {
  const histogram = new Histogram()
  for (let ms = 1; ms <= 100; ms++) histogram.record(ms)
  const copy = new Histogram(histogram.encoded())
  expect(quantilesOf(copy)).toEqual(quantilesOf(histogram))
  expect(copy.total).toBe(100)
})

test('nothing recorded is no figure, and what is off the scale is counted all the same', () => {
  const histogram = new Histogram()
  expect(histogram.quantile(0.5)).toBeNaN()
  histogram.record(0)
  histogram.record(1e9)
  expect(histogram.total).toBe(2)
  expect(histogram.quantile(0.5)).toBeLessThanOrEqual(0.001)
  expect(histogram.quantile(1)).toBeGreaterThan(10_000)
})
