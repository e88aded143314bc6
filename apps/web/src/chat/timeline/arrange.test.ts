import type { MessageRow, NoticeRow, Row } from '@flotilla/sdk/state'
import { expect, test } from 'vitest'
import { Arrangement, groupGapMs } from './arrange.ts'
import { stepTo } from './steps.ts'

const noon = new Date(2026, 4, 3, 12).getTime()
const dayMs = 86_400_000

function message(key: string, by: string, at: number, more: Partial<MessageRow> = {}): MessageRow {
  const seq = Number(key.replaceAll(/\D/g, ''))
  const base = {
    kind: 'message',
    own: by === 'me',
    state: 'sent',
    changing: false,
    pinned: false,
    reactions: [],
  } as const
  return { ...base, key, by, at, seq, body: { text: key }, ...more }
}

const notice = (key: string, at: number): NoticeRow =>
  ({ kind: 'notice', key, seq: Number(key.slice(1)), by: 'ann', at, entry: {} as NoticeRow['entry'] }) as const

/** `D` begins a day, `U` the unread ones, `[` and `]` are the ends of a group. */
const draw = (rows: readonly Row[], readSeq?: number, hasOlder = false) =>
  new Arrangement()
    .place(rows, readSeq, hasOlder)
    .map(
      ({ key, startsDay, startsUnread, first, last }) =>
        `${startsDay ? 'D' : ''}${startsUnread ? 'U' : ''}${first ? '[' : ''}${key}${last ? ']' : ''}`,
    )
    .join(' ')

test('messages of one person stand together until another, a notice, a pause or a day comes between', () => {
  const rows = [
    message('m1', 'ann', noon),
    message('m2', 'ann', noon + 1_000),
    message('m3', 'bob', noon + 2_000),
    notice('n4', noon + 3_000),
    message('m5', 'bob', noon + 4_000),
    message('m6', 'bob', noon + 4_000 + groupGapMs),
    message('m7', 'bob', noon + dayMs),
  ]
  expect(draw(rows)).toBe('D[m1 m2] [m3] [n4] [m5] [m6] D[m7]')
})

test('midnight divides a group, however close its messages are', () => {
  const midnight = new Date(2026, 4, 4).getTime()
  expect(draw([message('m1', 'ann', midnight - 1), message('m2', 'ann', midnight)])).toBe('D[m1] D[m2]')
})

test('the unread line stands before the first unread message of somebody else, and divides a group', () => {
  const rows = [
    message('m1', 'ann', noon),
    message('m2', 'me', noon + 1),
    message('m3', 'ann', noon + 2),
    message('m4', 'ann', noon + 3),
  ]
  expect(draw(rows, 1)).toBe('D[m1] [m2] U[m3 m4]')
  expect(draw(rows, 3)).toBe('D[m1] [m2] [m3] U[m4]')
  expect(draw(rows, 4)).not.toContain('U')
  expect(draw(rows, 0)).toBe('DU[m1] [m2] [m3 m4]')
})

test('where there are rows before the first one, it is not known to be the first unread one', () => {
  const rows = [message('m5', 'ann', noon), message('m6', 'ann', noon)]
  expect(draw(rows, 2, true)).not.toContain('U')
  expect(draw(rows, 2, false)).toContain('U')
})

test('a row is not drawn before it is known what stands above it, so that no older page changes one that is', () => {
  const arrangement = new Arrangement()
  const rows = [message('m5', 'ann', noon), message('m6', 'ann', noon + 1), message('m7', 'bob', noon + 2)]
  expect(draw(rows, undefined, true)).toBe('m6] [m7]')
  const before = arrangement.place(rows, undefined, true)
  const after = arrangement.place([message('m4', 'ann', noon - 1), ...rows], undefined, false)
  expect(after.slice(-2).map((row, nth) => row === before[nth])).toEqual([true, true])
  expect(draw(rows.slice(0, 1), undefined, true)).toBe('D[m5]')
})

test('what is the same as before is the same object', () => {
  const arrangement = new Arrangement()
  const rows = [message('m1', 'ann', noon), message('m2', 'ann', noon + 1)]
  const before = arrangement.place(rows, undefined, false)
  const after = arrangement.place([...rows, message('m3', 'bob', noon + 2)], undefined, false)
  expect(after.slice(0, 2).map((row, nth) => row === before[nth])).toEqual([true, true])
  const longer = arrangement.place([...rows, message('m3', 'ann', noon + 2)], undefined, false)
  // The second is not the last of its group any more.
  expect(longer.slice(0, 2).map((row, nth) => row === before[nth])).toEqual([true, false])
})

const placed = (...keys: string[]) =>
  new Arrangement().place(
    keys.map(key => message(key, 'ann', noon)),
    undefined,
    false,
  )
const keysOf = (rows: readonly { readonly key: string }[]) => rows.map(({ key }) => key).join(' ')

function steps(from: readonly string[], to: readonly string[]): string[] {
  const next = placed(...to)
  const taken: string[] = []
  let shown = placed(...from)
  while (shown !== next) {
    const step = stepTo(shown, next)
    taken.push(`${step.shift ? 'shift' : 'stay'}: ${keysOf(step.shown)}`)
    shown = step.shown as typeof shown
    expect(taken.length).toBeLessThan(4)
  }
  return taken
}

test('a list changes one end at a time, the end first', () => {
  expect(steps(['m3', 'm4'], ['m1', 'm2', 'm3', 'm4'])).toEqual(['shift: m1 m2 m3 m4'])
  expect(steps(['m1', 'm2'], ['m1', 'm2', 'm3'])).toEqual(['stay: m1 m2 m3'])
  // An older page came, and the newest rows went.
  expect(steps(['m3', 'm4', 'm5'], ['m1', 'm2', 'm3', 'm4'])).toEqual(['stay: m3 m4', 'shift: m1 m2 m3 m4'])
  expect(steps(['m1', 'm2', 'm3'], ['m2', 'm3', 'm4'])).toEqual(['stay: m1 m2 m3 m4', 'shift: m2 m3 m4'])
  expect(steps(['m1', 'm2'], ['m8', 'm9'])).toEqual(['stay: m8 m9'])
  expect(steps([], ['m1'])).toEqual(['stay: m1'])
})

test('that two people can talk is no row, nor a day', () => {
  const created = {
    ...notice('n1', noon),
    entry: { event: 'conversation.created', kind: 'direct' } as NoticeRow['entry'],
  }
  expect(draw([created])).toBe('')
  expect(draw([created, message('m2', 'ann', noon + dayMs)])).toBe('D[m2]')
})
