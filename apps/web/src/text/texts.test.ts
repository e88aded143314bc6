/** Each language says all that the others say. */
import { expect, test } from 'vitest'
import ar from './ar.ts'
import de from './de.ts'
import en from './en.ts'
import { browserLanguage } from './languages.ts'

type Tree = { readonly [key: string]: string | Tree }

/** The keys without the endings that a language needs for its numbers. */
const keysOf = (tree: Tree, before = ''): string[] =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string'
      ? [before + key.replace(/_(zero|one|two|few|many|other)$/, '')]
      : keysOf(value, `${before}${key}.`),
  )
const leavesOf = (tree: Tree, before = ''): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[before + key, value] as [string, string]] : leavesOf(value, `${before}${key}.`),
  )
const holesOf = (text: string) => [...text.matchAll(/{{(\w+)/g)].map(([, name]) => name).sort()

test.each([
  ['de', de],
  ['ar', ar],
])('%s has every text, with the same holes', (language, texts) => {
  expect([...new Set(keysOf(texts))].sort()).toEqual([...new Set(keysOf(en))].sort())
  const english = new Map(leavesOf(en))
  for (const [key, text] of leavesOf(texts)) {
    const original = english.get(key)
    if (original !== undefined && !/_(one|two|zero)$/.test(key)) expect(holesOf(text), key).toEqual(holesOf(original))
  }
  const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories
  const counted = [...english.keys()].filter(key => key.endsWith('_other')).map(key => key.slice(0, -'_other'.length))
  const own = new Map(leavesOf(texts))
  for (const key of counted) for (const form of forms) expect(own.has(`${key}_${form}`), `${key}_${form}`).toBe(true)
})

test('the first of the browser’s languages that there is is spoken, and English where there is none', () => {
  expect(browserLanguage(['fr-FR', 'de-AT', 'en'])).toBe('de')
  expect(browserLanguage(['ar-EG'])).toBe('ar')
  expect(browserLanguage(['fr', 'constructor'])).toBe('en')
})
