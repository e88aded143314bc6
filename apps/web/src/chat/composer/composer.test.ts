import { expect, test } from 'vitest'
import { complete, matchPeople, mentionsIn, queryAt } from './complete.ts'
import { type Press, sends } from './enter.ts'

const press = (more: Partial<Press> = {}): Press => ({
  key: 'Enter',
  keyCode: 13,
  isComposing: false,
  shiftKey: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...more,
})

test('Enter sends, unless an input method takes it or it is to be a new line', () => {
  expect(sends(press())).toBe(true)
  expect(sends(press({ ctrlKey: true }))).toBe(true)
  expect(sends(press({ shiftKey: true }))).toBe(false)
  expect(sends(press({ altKey: true }))).toBe(false)
  expect(sends(press({ key: 'a', keyCode: 65 }))).toBe(false)
  expect(sends(press({ isComposing: true }))).toBe(false)
  // Safari: the composition is over already, and only the code tells.
  expect(sends(press({ isComposing: false, keyCode: 229 }))).toBe(false)
})

test.each([
  ['hello @', { trigger: '@', from: 6, text: '' }],
  ['@an', { trigger: '@', from: 0, text: 'an' }],
  ['(@ann', { trigger: '@', from: 1, text: 'ann' }],
  ['to @Zoë', { trigger: '@', from: 3, text: 'Zoë' }],
  ['so :smi', { trigger: ':', from: 3, text: 'smi' }],
  ['ann@example', undefined],
  ['12:30', undefined],
  ['so :s', undefined],
  ['https://a.example/:ab', undefined],
  ['nothing', undefined],
  ['@ann is', undefined],
])('%j asks for %j', (text, query) => {
  expect(queryAt(text, text.length)).toEqual(query)
})

test('a completion takes the place of what was written of it, with one blank behind', () => {
  const text = 'Hi @an, see'
  const query = queryAt(text, 6)
  expect(query).toEqual({ trigger: '@', from: 3, text: 'an' })
  expect(complete(text, query!, '@anna')).toEqual({ text: 'Hi @anna , see', caret: 9 })
  expect(complete('@an you', queryAt('@an you', 3)!, '@anna')).toEqual({ text: '@anna you', caret: 6 })
})

const people = [
  { id: '1', username: 'anna', displayName: 'Anna Lind' },
  { id: '2', username: 'bo', displayName: 'Bo Ánker' },
  { id: '3', username: 'zoe.k', displayName: 'Zoë Kern' },
]

test('people are found by the beginnings of their names, without accents', () => {
  expect(matchPeople(people, 'an').map(({ id }) => id)).toEqual(['1', '2'])
  expect(matchPeople(people, 'ZOE').map(({ id }) => id)).toEqual(['3'])
  expect(matchPeople(people, '').length).toBe(3)
  expect(matchPeople(people, 'x')).toEqual([])
})

test('a text mentions whom it names, not who stands in code, and everyone by one word', () => {
  expect(mentionsIn('@anna and @Zoe.K, see `@bo`', people, 20)).toEqual({ mentions: ['1', '3'], all: false })
  expect(mentionsIn('> @bo said\n\n- @anna', people, 20)).toEqual({ mentions: ['1', '2'], all: false })
  expect(mentionsIn('```\n@bo\n```', people, 20)).toEqual({ mentions: [], all: false })
  expect(mentionsIn('@everyone', people, 20)).toEqual({ mentions: [], all: true })
  expect(mentionsIn('@everyone', [{ id: '9', username: 'Everyone', displayName: '' }], 20)).toEqual({
    mentions: ['9'],
    all: false,
  })
  expect(mentionsIn('@anna @bo', people, 1).mentions).toHaveLength(1)
  expect(mentionsIn('ann@bo', people, 20)).toEqual({ mentions: [], all: false })
})
