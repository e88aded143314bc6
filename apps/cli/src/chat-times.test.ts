import { expect, test } from 'vitest'
import { durationOf, readDuration, readWhen, timeOf } from './chat-times.ts'

const now = new Date(2027, 2, 9, 14, 30)
const { timeZone: zone } = new Intl.DateTimeFormat().resolvedOptions()

test.each([
  ['10m', { at: now.getTime() + 600_000 }],
  ['2h', { at: now.getTime() + 7_200_000 }],
  ['15:00', { local: { time: '2027-03-09T15:00', zone } }],
  ['9:05', { local: { time: '2027-03-10T09:05', zone } }],
  ['14:30', { local: { time: '2027-03-10T14:30', zone } }],
  ['2027-12-24T18:00', { local: { time: '2027-12-24T18:00', zone } }],
  ['soon', undefined],
  ['25:00', undefined],
  ['2027-12-24', undefined],
])('%s is a time, or none', (text, when) => {
  expect(readWhen(text, now)).toEqual(when)
})

test('lengths of time are read and told in words', () => {
  expect(['90m', '1h', '7d', '7w', 'off'].map(readDuration)).toEqual([
    5_400_000,
    3_600_000,
    604_800_000,
    undefined,
    undefined,
  ])
  expect([3_600_000, 86_400_000, 604_800_000].map(durationOf)).toEqual(['1 hour', '1 day', '7 days'])
  expect(timeOf(now.getTime())).toBe('2027-03-09 14:30')
})
