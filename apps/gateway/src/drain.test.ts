import type { Logger } from '@flotilla/service'
import { expect, test } from 'vitest'
import { createPace, warnIfTooFast } from './drain.ts'

const tickMs = 50

/** Moves them and answers when each left. `stallAt`: the loop stands still for two seconds then. */
function move(count: number, drainMs: number, stallAt = Number.POSITIVE_INFINITY): number[] {
  const pace = createPace(0, drainMs, tickMs)
  const times: number[] = []
  for (let now = 0; times.length < count; now += now === stallAt ? 2_000 : tickMs)
    for (let due = pace(count - times.length, now); due > 0; due--) times.push(now)
  return times
}

test.each([1, 2, 3, 10, 399, 18_000])('%i connections leave evenly over the time', count => {
  const times = move(count, 20_000)
  for (const [nth, at] of times.entries()) {
    const fair = ((nth + 0.5) / count) * 20_000
    expect(Math.abs(at - fair)).toBeLessThanOrEqual(tickMs * 1.5)
  }
})

test('two leave at a quarter and at three quarters; no tick has more than its share of many', () => {
  expect(move(2, 20_000)).toEqual([5_000, 15_000])
  const times = move(18_000, 20_000)
  const perTick = new Map<number, number>()
  for (const at of times) perTick.set(at, (perTick.get(at) ?? 0) + 1)
  expect(Math.max(...perTick.values())).toBeLessThanOrEqual(46)
})

test('after a stall the rest is spread over what is left of the time', () => {
  const times = move(18_000, 20_000, 10_000)
  expect(times.filter(at => at === 12_000).length).toBeLessThan(250)
  expect(times.at(-1)).toBeLessThanOrEqual(20_000)
  const second = (from: number) => times.filter(at => at >= from && at < from + 1_000).length
  expect(second(14_000)).toBeGreaterThan(900)
  expect(second(14_000)).toBeLessThan(1_250)
})

test('without a time all leave at once', () => {
  expect(move(100, 0)).toEqual(Array.from({ length: 100 }, () => 0))
})

test('it says so when more is moved than the others take, those that drain at the same time counted in', () => {
  const warned: object[] = []
  const logger = { warn: (what: object) => void warned.push(what) } as unknown as Logger
  const node = (id: string, connections: number, accepting: boolean, draining = false) => ({
    node: id,
    generation: 1,
    state: 'live' as const,
    beatAt: 0,
    beatAgeMs: 0,
    swept: false,
    info: {
      kind: 'gateway' as const,
      url: '',
      region: 'eu',
      connections,
      accepting,
      ...(draining ? { draining } : {}),
    },
  })
  const own = { id: 'a', region: 'eu', connections: 18_000 }
  const warn = (nodes: ReturnType<typeof node>[]) =>
    warnIfTooFast({ own, nodes, drainMs: 20_000, connectsPerSecond: 500, logger })
  warn([node('a', 18_000, false, true), node('b', 0, true), node('c', 0, true)])
  warn([node('a', 18_000, false, true)])
  expect(warned).toEqual([])
  warn([node('b', 0, true)])
  warn([node('b', 6_000, false, true), node('c', 0, true), node('d', 0, true)])
  expect(warned).toEqual([
    { movedPerSecond: 900, takenPerSecond: 500, drainMs: 20_000, draining: 1 },
    { movedPerSecond: 1_200, takenPerSecond: 1_000, drainMs: 20_000, draining: 2 },
  ])
})
