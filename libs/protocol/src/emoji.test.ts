import fc from 'fast-check'
import { expect, test } from 'vitest'
import { qualifyEmoji } from './emoji.ts'

test.each([
  ['❤', '❤️'],
  ['❤️', '❤️'],
  ['👍', '👍'],
  ['👍🏽', '👍🏽'],
  ['☝🏻', '☝🏻'],
  ['1⃣', '1️⃣'],
  ['🏳‍🌈', '🏳️‍🌈'],
  ['👁‍🗨', '👁️‍🗨️'],
  ['🕵🏽‍♂', '🕵🏽‍♂️'],
  ['👩‍❤‍💋‍👨', '👩‍❤️‍💋‍👨'],
  ['👨‍👩‍👧‍👦', '👨‍👩‍👧‍👦'],
  ['🇩🇪', '🇩🇪'],
  ['🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'],
  ['👩🏽‍❤️‍💋‍👨🏽', '👩🏽‍❤️‍💋‍👨🏽'],
])('%s is %s', (typed, qualified) => expect(qualifyEmoji(typed)).toBe(qualified))

test.each(['', 'a', '1', '#️', '👍👍', '👍 ', '🇩', '🇽🇽', '\ufe0f', '\u200d', '😀‍😀', '\ud83d', '❤'.repeat(40)])(
  '%j is none',
  text => expect(qualifyEmoji(text)).toBeUndefined(),
)

test('however it is spelt, an emoji is qualified once and for all, and what is not one is refused in no time', () => {
  const pieces = fc.constantFrom(
    '❤',
    '👍',
    '🏳',
    '🌈',
    '\u200d',
    '\ufe0f',
    '\u{1f3fd}',
    '♂',
    '1',
    '\u20e3',
    'a',
    '🇩',
    '🇪',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), parts => {
      const text = parts.join('')
      const one = qualifyEmoji(text)
      if (one === undefined) return
      expect(qualifyEmoji(one)).toBe(one)
      expect(qualifyEmoji(one.replaceAll('\ufe0f', ''))).toBe(one)
    }),
  )
})
