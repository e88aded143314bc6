import { expect, test } from 'vitest'
import { plainCode, plainly } from './typed.ts'

test('the digits of every script are digits', () => {
  const systems = Intl.supportedValuesOf('numberingSystem').flatMap(numberingSystem => {
    const digits = new Intl.NumberFormat('en', { numberingSystem, useGrouping: false }).format(1_234_567_890)
    return /^\p{Nd}{10}$/u.test(digits) ? [digits] : []
  })
  expect(systems.length).toBeGreaterThan(50)
  for (const digits of systems) expect(plainCode(digits)).toBe('1234567890')
})

test.each([
  ['123 456'],
  [' 123-456\n'],
  ['123–456'],
  ['123\u2011456'],
  ['123\u2212456'],
  ['１２３　４５６'],
  ['１２３ー４５６'],
  ['١٢٣٤٥٦'],
  ['\u200f۱۲۳\u200c۴۵۶'],
  ['१२३४५६'],
])('%j is the code 123456', typed => expect(plainCode(typed)).toBe('123456'))

test('nothing else becomes a digit', () => {
  for (const typed of ['12345', '1234567', '12345O', '½23456', '一二三四五六', 'Ⅻ3456'])
    expect(plainCode(typed)).not.toBe('123456')
  expect(plainly('Ａlice‐٣')).toBe('Alice-3')
})
