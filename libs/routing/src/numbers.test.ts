import { describe, expect, test } from 'vitest'
import { createNumbers, type Numbers } from './numbers.ts'

/** Of an envelope without signals. */
const next = (numbers: Numbers, to: string) => numbers.next(to, false).n

describe('what was sent', () => {
  test('is counted for each place, and repeated for so many beats', () => {
    const numbers = createNumbers(2, 0)
    expect([next(numbers, 'b:1'), next(numbers, 'b:1'), next(numbers, 'c:1')]).toEqual([1, 2, 1])
    const due = [
      { to: 'b:1', n: 2, signals: 0 },
      { to: 'c:1', n: 1, signals: 0 },
    ]
    expect(numbers.tallies()).toEqual(due)
    expect(numbers.tallies()).toEqual(due)
    expect(numbers.tallies()).toEqual([])
    next(numbers, 'c:1')
    expect(numbers.tallies()).toEqual([{ to: 'c:1', n: 2, signals: 0 }])
  })

  test('goes on for a place that seemed to be over, which gets no tallies, and begins anew with a place of its own', () => {
    const numbers = createNumbers(1, 0)
    next(numbers, 'b:1')
    numbers.quiet('b:1')
    expect(numbers.tallies()).toEqual([])
    expect(next(numbers, 'b:1')).toBe(2)
    numbers.reset(5)
    expect(next(numbers, 'b:1')).toBe(1)
  })

  test('is kept of so many places, those in use last', () => {
    const numbers = createNumbers(1, 0)
    for (const place of ['kept:1', 'over:1']) next(numbers, place)
    for (let n = 0; n < 10_000; n++) {
      next(numbers, `other-${n}:1`)
      if (n === 5_000) next(numbers, 'kept:1')
    }
    expect(next(numbers, 'kept:1')).toBe(3)
    expect(next(numbers, 'over:1')).toBe(1)
  })
})

const hear = (numbers: Numbers, from: string, n: number, isTally: boolean, now: number) =>
  numbers.heard(from, { n, isTally, hasSignals: false, signals: 0 }, now)

/** Since when something is missing, as the last one says. */
const missing = (...heard: Parameters<typeof hear>) => hear(...heard).missingSince

describe('what was heard', () => {
  test('in order is whole', () => {
    const numbers = createNumbers(1, 0)
    for (const n of [1, 2, 3]) expect(missing(numbers, 'a:1', n, false, n * 10)).toBeUndefined()
    expect(missing(numbers, 'a:1', 3, true, 40)).toBeUndefined()
    expect(missing(numbers, 'a:1', 4, false, 50)).toBeUndefined()
  })

  test('with a gap is missing something since the one before', () => {
    const numbers = createNumbers(1, 0)
    hear(numbers, 'a:1', 1, false, 10)
    expect(missing(numbers, 'a:1', 3, false, 30)).toBe(10)
    expect(missing(numbers, 'a:1', 4, false, 40)).toBeUndefined()
  })

  test('with a tally above the last is missing its tail, once', () => {
    const numbers = createNumbers(1, 0)
    hear(numbers, 'a:1', 1, false, 10)
    expect(missing(numbers, 'a:1', 2, true, 30)).toBe(10)
    expect(missing(numbers, 'a:1', 2, true, 60)).toBeUndefined()
  })

  test('first with a number above 1 is missing something since the beginning', () => {
    const numbers = createNumbers(1, 7)
    expect(missing(numbers, 'a:1', 2, false, 30)).toBe(7)
    expect(missing(numbers, 'b:1', 1, true, 30)).toBe(7)
    numbers.reset(50)
    expect(missing(numbers, 'a:1', 2, false, 60)).toBe(50)
  })

  test('twice, or late, is no gap', () => {
    const numbers = createNumbers(1, 0)
    for (const n of [1, 2, 2, 1, 3]) expect(missing(numbers, 'a:1', n, false, n)).toBeUndefined()
  })

  test('is repeated when its number came already; a tally says nothing of its own', () => {
    const numbers = createNumbers(1, 0)
    const repeated = ([n, isTally]: readonly [number, boolean]) => hear(numbers, 'a:1', n, isTally, n).isRepeated
    const heard = [
      [1, false],
      [1, false],
      [2, false],
      [1, false],
      [3, true],
      [3, true],
      [4, false],
    ] as const
    expect(heard.map(repeated)).toEqual([false, true, false, true, false, false, false])
  })

  test('knows whether signals are among what is missing, unless the sender is of an older version', () => {
    const numbers = createNumbers(1, 0)
    let now = 0
    const lost = (n: number, hasSignals: boolean, signals: number | undefined, isTally = false) => {
      const found = numbers.heard('a:1', { n, isTally, hasSignals, signals }, ++now)
      return found.missingSince === undefined ? 'nothing' : found.areSignalsMissing ? 'signals' : 'others'
    }
    expect(lost(1, true, 1)).toBe('nothing')
    expect(lost(3, false, 1)).toBe('others')
    expect(lost(5, true, 2)).toBe('others')
    expect(lost(7, true, 4)).toBe('signals')
    expect(lost(8, false, 4, true)).toBe('others')
    expect(lost(9, false, 5, true)).toBe('signals')
    expect(lost(11, false, undefined)).toBe('signals')
    const sender = createNumbers(1, 0)
    expect([true, false, true].map(hasSignals => sender.next('b:1', hasSignals))).toEqual([
      { n: 1, signals: 1 },
      { n: 2, signals: 1 },
      { n: 3, signals: 2 },
    ])
    expect(sender.tallies()).toEqual([{ to: 'b:1', n: 3, signals: 2 }])
  })
})
