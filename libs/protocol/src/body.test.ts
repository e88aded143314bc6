import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bodyAs, mentionsOf, quoted, refuseBody, textOf } from './body.ts'
import type { Body, PostedBody } from './fields.ts'
import { limits } from './limits.ts'
import { hiddenText, parseMarkup, plainText } from './markup.ts'
import { lengthOf } from './text.ts'

const { textLengthMax, dataBytesMax, dataDepthMax } = limits
const nested = (depth: number): object => (depth === 1 ? { a: 1 } : { a: nested(depth - 1) })

test.each([
  ['no text', { text: '' }, 'body.text', 'minLength 1'],
  ['a text too long', { text: '😀'.repeat(textLengthMax + 1) }, 'body.text', `maxLength ${textLengthMax}`],
  ['a text of blanks', { text: ' \u3164\u2800' }, 'body.text', 'something visible'],
  ['half of a pair', { text: 'a\ud800' }, 'body.text', 'well-formed Unicode, no U+0000'],
  ['half of a pair in data', { text: 'a', data: { a: ['\udc00'] } }, 'body.data.a.0', 'well-formed Unicode, no U+0000'],
  [
    'half of a pair in a key',
    { text: 'a', data: { '\udc00': 1 } },
    'body.data.\ufffd',
    'well-formed Unicode, no U+0000',
  ],
  ['what JSON would make null', { text: 'a', data: { a: Number.NaN } }, 'body.data.a', 'a finite number'],
  [
    'bytes too many, in few letters',
    { text: 'a', data: { a: '田'.repeat(dataBytesMax / 3) } },
    'body.data',
    `maxBytes ${dataBytesMax}`,
  ],
])('%s is refused', (_name, body, field, rule) => {
  expect(refuseBody(body)?.toBody()).toMatchObject({ code: 'field_invalid', field, rule })
})

test('data nests as deep as the limit and no deeper, however deep it is', () => {
  expect(refuseBody({ text: 'a', data: nested(dataDepthMax) as Record<string, unknown> })).toBeUndefined()
  const data = JSON.parse(`{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`) as Record<string, unknown>
  for (const deep of [nested(dataDepthMax + 1) as Record<string, unknown>, data])
    expect(refuseBody({ text: 'a', data: deep })?.code).toBe('data_too_deep')
})

test('what is at the limits passes', () => {
  const data = { a: 'x'.repeat(dataBytesMax - '{"a":""}'.length) }
  expect(refuseBody({ text: '😀'.repeat(textLengthMax), data })).toBeUndefined()
  expect(refuseBody({ text: '👍🏽', data: { constructor: { prototype: 1 }, '👍🏽': 0.1 } })).toBeUndefined()
})

const place = { type: 'location', latitude: 52.37, longitude: 4.89, fallback: 'Dam Square' } as const
const card = { type: 'contact', name: 'Ann', fallback: 'Ann' } as const
const long = (length: number) => 'x'.repeat(length + 1)

test.each<[string, object, string, string]>([
  ['a type that nobody knows', { type: 'rumour' }, 'body.type', 'one of text, location, contact, poll'],
  ['no text', {}, 'body.text', 'type string'],
  ['a place without words', { ...place, fallback: undefined }, 'body.fallback', 'type string'],
  ['words that show nothing', { ...card, fallback: '\u200b' }, 'body.fallback', 'something visible'],
  ['half of a pair', { ...place, fallback: '\ud83d' }, 'body.fallback', 'well-formed Unicode, no U+0000'],
  ['a latitude beyond the pole', { ...place, latitude: -91 }, 'body.latitude', 'minimum -90'],
  ['no number', { ...place, longitude: Number.NaN }, 'body.longitude', 'minimum -180'],
  ['an accuracy beyond all use', { ...place, accuracyM: 1e9 }, 'body.accuracyM', 'maximum 100000'],
  ['a name of two lines', { ...place, name: 'a\nb' }, 'body.name', 'no control characters'],
  ['a name that turns around', { ...card, name: 'a\u202eb' }, 'body.name', 'no marks of direction'],
  ['an address too long', { ...place, address: long(limits.placeAddressLengthMax) }, 'body.address', 'maxLength 300'],
  ['an employer of nothing', { ...card, organization: '' }, 'body.organization', 'minLength 1'],
  [
    'half of a pair in a number',
    { ...card, phones: ['1', '\ud83d'] },
    'body.phones.1',
    'well-formed Unicode, no U+0000',
  ],
  ['mail too long', { ...card, emails: [long(limits.emailLengthMax)] }, 'body.emails.0', 'maxLength 254'],
])('%s is refused in every type of content', (_name, body, field, rule) => {
  expect(refuseBody(body as PostedBody)?.toBody()).toMatchObject({ code: 'field_invalid', field, rule })
})

