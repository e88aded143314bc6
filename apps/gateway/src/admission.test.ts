import { expect, test } from 'vitest'
import { createAdmission } from './admission.ts'

const open = (random = () => 0.5) =>
  createAdmission({ connectionsMax: 1_000, connectsPerSecond: 100, random, nowMs: 0 })

test('connections come in at the rate, the rest is told a time', () => {
  const admission = open()
  const answers = Array.from({ length: 150 }, () => admission.admit(0, 0))
  expect(answers.filter(retryMs => retryMs === 0)).toHaveLength(100)
  expect(answers.slice(100).every(retryMs => retryMs > 0)).toBe(true)
  expect(admission.admit(0, 1_000)).toBe(0)
})

test('a full node takes nobody', () => {
  expect(open().admit(1_000, 0)).toBeGreaterThanOrEqual(5_000)
})

test('the larger the storm, the wider it is spread', () => {
  const admission = open(() => 1)
  const times = Array.from({ length: 2_000 }, () => admission.admit(0, 0)).filter(retryMs => retryMs > 0)
  expect(times[0]).toBeLessThan(1_100)
  expect(times.at(-1)).toBeGreaterThan(20_000)
  expect(Math.max(...times)).toBeLessThanOrEqual(30_000)
})

test('returns are expected for as long as the turned away were told to wait, and never by a full node', () => {
  const admission = open(() => 1)
  admission.admit(1_000, 0)
  expect(admission.expectsReturns(0)).toBe(false)
  const last = Math.max(...Array.from({ length: 600 }, () => admission.admit(0, 0)))
  expect(admission.expectsReturns(last - 1)).toBe(true)
  expect(admission.expectsReturns(last + 1)).toBe(false)
})
