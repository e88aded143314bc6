import { expect, test } from 'vitest'
import { quietUntil } from './quiet-hours.ts'

const at = (text: string) => Date.parse(text)
const night = { from: 22 * 60, until: 7 * 60, zone: 'Europe/Berlin' }

test.each([
  ['in the evening', '2026-01-15T21:30:00Z', '2026-01-16T06:00:00Z'],
  ['after midnight', '2026-01-16T03:10:30Z', '2026-01-16T06:00:00Z'],
  ['in the minute of the beginning', '2026-01-15T21:00:00Z', '2026-01-16T06:00:00Z'],
  ['in the night in which clocks go forward', '2026-03-28T21:30:00Z', '2026-03-29T05:00:00Z'],
  ['in the night in which clocks go back', '2026-10-24T20:30:00Z', '2026-10-25T06:00:00Z'],
])('over midnight: %s', (_when, now, end) => {
  expect(new Date(quietUntil(night, at(now))!)).toEqual(new Date(end))
})

test.each([
  ['just before', '2026-01-15T20:59:59Z'],
  ['at the end', '2026-01-16T06:00:00Z'],
  ['at noon', '2026-01-15T11:00:00Z'],
])('no quiet %s', (_when, now) => {
  expect(quietUntil(night, at(now))).toBeUndefined()
})

test('within a day, in a zone with half hours', () => {
  const nap = { from: 13 * 60, until: 14 * 60 + 30, zone: 'Asia/Kolkata' }
  expect(new Date(quietUntil(nap, at('2026-05-01T08:00:00Z'))!)).toEqual(new Date('2026-05-01T09:00:00Z'))
  expect(quietUntil(nap, at('2026-05-01T09:00:00Z'))).toBeUndefined()
})

test('the end is always later than now, whatever the clocks do', () => {
  const odd = { from: 60, until: 150, zone: 'Europe/Berlin' }
  for (let now = at('2026-03-28T22:00:00Z'); now < at('2026-03-29T04:00:00Z'); now += 7 * 60_000) {
    const end = quietUntil(odd, now)
    if (end !== undefined) expect(end).toBeGreaterThan(now)
  }
})

test('without hours, with empty ones and in an unknown zone nothing is held back', () => {
  expect(quietUntil(undefined, 0)).toBeUndefined()
  expect(quietUntil({ from: 60, until: 60, zone: 'UTC' }, 3_600_000)).toBeUndefined()
  expect(quietUntil({ from: 0, until: 1_439, zone: 'Middle/Earth' }, 3_600_000)).toBeUndefined()
})
