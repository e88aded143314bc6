import { expect, test } from 'vitest'
import { bodyAs, mentionsOf, quoted, refuseBody, textOf } from './body.ts'
import type { Body, PostedBody } from './fields.ts'
import { limits } from './limits.ts'
import { hiddenText, parseMarkup, plainText } from './markup.ts'

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

test('a quote shows nothing that a spoiler hides, and is no place any more', () => {
  const { text } = quoted({ text: `a ||${'secret '.repeat(limits.quoteLengthMax)}||` }) as { text: string }
  expect(plainText(parseMarkup(text))).toBe(`a ${hiddenText}`)
  expect(bodyAs('location', quoted(place))).toBeUndefined()
})
