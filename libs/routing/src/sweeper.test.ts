import { expect, test } from 'vitest'
import { systemClock } from './clock.ts'
import { createMemoryBus, type MemoryBus } from './memory.ts'
import { createSweeper } from './sweeper.ts'
import { quietLogger } from './routing.testbed.ts'

const info = { kind: 'gateway', url: '', region: '', connections: 0, accepting: true } as const

/** A dead place with more people than one chunk holds. */
async function startDead(bus: MemoryBus) {
  const place = `dead:${await bus.leases.acquire('dead', info, 0)}`
  const people = Array.from({ length: 1_200 }, (_, i) => `person-${i}`)
  await bus.whereabouts.enter('presence', people, place)
  await bus.whereabouts.enter('interest', ['large'], place)
  return { place, people }
}

function startSweeper(bus: MemoryBus, claimMs = 60_000) {
  const gone: string[] = []
  let now = 0
  let sweeps = 0
  const sweeper = createSweeper({
    ...bus,
    // Every look at the clock takes a while.
    clock: { ...systemClock, steady: () => now++ },
    logger: quietLogger,
    claimMs,
    onGone: user => gone.push(user),
    onSwept: () => sweeps++,
  })
  return { sweeper, gone, sweeps: () => sweeps }
}

const isSwept = async (bus: MemoryBus, place: string) => {
  const { nodes } = await bus.leases.beat('nobody:1', info, 60_000)
  return nodes.some(view => `${view.node}:${view.generation}` === place && view.swept)
}

test('of two that come at the same time one sweeps, and names everybody who went', async () => {
  const bus = createMemoryBus()
  const { place, people } = await startDead(bus)
  const [one, two] = [startSweeper(bus), startSweeper(bus)]
  await Promise.all([one.sweeper.sweep(place), two.sweeper.sweep(place)])
  expect([one.sweeps(), two.sweeps()]).toEqual([1, 0])
  expect(one.gone.toSorted()).toEqual(people.toSorted())
  expect(two.gone).toEqual([])
  expect(await isSwept(bus, place)).toBe(true)
  expect(await bus.whereabouts.find('interest', ['large'])).toEqual([[]])
})

test('one whose claim ran out leaves the rest to the next, and nobody is named twice', async () => {
  const memory = createMemoryBus()
  const bus = { ...memory, counters: { ...memory.counters, hit: async () => ({ count: 1, resetMs: 0 }) } }
  const { place, people } = await startDead(bus)
  const [one, two] = [startSweeper(bus, 2), startSweeper(bus)]
  await one.sweeper.sweep(place)
  expect(one.gone.length).toBeGreaterThan(0)
  expect(one.gone.length).toBeLessThan(people.length)
  expect(await isSwept(bus, place)).toBe(false)
  await two.sweeper.sweep(place)
  expect([...one.gone, ...two.gone].sort()).toEqual(people.toSorted())
  expect(await isSwept(bus, place)).toBe(true)
})

test('one that fails is no end of it', async () => {
  const memory = createMemoryBus()
  const { place } = await startDead(memory)
  const { sweeper, sweeps } = startSweeper({
    ...memory,
    whereabouts: { ...memory.whereabouts, leave: () => Promise.reject(new Error('unable to leave: away')) },
  })
  await sweeper.sweep(place)
  expect(sweeps()).toBe(0)
  expect(await isSwept(memory, place)).toBe(false)
})
