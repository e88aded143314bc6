import { expect, test } from 'vitest'
import { isUsername } from '../../users/user.ts'
import { cleanName, deriveUsername } from './new-person.ts'

test.each([
  ['octocat', '', 'octocat'],
  ['Ada.Lovelace', '', 'ada.lovelace'],
  ['ada@example.org', 'x', 'ada'],
  ['', 'Zoë Müller', 'zoe.muller'],
  ['', '  Jean-Luc  Picard! ', 'jean-luc.picard'],
  ['x', 'Xenia', 'xenia'],
  ['..--..', 'Dot', 'dot'],
  ['a'.repeat(80), '', 'a'.repeat(24)],
  ['田中', '田中', undefined],
  ['', '', undefined],
])('%j and %j become %j', (username, name, expected) => {
  const derived = deriveUsername({ username, name }, 0)
  expect(derived).toBe(expected)
  if (derived !== undefined) expect(isUsername(derived)).toBe(true)
})

test('one that is taken gets digits', () => {
  const derived = deriveUsername({ username: 'a'.repeat(80), name: '' }, 1) ?? ''
  expect(derived).toMatch(/^a{24}\d{4,6}$/)
  expect(isUsername(derived)).toBe(true)
})

test('a name is made fit to be shown', () => {
  expect(cleanName(' a\u0000b\r\nc ')).toBe('a b c')
  expect(cleanName('\u0007')).toBe('')
  expect(cleanName('\u3164\u200f')).toBe('')
  expect(cleanName(`${'x'.repeat(118)}👨‍👩‍👧😀`)).toBe('x'.repeat(118))
  expect(cleanName('😀'.repeat(130))).toBe('😀'.repeat(120))
})
