import { expect, test } from 'vitest'
import { isQuiet, notifies, type Told } from './rules.ts'

const message: Told = {
  isOwn: false,
  isReplayed: false,
  isRemoved: false,
  isMention: false,
  isBlocked: false,
  thread: 'none',
  kind: 'group',
  isMuted: false,
  rule: null,
  isSeen: false,
}
const night = { from: '22:00', until: '07:00', zone: 'Europe/Berlin' }
const at = (time: string) => Date.parse(`2026-01-15T${time}:00Z`)
const noon = at('12:00')

type Rule = 'all' | 'mentions' | 'nothing'

test.each<[what: string, told: Partial<Told>, notify: Rule, isTold: boolean]>([
  ['a message in a group', {}, 'all', true],
  ['one’s own', { isOwn: true }, 'all', false],
  ['one of before this connection', { isReplayed: true }, 'all', false],
  ['one that was removed', { isRemoved: true }, 'all', false],
  ['one of somebody who is blocked', { isBlocked: true, isMention: true }, 'all', false],
  ['one that is being read', { isSeen: true, isMention: true }, 'all', false],
  ['one in a muted conversation', { isMuted: true }, 'all', false],
  ['a mention in a muted conversation', { isMuted: true, isMention: true, rule: 'all' }, 'all', false],
  ['a message, where mentions are wanted', {}, 'mentions', false],
  ['a mention, where mentions are wanted', { isMention: true }, 'mentions', true],
  ['a message to oneself alone, where mentions are wanted', { kind: 'direct' }, 'mentions', true],
  ['a mention, where nothing is wanted', { isMention: true, kind: 'direct' }, 'nothing', false],
  ['a message, where the conversation says all', { rule: 'all' }, 'nothing', true],
  ['a message, where the conversation says mentions', { rule: 'mentions' }, 'all', false],
  ['a mention, where the conversation says mentions', { rule: 'mentions', isMention: true }, 'nothing', true],
  ['a message to oneself alone, where that says nothing', { rule: 'nothing', kind: 'direct' }, 'all', false],
  ['a reply in a thread that is followed', { thread: 'followed' }, 'all', true],
  ['a reply in a thread that is followed, where mentions are wanted', { thread: 'followed' }, 'mentions', true],
  ['a reply in a thread that is followed, where nothing is wanted', { thread: 'followed' }, 'nothing', false],
  [
    'a reply in a thread that is followed, in a muted conversation',
    { thread: 'followed', isMuted: true },
    'all',
    false,
  ],
  ['a reply in another thread', { thread: 'other', isMention: true }, 'all', false],
])('%s', (_what, told, notify, isTold) => {
  expect(notifies({ ...message, ...told }, { notify, quietHours: null }, noon)).toBe(isTold)
})

test('nothing does in quiet hours, and all does again after them', () => {
  const settings = { notify: 'all', quietHours: night } as const
  expect(notifies({ ...message, isMention: true }, settings, at('23:00'))).toBe(false)
  expect(notifies(message, settings, noon)).toBe(true)
})

test.each([
  ['20:59', night, false],
  ['21:00', night, true],
  ['23:30', night, true],
  ['05:59', night, true],
  ['06:00', night, false],
  ['10:59', { ...night, from: '12:00', until: '14:00' }, false],
  ['11:00', { ...night, from: '12:00', until: '14:00' }, true],
  ['13:00', { ...night, from: '12:00', until: '14:00' }, false],
  ['23:00', { ...night, until: '22:00' }, false],
  ['23:00', { ...night, zone: 'Mars/Olympus' }, false],
  ['23:00', null, false],
] as const)('at %s UTC, with %j: %s', (time, hours, isIt) => {
  expect(isQuiet(hours, at(time))).toBe(isIt)
})
