import { expect, test } from 'vitest'
import { quietUntil } from './quiet-hours.ts'

const at = (text: string) => Date.parse(text)
const night = { from: 22 * 60, until: 7 * 60, zone: 'Europe/Berlin' }

test.each([
  ['in the evening', '2026-01-15T21:30:00Z', '2026-01-16T06:00:00Z'],
  ['after midnight', '2026-01-16T03:10:30Z', '2026-01-16T06:00:00Z'],
  ['in the minute of the beginning', '2026-01-15T21:00:00Z', '2026-01-16T06:00:00Z'],
  ['in the night in which clocks go forward', '2026-03-28T21:30:00Z', '2026-03-29T05:00:00Z'],
  ['in the night in which clocks go back', '2026-10-24T20:30:00Z', '2026-10-25T06:00:00Z'],
])('over midnight: %s', (_when, now, end) => {
  expect(new Date(quietUntil(night, at(now))!)).toEqual(new Date(end))
})

test.each([
  ['just before', '2026-01-15T20:59:59Z'],
  ['at the end', '2026-01-16T06:00:00Z'],
  ['at noon', '2026-01-15T11:00:00Z'],
])('no quiet %s', (_when, now) => {
  expect(quietUntil(night, at(now))).toBeUndefined()
})

test('within a day, in a zone with half hours', () => {
  const nap = { from: 13 * 60, until: 14 * 60 + 30, zone: 'Asia/Kolkata' }
  expect(new Date(quietUntil(nap, at('2026-05-01T08:00:00Z'))!)).toEqual(new Date('2026-05-01T09:00:00Z'))
  expect(quietUntil(nap, at('2026-05-01T09:00:00Z'))).toBeUndefined()
})

test.each([
  ['over the end, they end there', 'Europe/Berlin', [22, 0], [2, 30], '2026-03-29T00:30:00Z', '2026-03-29T01:00:00Z'],
  ['at the end, they end there', 'Europe/Berlin', [22, 0], [2, 0], '2026-03-29T00:30:00Z', '2026-03-29T01:00:00Z'],
  ['over all of them, there are none', 'Europe/Berlin', [2, 15], [2, 45], '2026-03-29T01:00:00Z', undefined],
  ['at midnight', 'America/Sao_Paulo', [23, 30], [0, 30], '2018-11-04T02:45:00Z', '2018-11-04T03:00:00Z'],
  ['by half an hour', 'Australia/Lord_Howe', [1, 0], [2, 15], '2026-10-03T15:00:00Z', '2026-10-03T15:30:00Z'],
] as const)('a clock that is put forward %s', (_when, zone, [fromHour, from], [untilHour, until], now, end) => {
  const quiet = { from: fromHour * 60 + from, until: untilHour * 60 + until, zone }
  const found = quietUntil(quiet, at(now))
  expect(found === undefined ? undefined : new Date(found)).toEqual(end === undefined ? undefined : new Date(end))
})

test.each([
  [
    'back over the end: they last until it comes again',
    'Europe/Berlin',
    [22, 0],
    [3, 0],
    '2026-10-25T00:30:00Z',
    '2026-10-25T02:00:00Z',
  ],
  [
    'back to before the end: they end, and begin again',
    'Europe/Berlin',
    [22, 0],
    [2, 30],
    '2026-10-25T00:10:00Z',
    '2026-10-25T00:30:00Z',
  ],
  ['the second time', 'Europe/Berlin', [22, 0], [2, 30], '2026-10-25T01:10:00Z', '2026-10-25T01:30:00Z'],
  ['by half an hour', 'Australia/Lord_Howe', [1, 0], [2, 0], '2026-04-04T14:45:00Z', '2026-04-04T15:30:00Z'],
] as const)('a clock that is put back: %s', (_when, zone, [fromHour, from], [untilHour, until], now, end) => {
  const quiet = { from: fromHour * 60 + from, until: untilHour * 60 + until, zone }
  expect(new Date(quietUntil(quiet, at(now))!)).toEqual(new Date(end))
})

test('they hold until the first minute that the wall does not show as quiet, wherever clocks are moved', () => {
  const zones = ['Europe/Berlin', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'America/St_Johns', 'Asia/Beirut', 'UTC']
  const moves = [
    '2026-03-29T01:00Z',
    '2018-11-04T03:00Z',
    '2026-10-03T15:30Z',
    '2026-11-01T04:30Z',
    '2026-03-28T22:00Z',
    '2026-01-01',
  ]
  for (const [n, zone] of zones.entries()) {
    const wall = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      hour: 'numeric',
      minute: 'numeric',
    })
    const minutesAt = (moment: number) => {
      const [hour, minute] = wall.format(moment).split(':').map(Number)
      return hour! * 60 + minute!
    }
    for (const [from, until] of [
      [1_320, 150],
      [30, 180],
      [1_410, 45],
      [120, 135],
    ] as const) {
      const isQuiet = (moment: number) => {
        const minutes = minutesAt(moment)
        return from < until ? minutes >= from && minutes < until : minutes >= from || minutes < until
      }
      const first = at(moves[n]!) - 3 * 3_600_000
      // From behind, so that the end is known where each search begins.
      let end = first + 30 * 3_600_000
      for (let now = end; now >= first; now -= 60_000) {
        if (!isQuiet(now)) end = now
        if (now > first + 5 * 3_600_000 || now % (7 * 60_000) !== 0) continue
        expect(quietUntil({ from, until, zone }, now)).toBe(isQuiet(now) ? end : undefined)
      }
    }
  }
})

test('without hours, with empty ones and in an unknown zone nothing is held back', () => {
  expect(quietUntil(undefined, 0)).toBeUndefined()
  expect(quietUntil({ from: 60, until: 60, zone: 'UTC' }, 3_600_000)).toBeUndefined()
  expect(quietUntil({ from: 0, until: 1_439, zone: 'Middle/Earth' }, 3_600_000)).toBeUndefined()
})
