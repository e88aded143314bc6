import { expect, test } from 'vitest'
import { readQuantity } from './cluster-stand.ts'

test.each([
  ['1600', 1_600],
  ['87500m', 87.5],
  ['2k', 2_000],
  ['0', 0],
])('%s is %d, as Kubernetes writes numbers', (text, value) => {
  expect(readQuantity(text)).toBe(value)
})
