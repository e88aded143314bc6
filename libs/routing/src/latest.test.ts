import { expect, test } from 'vitest'
import { forgetOldest, setLatest } from './latest.ts'

test('what was set longest ago goes, a sixteenth at once, and never more', () => {
  const map = new Map<number, string>()
  for (let key = 0; key < 1_000; key++) {
    setLatest(map, key, '', 160)
    expect(map.size).toBeLessThanOrEqual(160)
    expect(map.size).toBeGreaterThanOrEqual(Math.min(key + 1, 150))
    expect([...map.keys()].at(-1)).toBe(key)
  }
  const kept = [...map.keys()]
  expect(kept).toEqual(kept.map((_, at) => kept[0]! + at))
})

test('what is set again is the latest, and a small map lets go of one at a time', () => {
  const map = new Map<string, number>()
  for (const [at, key] of ['a', 'b', 'a', 'c'].entries()) setLatest(map, key, at, 2)
  expect([...map]).toEqual([
    ['a', 2],
    ['c', 3],
  ])
})

test('an empty map has nothing to forget, and it says how many went', () => {
  expect(forgetOldest(new Map())).toBe(0)
  expect(forgetOldest(new Map(Array.from({ length: 64 }, (_, key) => [key, ''])))).toBe(4)
})
