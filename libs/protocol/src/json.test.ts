import fc from 'fast-check'
import { expect, test } from 'vitest'
import { refuseSource } from './json.ts'

const ruleOf = (source: string) => refuseSource(source)?.detail

test.each([
  '9007199254740993',
  '-9007199254740993',
  '12345678901234567890',
  '1e400',
  '-1e400',
  '1e-400',
  '-0',
  '-0.0',
  '-0e5',
  '0.1000000000000000055511151231257827',
  '3.14159265358979323846',
  `1${'0'.repeat(400)}`,
])('the number %s would come back as another and is refused', number => {
  expect(ruleOf(`{"a":[1,{"b":${number}}]}`)).toEqual({ field: 'a.1.b', rule: 'a number that a double holds' })
})

const exact = [
  '0 1 -1 9007199254740991 9007199254740992 9007199254740994 0.1 1.0 1.50 0.0 1e2 1E+2 100e-2 1e21 1e22',
  '123456789012345680000 5e-324 1.7976931348623157e308 0e999',
]
test.each(exact.join(' ').split(' '))('the number %s comes back with its value', number => {
  expect(ruleOf(`[${number}]`)).toBeUndefined()
})

test.each([
  ['{"a":1,"a":2}', 'a', 'each key once'],
  ['{"a":1,"\\u0061":2}', 'a', 'each key once'],
  ['[{"b":{"c":1,"d":[],"c":1}}]', '0.b.c', 'each key once'],
  ['{"x":{"__proto__":{}}}', 'x.__proto__', 'no key __proto__'],
  ['{"x":{"\\u005f_proto__":1}}', 'x.__proto__', 'no key __proto__'],
])('%s is refused', (source, field, rule) => {
  expect(ruleOf(source)).toEqual({ field, rule })
})

test('the same key in two objects, and one like a text, is none that stands twice', () => {
  for (const source of [
    '[{"a":1},{"a":1}]',
    '{"a":{"a":"a"},"b":["a","a"]}',
    '{"a":"\\"b\\":1","b":1}',
    '{"constructor":{"prototype":1}}',
  ])
    expect(ruleOf(source)).toBeUndefined()
})

test('whatever JavaScript writes comes back as it was, and is not refused for it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), value => {
      const source = JSON.stringify(value)
      const refusal = refuseSource(source)
      if (refusal === undefined) expect(JSON.stringify(JSON.parse(source))).toBe(source)
      else expect(source).toMatch(/\\u0000|\\ud|__proto__/)
    }),
  )
})

test('doubles written with all their digits pass, and with one digit changed do not pass unseen', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), number => {
      if (Object.is(number, -0)) return
      expect(refuseSource(`[${number}]`)).toBeUndefined()
      expect(refuseSource(`[${number.toExponential()}]`)).toBeUndefined()
    }),
  )
})
