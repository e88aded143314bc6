import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fold, searchText } from './fold.ts'

test.each([
  ['José GARCÍA', 'jose garcia'],
  ['Jose\u0301', 'jose'],
  ['Łukasz Øst', 'lukasz ost'],
  ['STRASSE', 'straße'],
  ['ＡＢＣ', 'abc'],
  ['ﬁona', 'fiona'],
  ['İSTANBUL', 'istanbul'],
  ['スズキ', 'すずき'],
  ['ﾔﾏﾀﾞ', 'やまだ'],
  ['김', '\u1100\u1175\u11b7'],
  ['Σίσυφος', 'ΣΙΣΥΦΟΣ'],
  ['ИВАН', 'иван'],
  ['مُحَمَّد', 'محمد'],
  ['  a \t b\u0000 ', 'a b'],
])('%j and %j are searched as the same', (one, other) => {
  expect(fold(one)).toBe(fold(other))
})

test.each([
  ['Иван', 'Юрий'],
  ['田中', '中田'],
  ['कमल', 'कमला'],
  ['😀', '😃'],
  ['김', '믹'],
  ['さくら', 'らくさ'],
])('%s and %s are not', (one, other) => {
  expect(fold(one)).not.toBe(fold(other))
})

test('whatever was typed becomes ASCII, folding it again changes nothing, and a name is part of what is searched', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), text => {
      const folded = fold(text)
      expect(folded).toMatch(/^\p{ASCII}*$/u)
      expect(fold(folded)).toBe(folded)
    }),
  )
  expect(searchText('Ann.B', 'Änne Ö')).toBe('~ann.b anne o')
})

test('letters of one script have codes of their own', () => {
  // Without й, which is и with a mark.
  expect(new Set('абвгдежзийклмнопрстуфхцчшщъыьэюя'.split('').map(fold)).size).toBe(31)
  const han = Array.from({ length: 20_000 }, (_, n) => fold(String.fromCodePoint(0x4e00 + n)))
  expect(new Set(han).size).toBe(20_000)
  // And none that a word in Latin letters can hold.
  for (const code of han) expect(code).toMatch(/^\d[a-z]\d[a-z]$/)
})
