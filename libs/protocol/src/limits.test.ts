import { expect, test } from 'vitest'
import { commandWeight } from './limits.ts'

test('a command weighs what it costs, and one more for each fifty people or conversations that it names', () => {
  const named = (count: number) => Array.from({ length: count }, () => '')
  expect(commandWeight('ping', {})).toBe(1)
  expect(commandWeight('message.send', { conversation: '', body: { text: '' } })).toBe(1)
  expect(commandWeight('presence.watch', { users: named(49) })).toBe(4)
  expect(commandWeight('presence.watch', { users: named(500) })).toBe(14)
  expect(commandWeight('presence.unwatch', { users: named(500) })).toBe(11)
  expect(commandWeight('sync.resume', { cursors: named(400).map(() => ({})) })).toBe(18)
})
