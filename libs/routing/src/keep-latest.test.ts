import { expect, test } from 'vitest'
import { keepLatest } from './keep-latest.ts'

test('what was set longest ago goes, a sixteenth at once, and never more', () => {
  const map = new Map<number, string>()
  for (let key = 0; key < 1_000; key++) {
    map.set(key, '')
    keepLatest(map, 160)
    expect(map.size).toBeLessThanOrEqual(160)
    expect(map.size).toBeGreaterThanOrEqual(Math.min(key + 1, 150))
    expect([...map.keys()].at(-1)).toBe(key)
  }
  const kept = [...map.keys()]
  expect(kept).toEqual(kept.map((_, at) => kept[0]! + at))
})

test('a small one lets go of one at a time, and one that is far above its bound comes down to it', () => {
  const small = new Map([
    [1, ''],
    [2, ''],
    [3, ''],
  ])
  keepLatest(small, 2)
  expect([...small.keys()]).toEqual([2, 3])
  const large = new Map(Array.from({ length: 100 }, (_, key) => [key, '']))
  keepLatest(large, 10)
  expect([...large.keys()]).toEqual(Array.from({ length: 10 }, (_, at) => 90 + at))
})