test('a body is asked what it is; one that is not known says it in words', () => {
  const later: Body = { type: 'poll', fallback: 'Lunch?', mentions: ['0b1f6c1e-6c0d-4a57-8a43-7f9d3c1e5b22'] }
  expect([{ text: 'Hi' }, place, card, later].map(textOf)).toEqual(['Hi', 'Dam Square', 'Ann', 'Lunch?'])
  expect([place, card, later].map(body => mentionsOf(body).length)).toEqual([0, 0, 1])
  expect(bodyAs('location', place)?.latitude).toBe(52.37)
  expect(bodyAs('text', { text: 'Hi' })?.text).toBe('Hi')
  expect(bodyAs('text', later) ?? bodyAs('contact', place)).toBeUndefined()
  for (const body of [place, card, { ...place, name: 'שלום', address: '🇳🇱 Dam', accuracyM: 0.5 }])
    expect(refuseBody(body)).toBeUndefined()
})

const quoteOf = (text: string) => textOf(quoted({ text }))
const secret = 'secret '.repeat(limits.quoteLengthMax).trim()

test.each([
  ['a ||S||', `a ${hiddenText}`],
  ['use a || b, and ||S||', `use a || b, and ${hiddenText}`],
  ['`||` and ||S||', `|| and ${hiddenText}`],
  ['\\||, ||S||', `||, ${hiddenText}`],
  ['```\n||\n```\n||S||', `|| ${hiddenText}`],
  ['||a|| b ||S||', `${hiddenText} b ${hiddenText}`],
  ['> ||S||', `> ${hiddenText}`],
  ['**@ann ||S||**', `@ann ${hiddenText}`],
])('the quote of %j shows nothing that the spoiler hides', (source, shown) => {
  const quote = quoteOf(source.replace('S', secret))
  expect(quote).not.toContain('secret')
  expect(plainText(parseMarkup(quote))).toBe(shown)
})

test('whatever is written, its quote shows nothing more than the text does, and keeps to its limits', () => {
  const pieces = [
    '||',
    '|',
    '`',
    '``',
    '```\n',
    '\\',
    '\n',
    '> ',
    '- ',
    '*',
    '**',
    '_',
    '~~',
    '[',
    '](http://a)',
    ' ',
    'word ',
  ]
  const around = fc.array(fc.constantFrom(...pieces, 'S', '👨‍👩‍👧'), { maxLength: 30 }).map(parts => parts.join(''))
  fc.assert(
    fc.property(around, fc.boolean(), (text, isLong) => {
      let nth = 0
      // Each would-be spoiler has a letter of its own: where the text shows none of it, no quote does.
      const hide = () => `||${String.fromCharCode(0x410 + nth++).repeat(isLong ? limits.quoteLengthMax : 1)}||`
      const source = `${text.replaceAll('S', hide)} end`
      const [said, shown] = [source, quoteOf(source)].map(one => plainText(parseMarkup(one)))
      expect(shown!.match(/[А-Я]/gu)?.filter(letter => !said!.includes(letter)) ?? []).toEqual([])
      expect(lengthOf(shown!)).toBeLessThanOrEqual(2 * limits.quoteLengthMax)
    }),
    { numRuns: 2_000 },
  )
})

test('a quote has the text as it is where all of it fits, always says something, and is no place any more', () => {
  expect(quoteOf('**a** ||b||\nc')).toBe('**a** ||b||\nc')
  const letters = 'a'.repeat(limits.quoteLengthMax)
  expect(quoteOf(`**${letters}a**`)).toBe(`${letters.slice(1)}…`)
  expect(quoteOf(`\`\`\`\n${' '.repeat(limits.quoteLengthMax)}\n\`\`\``)).toBe('…')
  expect(bodyAs('location', quoted(place))).toBeUndefined()
})
