import { expect, test } from 'vitest'
import type { HistoryRecord } from '../history.ts'
import { checkScheduled } from './due-work.ts'

const place = { conversation: 'crew', user: 'ann' }
const scheduled = (clientId: string, dueMs: number, answeredMs = 0): HistoryRecord => ({
  kind: 'scheduled',
  ...place,
  clientId,
  dueMs,
  answeredMs,
})
const sent = (clientId: string, seq: number) => ({
  conversation: 'crew',
  sender: 'ann',
  clientId,
  seq,
  event: 'message.new',
})
const find = (records: readonly HistoryRecord[], entries: ReturnType<typeof sent>[], unsent: string[] = []) =>
  checkScheduled(records, { entries }, new Set(unsent)).map(({ promise, what }) => `${promise} ${what.split(' ')[2]}`)

test('what is sent in its order, refused and told, or cancelled is right', () => {
  const records = [scheduled('a', 10), scheduled('b', 20), scheduled('c', 30), scheduled('d', 40)]
  const cancelled = { kind: 'cancelled', clientId: 'd' } as const
  expect(find([...records, cancelled], [sent('a', 1), sent('b', 5)], ['c'])).toEqual([])
})

test.each([
  ['what is nowhere', [], [], ['P1 a']],
  ['what is sent and refused', [sent('a', 1)], ['a'], ['P2 a']],
])('%s is found', (_, entries, unsent, found) => {
  expect(find([scheduled('a', 10)], entries, unsent)).toEqual(found)
})

test('what was cancelled and sent is found', () => {
  expect(find([scheduled('a', 10), { kind: 'cancelled', clientId: 'a' }], [sent('a', 1)])).toEqual(['P1 a'])
})

test('what is sent out of its order is found, but for what was taken too late', () => {
  const entries = [sent('a', 2), sent('b', 1)]
  expect(find([scheduled('a', 10), scheduled('b', 20)], entries)).toEqual(['P3 b'])
  expect(find([scheduled('a', 10), scheduled('b', 10)], entries)).toEqual(['P3 b'])
  expect(find([scheduled('a', 10, 11), scheduled('b', 20)], entries)).toEqual([])
})
