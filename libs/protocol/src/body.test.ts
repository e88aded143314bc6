import { expect, test } from 'vitest'
import { refuseBody } from './body.ts'
import { limits } from './limits.ts'

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
