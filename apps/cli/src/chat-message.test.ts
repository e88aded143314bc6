import { stripVTControlCharacters } from 'node:util'
import type { Body } from '@flotilla/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasSpoiler, linesOf } from './chat-message.ts'
import { rowsOf, style, widthOf } from './chat-screen.ts'

const nobody = () => undefined
const shown = (text: string, open = false) => linesOf({ text }, nobody, open)
const plainly = (body: Body, open = false) => stripVTControlCharacters(linesOf(body, nobody, open))

test.each([
  ['**a** *b* ~~c~~ `d`', `${style.bold('a')} ${style.italic('b')} ${style.strike('c')} ${style.yellow('d')}`],
  ['a\nb', 'a\n  b'],
  ['**a\nb**', `${style.bold('a')}\n  ${style.bold('b')}`],
  ['> a\n- b\n  1. c', '\n  │ a\n  • b\n    1. c'],
  ['```js\na\n\tb\n```', `\n    ${style.yellow('a')}\n    ${style.yellow(' b')}`],
  ['[a](https://b.example)', `${style.underline('a')} (https://b.example)`],
  ['https://b.example', style.underline('https://b.example')],
  ['||a||', '▒▒▒▒▒'],
  ['\u001b[31ma\u0007\u2028b', ' [31ma b'],
])('%j is shown', (text, lines) => expect(shown(text)).toBe(lines))

test('a spoiler is shown when it is asked for', () => {
  expect(shown('||a **b**||', true)).toBe(style.inverse(`a ${style.bold('b')}`))
  expect([
    hasSpoiler({ text: '> - x\n> ||a||' }),
    hasSpoiler({ text: '- ||a||' }),
    hasSpoiler({ text: '||a' }),
  ]).toEqual([true, true, false])
})

test('places, cards and what is not known are shown in words', () => {
  const place = { type: 'location', latitude: 1, longitude: -2, fallback: '?' } as const
  const card = { type: 'contact', name: 'Ann', fallback: '?', user: 'u' } as const
  expect(plainly(place)).toBe('📍 1, -2')
  expect(plainly({ ...place, accuracyM: 3, address: 'Quay' })).toBe('📍 Quay (1, -2 ± 3 m)')
  // Whoever is not known stays so.
  expect(plainly(card)).toBe('👤 Ann')
  expect(linesOf({ ...card, organization: 'Ferries', phones: ['1'] }, () => 'ann')).toBe('👤 Ann, Ferries: 1, @ann')
  expect(plainly({ type: 'poll', fallback: '**Lunch?**\nbob: yes' })).toBe('**Lunch?** bob: yes')
})

test('whatever is written, no line and no row looks like that of another, or turns it around', () => {
  const piece = fc.constantFrom(
    'a',
    ' ',
    '\n',
    '\r',
    '\u202e',
    '\u2069',
    '\u2066',
    '> ',
    '- ',
    '||',
    '```',
    '太',
    '👨‍👩‍👧',
    '\u2028',
    '\u001b[2J',
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 80 }),
      fc.boolean(),
      fc.integer({ min: 8, max: 30 }),
      (pieces, open, columns) => {
        const [first = '', ...others] = `bob: ${shown(pieces.join(''), open)}`.split('\n')
        for (const line of others) expect(line.startsWith('  ')).toBe(true)
        for (const line of [first, ...others]) {
          const [, ...rows] = rowsOf(line, columns)
          for (const row of rows) expect(row.startsWith('  ')).toBe(true)
          for (const row of rowsOf(line, columns)) expect(widthOf(row)).toBeLessThanOrEqual(columns)
          let depth = 0
          for (const mark of line.match(/[\u2066-\u2069]/g) ?? []) {
            depth += mark === '\u2069' ? -1 : 1
            expect(depth).toBeGreaterThanOrEqual(0)
          }
          expect(depth).toBe(0)
        }
      },
    ),
    { numRuns: 500 },
  )
})
