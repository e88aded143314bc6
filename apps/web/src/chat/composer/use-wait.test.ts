import type { MessageRow, TimelineView } from '@flotilla/sdk/state'
import { expect, test } from 'vitest'
import { createLastPost } from './use-wait.ts'

const row = (key: string, at: number, more: Partial<MessageRow> = {}) =>
  ({ kind: 'message', key, at, own: true, state: 'sent', ...more }) as MessageRow

test('a wait begins with the last message of one’s own that went, whatever the clock of the server says', () => {
  let now = 1_000
  let rows: MessageRow[] = []
  const last = createLastPost({ get: () => ({ rows }) as unknown as TimelineView }, () => now)
  const after = (...next: MessageRow[]) => {
    rows = next
    return last()
  }
  expect(after()).toBe(0)
  expect(after(row('before', 400), row('other', 900, { own: false }))).toBe(400)
  expect(after(row('failed', 950, { state: 'failed' }), row('before', 400))).toBe(400)
  expect(after(row('own', 1_000, { state: 'sending' }))).toBe(1_000)
  now = 1_300
  // The server is a minute behind, or ahead: it counts from when it has taken the message, and so does the device.
  expect(after(row('own', 1_000 - 60_000))).toBe(1_300)
  now = 1_400
  expect(last()).toBe(1_300)
  expect(after(row('of another device', 1_400 + 60_000))).toBe(1_400)
  now = 1_500
  expect(last()).toBe(1_400)
})
