import { expect, test } from 'vitest'
import { createRefresher, type Refreshed, refreshPauseMs, refreshTickMs } from './refresh.ts'

class Reader implements Refreshed {
  open = true
  greeted = true
  congested = false
  heard = 0
  readonly user: string

  constructor(user: string) {
    this.user = user
  }

  push(frame: string): void {
    expect(JSON.parse(frame)).toEqual({ event: 'refresh' })
    this.heard++
  }
}

function open(readers: readonly Reader[], perSecond = 1_000) {
  let now = 1_000
  const refresher = createRefresher<Reader>({
    perSecond,
    steady: () => now,
    hub: { inOrder: () => readers, of: user => readers.filter(reader => reader.user === user) },
  })
  const pass = (ms: number) => {
    for (const end = now + ms; now < end; ) {
      now += refreshTickMs
      refresher.tick()
    }
  }
  return { refresher, pass, heard: () => readers.map(reader => reader.heard) }
}

test('a client whose signals were dropped is told once for all of them, when it reads again', () => {
  const [slow, other] = [new Reader('ann'), new Reader('bob')]
  const { refresher, pass, heard } = open([slow, other])
  slow.congested = true
  for (let nth = 0; nth < 3; nth++) refresher.owe(slow)
  pass(60_000)
  expect(heard()).toEqual([0, 0])
  expect(refresher.stats.owed).toBe(1)
  slow.congested = false
  pass(60_000)
  expect(heard()).toEqual([1, 0])
  expect(refresher.stats).toMatchObject({ told: 1, owed: 0 })
})

test('between two times that a client is told lies a pause, and nothing is forgotten in it', () => {
  const ann = new Reader('ann')
  const { refresher, pass, heard } = open([ann])
  for (let ms = 0; ms < refreshPauseMs; ms += refreshTickMs) {
    refresher.owe(ann)
    pass(refreshTickMs)
  }
  expect(heard()).toEqual([1])
  pass(refreshPauseMs)
  expect(heard()).toEqual([2])
  pass(10 * refreshPauseMs)
  expect(heard()).toEqual([2])
})

test('whose signals may be lost is told, and nobody else where that is known', () => {
  const readers = ['ann', 'ann', 'bob', 'eve'].map(user => new Reader(user))
  const { refresher, pass, heard } = open(readers)
  refresher.suspect(new Set())
  refresher.suspect(new Set(['ann', 'eve', 'nobody here']))
  pass(1_000)
  expect(heard()).toEqual([1, 1, 0, 1])
  pass(refreshPauseMs)
  refresher.suspect('anybody')
  pass(1_000)
  expect(heard()).toEqual([2, 2, 1, 2])
})

test('so many are told a second, none at once, and nobody who has gone or is only coming', () => {
  const readers = Array.from({ length: 100 }, (_, nth) => new Reader(`user-${nth}`))
  const { refresher, pass, heard } = open(readers, 20)
  const told = () => heard().reduce((sum, one) => sum + one, 0)
  readers[98]!.greeted = false
  refresher.suspect('anybody')
  readers[99]!.open = false
  pass(1_000)
  expect(told()).toBeGreaterThanOrEqual(19)
  expect(told()).toBeLessThanOrEqual(22)
  pass(10_000)
  expect(heard()).toEqual([...Array.from({ length: 98 }, () => 1), 0, 0])
})
