import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCommand, isUndecodable } from './decode.ts'
import { errors } from './errors.ts'
import { limits } from './limits.ts'

const conversation = '00000000-0000-4000-8000-000000000001'
const clientId = '00000000-0000-4000-8000-000000000002'
const send = { id: 1, op: 'message.send', conversation, clientId, body: { text: 'hi' } }

function refused(frame: unknown) {
  const decoded = decodeCommand(typeof frame === 'string' ? frame : JSON.stringify(frame))
  if (!isUndecodable(decoded)) throw new Error('was taken')
  return { id: decoded.id, op: decoded.op, ...decoded.refusal.toBody() }
}

test('a good frame becomes its command', () => {
  expect(decodeCommand(JSON.stringify(send))).toEqual(send)
  expect(decodeCommand(JSON.stringify({ op: 'message.read', conversation, seq: 3 }))).toEqual({
    op: 'message.read',
    conversation,
    seq: 3,
  })
})

test.each([
  ['not JSON', '{"id":', 'frame_malformed', undefined],
  ['an array', '[]', 'frame_malformed', undefined],
  ['null', 'null', 'frame_malformed', undefined],
  ['no op', { id: 1 }, 'field_invalid', 'op'],
  ['an unknown op', { id: 1, op: 'message.explode' }, 'op_unknown', 'op'],
  ['an op of the prototype', { id: 1, op: 'constructor' }, 'op_unknown', 'op'],
  ['a missing field', { ...send, clientId: undefined }, 'field_invalid', 'clientId'],
  ['a wrong type', { ...send, conversation: 7 }, 'field_invalid', 'conversation'],
  ['a bad uuid', { ...send, conversation: 'x' }, 'field_invalid', 'conversation'],
  ['an unknown field', { ...send, urgent: true }, 'field_invalid', 'urgent'],
  ['an empty text', { ...send, body: { text: '' } }, 'field_invalid', 'body.text'],
  ['a text too long', { ...send, body: { text: 'x'.repeat(limits.textLengthMax + 1) } }, 'field_invalid', 'body.text'],
  ['a seq of zero', { ...send, replyTo: 0 }, 'field_invalid', 'replyTo'],
  [
    'a letter too many for a text',
    { ...send, body: { text: '😀'.repeat(limits.textLengthMax + 1) } },
    'field_invalid',
    'body.text',
  ],
  ['a fraction', { ...send, replyTo: 1.5 }, 'field_invalid', 'replyTo'],
  ['a send without an id', { ...send, id: undefined }, 'field_invalid', 'id'],
])('%s is refused by code and field', (_name, frame, code, field) => {
  const refusal = refused(frame)
  expect(refusal.code).toBe(code)
  expect(refusal.field).toBe(field)
})

test('the rule is said in plain words', () => {
  expect(refused({ ...send, urgent: true })).toMatchObject({
    rule: 'not a known field',
    message: 'urgent: not a known field',
  })
  expect(refused({ ...send, clientId: undefined })).toMatchObject({ rule: 'required' })
  expect(refused({ ...send, body: { text: '' } })).toMatchObject({ rule: 'minLength 1' })
})

test('a text is counted in code points, and so the largest fits into a frame', () => {
  const text = '😀'.repeat(limits.textLengthMax)
  expect(isUndecodable(decodeCommand(JSON.stringify({ ...send, body: { text } })))).toBe(false)
  expect(Buffer.byteLength(JSON.stringify({ ...send, body: { text } }))).toBeLessThan(limits.frameBytesMax)
})

test.each([
  ['half of a pair in a text', '"text":"a\\ud83d"', 'body.text'],
  ['the other half in it', '"text":"\\uDE00a"', 'body.text'],
  ['a pair in the wrong order', '"text":"\\ude00\\ud83d"', 'body.text'],
  ['U+0000', '"text":"a\\u0000b"', 'body.text'],
  ['half of a pair deep in data', '"text":"a","data":{"a":[0,{"b":"\\ud800"}]}', 'body.data.a.1.b'],
  ['half of a pair in a key', '"text":"a","data":{"a":{"\\ud800":1}}', 'body.data.a.\ufffd'],
])('%s is refused with the place, and the refusal can be read', (_name, body, field) => {
  const refusal = refused(JSON.stringify(send).replace('"text":"hi"', body))
  expect(refusal).toMatchObject({ id: 1, op: 'message.send', code: 'field_invalid', field })
  expect(JSON.stringify(refusal)).not.toMatch(/\\\\ud[89a-f]|\\\\u0000/)
})

const place = { type: 'location', latitude: 52.37, longitude: 4.89, fallback: 'Dam Square' }
const card = { type: 'contact', name: 'Ann', fallback: 'Ann' }

