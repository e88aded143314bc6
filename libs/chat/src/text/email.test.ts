import { expect, test } from 'vitest'
import { checkEmail, emailKey, isEmail, shownEmail } from './email.ts'

test('ten spellings of one address are one', () => {
  const spellings = [
    'josé@bücher.example',
    'JOSÉ@BÜCHER.EXAMPLE',
    'jose\u0301@bu\u0308cher.example',
    'JOSE\u0301@BU\u0308CHER.Example',
    'josé@xn--bcher-kva.example',
    'josé@XN--BCHER-KVA.example',
    'josé@ｂüｃｈｅｒ.example',
    'josé@bücher。example',
    ' josé@bücher.example\n',
    '\u202ajosé@bü\u00adcher.example\u202c',
  ]
  expect(new Set(spellings.map(emailKey))).toEqual(new Set(['josé@xn--bcher-kva.example']))
  expect(new Set(spellings.map(spelling => checkEmail(spelling)))).toEqual(new Set(['josé@xn--bcher-kva.example']))
  expect(shownEmail('josé@xn--bcher-kva.example')).toBe('josé@bücher.example')
})

test('what is ASCII keeps its case where a server may tell it apart', () => {
  expect(checkEmail('Ada.Lovelace+x@Example.ORG')).toBe('Ada.Lovelace+x@example.org')
  expect(emailKey('Ada.Lovelace+x@Example.ORG')).toBe('ada.lovelace+x@example.org')
})

test.each([
  ['İda@example.org', 'ida@example.org'],
  ['ıda@example.org', 'ida@example.org'],
  ['аda@example.org', 'ada@example.org'],
  ['ａda@example.org', 'ada@example.org'],
  ['ada@exаmple.org', 'ada@example.org'],
  ['ada@gmaİl.com', 'ada@gmail.com'],
  ['straße@example.org', 'strasse@example.org'],
  ['a.da@example.org', 'ada@example.org'],
])('%s is another address than %s', (one, other) => {
  expect(isEmail(one)).toBe(true)
  expect(emailKey(one)).not.toBe(emailKey(other))
})

test('a letter that Unicode counts as the same is the same, and mail goes to that', () => {
  expect(checkEmail('ad\u212a@\u212aelvin.example')).toBe('adK@kelvin.example')
})

test.each([
  'Ada@Example.org',
  "a!#$%&'*+/=?^_`{|}~-.b@example.org",
  'ΔΣ@παράδειγμα.example',
  'やまだ@例え.jp',
  '❤@example.org',
  'ada@localhost',
  'ada@a.b.c.example',
  `${'a'.repeat(64)}@example.org`,
  `a@${'x'.repeat(63)}.example`,
])('%s is an address', address => expect(isEmail(address)).toBe(true))

test.each([
  'ada',
  '@example.org',
  'ada@',
  'a@b@example.org',
  'a b@example.org',
  'a,b@example.org',
  'a\u200bb@example.org',
  'a\ud800@example.org',
  'a\u0000@example.org',
  'ada@example',
  'ada@example.org.',
  'ada@.example.org',
  'ada@a..example.org',
  'ada@-a.example.org',
  'ada@a-.example.org',
  'ada@a_b.example.org',
  'ada@127.0.0.1',
  'ada@1.2.3',
  'ada@[127.0.0.1]',
  'ada@exa%6dple.org',
  'ada@example.org:25',
  'ada@xn--a.example',
  `${'a'.repeat(65)}@example.org`,
  `${'é'.repeat(33)}@example.org`,
  `a@${'x'.repeat(64)}.example`,
  `a@${'x.'.repeat(130)}example`,
  `a@${'ü'.repeat(60)}.${'ü'.repeat(60)}.${'ü'.repeat(60)}.${'ü'.repeat(60)}.example`,
])('%j is none', address => expect(isEmail(address)).toBe(false))
