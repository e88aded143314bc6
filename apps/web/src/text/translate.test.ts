import { expect, test } from 'vitest'
import { speakBy, type TextKey } from './translate.ts'

const words = {
  plain: 'As it is',
  deep: { hole: 'Hello, {{name}}!' },
  left_one: '{{count}} left',
  left_other: '{{count}} left over',
}
const speak = (language: string) => {
  const { t } = speakBy(language, words)
  return (key: string, holes = {}) => t(key as TextKey, holes)
}

test('holes are filled with text as it is, numbers and times as the language writes them', () => {
  const t = speak('de')
  expect(t('plain')).toBe('As it is')
  expect(t('deep.hole', { name: '<b>{{count}}</b>' })).toBe('Hello, <b>{{count}}</b>!')
  expect(t('left', { count: 1 })).toBe('1 left')
  expect(t('left', { count: 12_345 })).toBe('12.345 left over')
  expect(t('deep.hole', { name: new Date(2026, 0, 2, 3, 4) })).toContain('2026')
  expect(t('deep.hole')).toBe('Hello, !')
})

test('a key without a text shows itself, whatever it is called', () => {
  const t = speak('en')
  for (const key of ['nothing', 'deep', 'deep.hole.more', 'constructor', '__proto__.toString']) expect(t(key)).toBe(key)
})

test('a page is read from where its language begins', () => {
  expect(speakBy('ar', {}).i18n.dir()).toBe('rtl')
  expect(speakBy('de', {}).i18n.dir()).toBe('ltr')
})
