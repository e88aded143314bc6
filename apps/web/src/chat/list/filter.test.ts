import type { ConversationItem } from '@flotilla/sdk/state'
import { expect, test } from 'vitest'
import { choose } from './filter.ts'

const item = (id: string, name: string, more: Partial<ConversationItem> = {}): ConversationItem => ({
  id,
  name,
  kind: 'group',
  unread: 0,
  mentions: 0,
  markedUnread: false,
  pinned: false,
  muted: false,
  archived: false,
  pending: false,
  ...more,
})
const items = [
  item('1', 'Harbour festival', { unread: 2 }),
  item('2', 'José Núñez', {
    kind: 'direct',
    other: { id: 'u', username: 'pepe', displayName: 'José Núñez', avatar: null },
  }),
  item('3', 'Night shift', { markedUnread: true }),
]
const chosen = (filter: Parameters<typeof choose>[1], search = '') =>
  choose(items, filter, search)
    .map(({ id }) => id)
    .join('')

test('a list shows what waits, people, groups, or all', () => {
  expect(chosen('all')).toBe('123')
  expect(chosen('unread')).toBe('13')
  expect(chosen('direct')).toBe('2')
  expect(chosen('groups')).toBe('13')
  expect(choose(items, 'all', ' ')).toBe(items)
})

test('every word of a search begins a word of the name, without case and accents', () => {
  expect(chosen('all', 'fest har')).toBe('1')
  expect(chosen('all', 'NUN')).toBe('2')
  expect(chosen('all', 'pep')).toBe('2')
  expect(chosen('all', 'estival')).toBe('')
  expect(chosen('direct', 'harbour')).toBe('')
})
