import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOf, cutText, isolated, isVisible, isWellFormed, lengthOf, mended } from './text.ts'

const graphemesOf = (text: string) =>
  Array.from(new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text), one => one.segment)

test.each([
  ['blanks of many kinds', ' \t\u00a0\u2003\u3000\n'],
  ['marks of direction', '\u200e\u200f\u202a\u202e\u2066\u2069\u061c'],
  ['joiners and the like', '\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e'],
  ['fillers of Hangul', '\u115f\u1160\u3164\uffa0'],
  ['the blank of Braille', '\u2800\u2800'],
  ['selectors and tags', '\ufe0f\u{e0061}\u{e007f}'],
  ['marks on nothing', '\u0301\u20dd'],
  ['a note without a head', '\u{1d159}'],
  ['no characters', '\ufffe\u{10ffff}\ud800'],
  ['nothing', ''],
])('%s show nothing', (_name, text) => expect(isVisible(text)).toBe(false))

test.each(['a', '.', '田', '👨‍👩‍👧', ' x', '\u200fא', 'e\u0301', '\u0600', '€', '⠁', 'ी', '\ue000', '\u{1f0ff}'])(
  '%s shows something',
  text => expect(isVisible(text)).toBe(true),
)

test('text is well-formed when each half of a pair has the other, and U+0000 is not in it', () => {
  for (const text of ['', 'a', '😀', '\uffff']) expect(isWellFormed(text)).toBe(true)
  for (const text of ['\ud83d', '\ude00', '\ude00\ud83d', 'a\ud83db', 'a\0']) expect(isWellFormed(text)).toBe(false)
  expect(mended('a\ud83d\r\n\0b\ufffe😀')).toBe('a\ufffd b\ufffd😀')
})

test('a length is that of JSON Schema and PostgreSQL, bytes are those of UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      expect(lengthOf(text)).toBe(Array.from(text).length)
      expect(bytesOf(text)).toBe(Buffer.byteLength(text))
    }),
  )
  expect(lengthOf('👨‍👩‍👧')).toBe(5)
})

test.each([
  ['👨‍👩‍👧🇳🇱e\u0301x', 3, '👨‍👩‍👧🇳🇱e\u0301'],
  ['👨‍👩‍👧🇳🇱e\u0301', 3, '👨‍👩‍👧🇳🇱e\u0301'],
  ['👨‍👩‍👧🇳🇱', 1, '👨‍👩‍👧'],
  ['a\ud83db', 2, 'a\ufffd'],
])('%s is cut to %i graphemes', (text, graphemesMax, cut) => {
  expect(cutText(text, { graphemesMax })).toBe(cut)
})

const graphemeText = fc
  .array(fc.constantFrom('a', '😀', '👨‍👩‍👧', '🇳🇱', 'e\u0301', 'นี้', '한', '\r\n'))
  .map(parts => parts.join(''))

test('a cut splits no grapheme, keeps to its bounds, and loses no more than it must', () => {
  fc.assert(
    fc.property(graphemeText, fc.integer({ min: 1, max: 12 }), fc.constantFrom('', '…'), (whole, graphemesMax, end) => {
      const cut = cutText(whole, { graphemesMax, end })
      const all = graphemesOf(whole)
      const kept = all.slice(0, graphemesMax - end.length)
      expect(cut).toBe(all.length <= graphemesMax ? whole : kept.join('') + end)
    }),
  )
  expect(cutText(`a${'\u0301'.repeat(500)}`, { graphemesMax: 10 })).toBe('')
})

test('a text is cut where it would be if all of it were looked at', () => {
  const parts = fc.constantFrom(
    '🏽',
    '\u200d',
    '\u{e0100}',
    '\u0301',
    '🇳',
    '\ud83d',
    '\ude00',
    '\u0915\u094d',
    '\u0937',
  )
  const text = fc.array(fc.oneof(graphemeText, parts)).map(all => all.join(''))
  const max = fc.integer({ min: 1, max: 12 })
  fc.assert(
    fc.property(text, max, max, fc.constantFrom('', '…'), (source, graphemesMax, lengthMax, end) => {
      const whole = source.replace(/\p{Cs}/gu, '\ufffd')
      const all = graphemesOf(whole)
      const fits = (count: number, more: number) =>
        count + more <= graphemesMax && lengthOf(all.slice(0, count).join('')) + more <= lengthMax
      const kept = all.filter((_, nth) => fits(nth + 1, end.length)).join('')
      expect(cutText(source, { graphemesMax, lengthMax, end })).toBe(fits(all.length, 0) ? whole : kept + end)
    }),
    { numRuns: 5_000 },
  )
})

test('what is isolated closes what it opens, and nothing that it has not opened', () => {
  expect(isolated('plain, 👍🏽 한국어')).toBe('plain, 👍🏽 한국어')
  expect(isolated('שלום')).toBe('\u2068שלום\u2069')
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'ש', '\u202e', '\u202c', '\u2066', '\u2067', '\u2068', '\u2069')),
      parts => {
        let depth = 0
        const depths = Array.from(isolated(parts.join('')), mark => {
          if (/[\u2066-\u2068]/.test(mark)) depth += 1
          if (mark === '\u2069') depth -= 1
          return depth
        })
        // Only the last mark ends the first one.
        expect(depth).toBe(0)
        if (/[^a]/.test(parts.join(''))) expect(depths.indexOf(0)).toBe(depths.length - 1)
      },
    ),
  )
})
