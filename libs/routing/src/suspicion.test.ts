import { beforeEach, expect, test } from 'vitest'
import { type Missed, missedNamesMax, nobody } from './missed.ts'
import { createSuspicion } from './suspicion.ts'

let now = 0
let timers: { at: number; run: () => void }[] = []
let isSettled = true
let reports: [since: number, at: number][] = []
let missed: Missed[] = []

function pass(ms: number) {
  const end = now + ms
  for (;;) {
    const next = timers.toSorted((a, b) => a.at - b.at)[0]
    if (next === undefined || next.at > end) break
    timers = timers.filter(timer => timer !== next)
    now = next.at
    next.run()
  }
  now = end
}

function start() {
  return createSuspicion({
    clock: {
      now: () => now,
      steady: () => now,
      after(ms, run) {
        const timer = { at: now + ms, run }
        timers.push(timer)
        return () => {
          timers = timers.filter(other => other !== timer)
        }
      },
    },
    gatherMs: 100,
    pauseMs: 1_000,
    jitterMs: 0,
    random: Math.random,
    isSettled: () => isSettled,
    report(since, of) {
      reports.push([since, now])
      missed.push(of)
    },
  })
}

beforeEach(() => {
  now = 10_000
  timers = []
  isSettled = true
  reports = []
  missed = []
})

test('what comes together is one report, with the earliest time', () => {
  const suspicion = start()
  for (const since of [9_000, 8_000, 9_500]) suspicion.raise(since, nobody)
  pass(99)
  expect(reports).toEqual([])
  pass(1)
  expect(reports).toEqual([[8_000, 10_100]])
  pass(10_000)
  expect(reports).toHaveLength(1)
})

test('between two reports lies a pause, and nothing is forgotten in it', () => {
  const suspicion = start()
  suspicion.raise(9_000, nobody)
  pass(100)
  suspicion.raise(9_900, nobody)
  pass(500)
  suspicion.raise(9_800, nobody)
  pass(500)
  expect(reports).toEqual([
    [9_000, 10_100],
    [9_800, 11_100],
  ])
})

test('nothing is reported until the node is settled, and then it is', () => {
  const suspicion = start()
  isSettled = false
  suspicion.raise(9_000, nobody)
  pass(5_000)
  suspicion.raise(9_500, nobody)
  pass(5_000)
  expect(reports).toEqual([])
  isSettled = true
  suspicion.settled()
  pass(100)
  expect(reports).toEqual([[9_000, 20_100]])
})

test('after the stop nothing comes', () => {
  const suspicion = start()
  suspicion.raise(9_000, nobody)
  suspicion.stop()
  suspicion.raise(8_000, nobody)
  pass(10_000)
  expect(reports).toEqual([])
})

test('whose signals may be lost is gathered, until it may be anybody', () => {
  const suspicion = start()
  const raise = (...of: Missed[]) => {
    for (const one of of) suspicion.raise(now, one)
    pass(2_000)
    return missed.at(-1)
  }
  const many = new Set(Array.from({ length: missedNamesMax }, (_, nth) => `user-${nth}`))
  expect(raise(nobody)).toBe(nobody)
  expect(raise(new Set(['ann']), nobody, new Set(['bob', 'ann']))).toEqual(new Set(['ann', 'bob']))
  expect(raise(nobody)).toBe(nobody)
  expect(raise(new Set(['ann']), 'anybody', nobody)).toBe('anybody')
  expect(raise(many)).toBe(many)
  expect(raise(many, new Set(['ann']))).toBe('anybody')
})
