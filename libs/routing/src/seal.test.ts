import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSeal, type FleetKey } from './seal.ts'

const keyOf = (id: string): FleetKey => ({ id, key: randomBytes(32) })
const [one, two] = [keyOf('one'), keyOf('two')]
const purpose = 'inbox:a'

test('any text comes out as it went in, at every node that has the key', () => {
  const [from, to] = [createSeal([one]), createSeal([two, one])]
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), text => {
      expect(to.open(from.seal(text, purpose), purpose)).toBe(text)
    }),
  )
})

test('nothing of the text is to be seen, and no two seals are alike', () => {
  const { seal } = createSeal([one])
  const sealed = Array.from({ length: 50 }, () => seal('{"text":"secret"}', purpose).toString('latin1'))
  expect(new Set(sealed).size).toBe(50)
  expect(sealed.join()).not.toContain('secret')
})

test('it opens nowhere else, without its key, or changed in a single bit', () => {
  const sealed = createSeal([one]).seal('hello', purpose)
  const seal = createSeal([one])
  expect(seal.open(sealed, 'inbox:b')).toBeUndefined()
  expect(createSeal([two]).open(sealed, purpose)).toBeUndefined()
  expect(createSeal([{ ...two, id: 'one' }]).open(sealed, purpose)).toBeUndefined()
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    expect(seal.open(changed, purpose)).toBeUndefined()
  }
  for (let length = 0; length < sealed.length; length++)
    expect(seal.open(sealed.subarray(0, length), purpose)).toBeUndefined()
  expect(seal.open(sealed, purpose)).toBe('hello')
})

test('whatever comes, it opens nothing and throws nothing', () => {
  const seal = createSeal([one])
  fc.assert(
    fc.property(fc.uint8Array(), bytes => {
      expect(seal.open(Buffer.from(bytes), purpose)).toBeUndefined()
    }),
  )
})