test.each([
  ['no type and no text', {}, 'body.text', 'required'],
  ['a type that nobody knows', { type: 'rumour' }, 'body.type', 'one of text, location, contact, poll'],
  ['a type that is no text', { type: 1 }, 'body.type', 'one of text, location, contact, poll'],
  ['a latitude beyond the pole', { ...place, latitude: 90.001 }, 'body.latitude', 'maximum 90'],
  ['a longitude round the earth', { ...place, longitude: -181 }, 'body.longitude', 'minimum -180'],
  ['an accuracy below nothing', { ...place, accuracyM: -1 }, 'body.accuracyM', 'minimum 0'],
  ['a place without words', { ...place, fallback: undefined }, 'body.fallback', 'required'],
  ['a place that says more', { ...place, text: 'x' }, 'body.text', 'not a known field'],
  ['a number with letters', { ...card, phones: ['call me'] }, 'body.phones.0', /^pattern /],
  ['the same address twice', { ...card, emails: ['a@b.c', 'a@b.c'] }, 'body.emails', /^uniqueItems/],
  ['a person who is no id', { ...card, user: 'ann' }, 'body.user', /^pattern /],
  [
    'eleven numbers',
    { ...card, phones: Array.from({ length: 11 }, (_, n) => `${n + 10}`) },
    'body.phones',
    'maxItems 10',
  ],
])('%s is refused by field and rule of its type', (_name, body, field, rule) => {
  const refusal = refused({ ...send, body })
  expect(refusal).toMatchObject({ id: 1, code: 'field_invalid', field })
  expect(refusal.rule).toMatch(rule instanceof RegExp ? rule : new RegExp(`^${rule}$`))
})

/** Every text of every type of content, each alone. */
const textFields = [
  ['text', { text: '?' }],
  ...['name', 'address', 'fallback'].map(field => [field, { ...place, [field]: '?' }] as const),
  ...['name', 'organization', 'fallback'].map(field => [field, { ...card, [field]: '?' }] as const),
  ['phones.0', { ...card, phones: ['?'] }],
  ['emails.0', { ...card, emails: ['a@?'] }],
] as const

test.each(textFields)('%s of %j takes well-formed Unicode alone', (field, body) => {
  for (const ill of ['\\ud83d', 'a\\udc00b', '\\u0000']) {
    const refusal = refused(JSON.stringify({ ...send, body }).replace('?', ill))
    // A pattern may refuse it before.
    expect(refusal).toMatchObject({ code: 'field_invalid', field: `body.${field}` })
    expect(JSON.stringify(refusal)).not.toMatch(/\\\\ud[89a-f]|\\\\u0000/)
  }
})

test('a refusal of what has no place in a schema can be read too', () => {
  const unknownField = refused(`{"id":1,"op":"message.send","${'x'.repeat(127)}\\ud83d\\ude00${'y'.repeat(90)}":1}`)
  const unknownOp = refused(`{"id":1,"op":"${'x'.repeat(63)}\\ud83d\\ude00\\ud83d"}`)
  for (const refusal of [unknownField, unknownOp]) expect(JSON.stringify(refusal)).not.toMatch(/\\\\ud[89a-f]/)
})

test('characters of every kind pass unharmed, raw and as escapes', () => {
  const text = '👨‍👩‍👧‍👦 🇳🇱 e\u0301 שלום \u202aعربى\u202c \\ud800 हिन्दी 𝒳'
  const escaped = JSON.stringify(text).replace(
    /[\u0080-\uffff]/g,
    unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  for (const source of [JSON.stringify(text), escaped])
    expect(decodeCommand(JSON.stringify(send).replace('"hi"', source))).toMatchObject({ body: { text } })
})

test('a refusal keeps the id and the op that it could read', () => {
  expect(refused({ ...send, body: 1 })).toMatchObject({ id: 1, op: 'message.send', rule: 'type object' })
  expect(refused({ ...send, id: -1 })).toMatchObject({ id: undefined, field: 'id' })
})

test('no text at all makes the decoder throw, and every refusal is in the table', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.record({ id: fc.anything(), op: fc.anything() }).map(value => JSON.stringify(value)),
      ),
      text => {
        const decoded = decodeCommand(text)
        if (isUndecodable(decoded)) expect(errors[decoded.refusal.code]).toBeDefined()
      },
    ),
  )
})

test('a key that reaches a prototype is refused wherever a client can put one', () => {
  const conversation = '11111111-1111-4111-8111-111111111111'
  const send = (body: string) =>
    `{"id":1,"op":"message.send","conversation":"${conversation}","clientId":"${conversation}","body":${body}}`
  for (const text of [
    send('{"text":"x","data":{"__proto__":{"admin":true}}}'),
    send('{"text":"x","data":{"a":[{"\\u005f_proto__":1}]}}'),
    send('{"text":"x","__proto__":{"data":1}}'),
    `{"id":1,"op":"typing.start","conversation":"${conversation}","__proto__":{}}`,
    '{"id":1,"__proto__":{"op":"ping"}}',
  ])
    expect(decodeCommand(text), text).toMatchObject({ refusal: { code: 'field_invalid' } })
})
