import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mendPairs } from './entries.ts'

const mend = (value: unknown): unknown => JSON.parse(mendPairs(JSON.stringify(value)))

test('half of a pair that was stored before is served as a mark that every client can read', () => {
  expect(mend({ body: { text: 'a\ud83d', data: { '\ude00': ['\ude00\ud83d'] } } })).toEqual({
    body: { text: 'a\ufffd', data: { '\ufffd': ['\ufffd\ufffd'] } },
  })
})

test('nothing else is touched, however much it looks like it', () => {
  for (const text of ['\\ud83d', '\\\\ud83d', '\\\\\\ud83d', '😀', '\u0000', '\\u0000', '"\\ud800"', 'ud800'])
    expect(mend({ [text]: text })).toEqual({ [text]: text })
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      expect(mend([text, `\\ud800${text}`])).toEqual([text, `\\ud800${text}`])
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 8 }), units => {
      const text = String.fromCharCode(...units)
      expect(mend(text)).toBe(text.toWellFormed())
    }),
  )
})
