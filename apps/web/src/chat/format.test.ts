import { expect, test } from 'vitest'
import { badgeOf, countdownOf, dayOf, lengthOfTime, listTimeOf } from './format.ts'

const now = new Date(2026, 4, 13, 15, 30).getTime()
const at = (...parts: [number, number, number, number?]) => new Date(...(parts as [number, number, number])).getTime()

test('a day is called by how close it is', () => {
  expect(dayOf(at(2026, 4, 13), 'en', now)).toBe('Today')
  expect(dayOf(at(2026, 4, 12), 'en', now)).toBe('Yesterday')
  expect(dayOf(at(2026, 4, 12), 'de', now)).toBe('Gestern')
  expect(dayOf(at(2026, 4, 3), 'en', now)).toBe('Sunday, May 3')
  expect(dayOf(at(2024, 4, 3), 'en', now)).toBe('May 3, 2024')
})

test('a list has room for the shortest', () => {
  expect(listTimeOf(at(2026, 4, 13, 9), 'de', now)).toBe('9:00')
  expect(listTimeOf(at(2026, 4, 10), 'en', now)).toBe('Sun')
  expect(listTimeOf(at(2026, 4, 6), 'en', now)).toBe('May 6')
  expect(listTimeOf(at(2024, 4, 6), 'en', now)).toBe('05/06/24')
  // A clock that is behind the store's.
  expect(listTimeOf(at(2026, 4, 14, 1), 'en', now)).toBe('May 14')
})

test('a time that lasts is told in its largest unit', () => {
  expect(lengthOfTime(86_400_000, 'en')).toBe('1 day')
  expect(lengthOfTime(604_800_000, 'de')).toBe('1 Woche')
  expect(lengthOfTime(5_000, 'en')).toBe('5 seconds')
  expect(badgeOf(1_000, 'en')).toBe('999+')
  expect(badgeOf(12, 'en')).toBe('12')
})

test('what is left runs down like a clock, and in hours where it is long', () => {
  expect(countdownOf(5_000, 'en')).toBe('0:05')
  // A second that has begun is not over.
  expect(countdownOf(59_001, 'en')).toBe('1:00')
  expect(countdownOf(750_000, 'de')).toBe('12:30')
  expect(countdownOf(3_600_001, 'en')).toBe('2h')
})
