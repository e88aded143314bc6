import { beforeEach, expect, test } from 'vitest'
import { createSuspicion } from './suspicion.ts'

let now = 0
let timers: { at: number; run: () => void }[] = []
let isSettled = true
let reports: [since: number, at: number][] = []

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
    report: since => reports.push([since, now]),
  })
}

beforeEach(() => {
  now = 10_000
  timers = []
  isSettled = true
  reports = []
})

test('what comes together is one report, with the earliest time', () => {
  const suspicion = start()
  for (const since of [9_000, 8_000, 9_500]) suspicion.raise(since)
  pass(99)
  expect(reports).toEqual([])
  pass(1)
  expect(reports).toEqual([[8_000, 10_100]])
  pass(10_000)
  expect(reports).toHaveLength(1)
})

test('between two reports lies a pause, and nothing is forgotten in it', () => {
  const suspicion = start()
  suspicion.raise(9_000)
  pass(100)
  suspicion.raise(9_900)
  pass(500)
  suspicion.raise(9_800)
  pass(500)
  expect(reports).toEqual([
    [9_000, 10_100],
    [9_800, 11_100],
  ])
})

test('nothing is reported until the node is settled, and then it is', () => {
  const suspicion = start()
  isSettled = false
  suspicion.raise(9_000)
  pass(5_000)
  suspicion.raise(9_500)
  pass(5_000)
  expect(reports).toEqual([])
  isSettled = true
  suspicion.settled()
  pass(100)
  expect(reports).toEqual([[9_000, 20_100]])
})

test('after the stop nothing comes', () => {
  const suspicion = start()
  suspicion.raise(9_000)
  suspicion.stop()
  suspicion.raise(8_000)
  pass(10_000)
  expect(reports).toEqual([])
})
