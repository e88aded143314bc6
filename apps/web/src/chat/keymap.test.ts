import { expect, test } from 'vitest'
import en from '../text/en.ts'
import { keymap, type Pressed, shortcutOf, shownKeys } from './keymap.ts'

const press = (key: string, more: Partial<Pressed> = {}): Pressed => ({
  key,
  code: '',
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...more,
})
const anywhere = { isInField: false, isMac: false }

test('a key means what the keymap says, with its modifiers and no others', () => {
  expect(shortcutOf(press('k', { ctrlKey: true }), 'page', anywhere)).toBe('find')
  expect(shortcutOf(press('k', { metaKey: true }), 'page', { ...anywhere, isMac: true })).toBe('find')
  expect(shortcutOf(press('k', { ctrlKey: true }), 'page', { ...anywhere, isMac: true })).toBeUndefined()
  expect(shortcutOf(press('k', { ctrlKey: true, altKey: true }), 'page', anywhere)).toBeUndefined()
  expect(shortcutOf(press('ArrowDown', { altKey: true }), 'page', anywhere)).toBe('nextConversation')
  expect(shortcutOf(press('ArrowDown', { altKey: true, shiftKey: true }), 'page', anywhere)).toBe('nextUnread')
  expect(shortcutOf(press('F6', { shiftKey: true }), 'page', anywhere)).toBe('regions')
})

test('marks are found with Shift and without, letters not while one types', () => {
  expect(shortcutOf(press('?', { shiftKey: true }), 'page', anywhere)).toBe('sheet')
  expect(shortcutOf(press('?'), 'page', anywhere)).toBe('sheet')
  expect(shortcutOf(press('?'), 'page', { ...anywhere, isInField: true })).toBeUndefined()
  expect(shortcutOf(press('k', { ctrlKey: true }), 'page', { ...anywhere, isInField: true })).toBe('find')
})

test('of a layout of another script the place of the key counts; of a Latin one it does not', () => {
  expect(shortcutOf(press('к', { code: 'KeyR' }), 'timeline', anywhere)).toBe('reply')
  expect(shortcutOf(press('p', { code: 'KeyR' }), 'timeline', anywhere)).toBeUndefined()
})

test('every shortcut is named, and no two of a section are the same', () => {
  for (const { id, section } of keymap) {
    expect(en.late.keys[id], id).toBeTypeOf('string')
    expect(en.late.keys.section[section]).toBeTypeOf('string')
  }
  const all = keymap.flatMap(({ section, keys }) => keys.map(one => `${section} ${one}`))
  expect(new Set(all).size).toBe(all.length)
  expect(shownKeys('mod+shift+o', false)).toEqual(['Ctrl', 'Shift', 'O'])
  expect(shownKeys('+', true)).toEqual(['+'])
})
