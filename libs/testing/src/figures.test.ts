import { expect, test } from 'vitest'
import { show, showSpread, spreadOf } from './figures.ts'

test('the middle of several runs, with the lowest and the highest', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 })
  expect(spreadOf([4, 1, 2, 3]).median).toBe(2.5)
})

test.each([
  [12_345.6, '12,346'],
  [123.4, '123'],
  [12.345, '12.3'],
  [1, '1.00'],
  [0.031_24, '0.0312'],
  [0, '0'],
  [Number.NaN, 'none'],
])('%d is shown as %s', (value, text) => {
  expect(show(value)).toBe(text)
})

test('one run has no spread', () => {
  expect(showSpread([2.5])).toBe('2.50')
  expect(showSpread([2, 3, 2.5])).toBe('2.50 (2.00 to 3.00)')
})
