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
  ['a fraction', { ...send, replyTo: 1.5 }, 'field_invalid', 'replyTo'],
  ['a send without an id', { ...send, id: undefined }, 'field_invalid', 'id'],
  [
    'data too large',
    { ...send, body: { text: 'x', data: { a: 'y'.repeat(limits.dataBytesMax) } } },
    'field_invalid',
    'body.data',
  ],
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

test('data nested beyond the limit is refused, however deep', () => {
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
  const frame = (depth: number) => JSON.stringify(send).replace('"text":"hi"', `"text":"hi","data":${nested(depth)}`)
  expect(isUndecodable(decodeCommand(frame(limits.dataDepthMax)))).toBe(false)
  expect(refused(frame(limits.dataDepthMax + 1)).code).toBe('data_too_deep')
  expect(refused(frame(100_000)).code).toBe('data_too_deep')
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
