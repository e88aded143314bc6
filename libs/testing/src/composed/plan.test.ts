import { expect, test } from 'vitest'
import { planFaults } from './plan.ts'

test('a seed plans the same faults each time, and another seed others', () => {
  expect(planFaults(7, 60)).toEqual(planFaults(7, 60))
  expect(planFaults(7, 60)).not.toEqual(planFaults(8, 60))
})

test('every fault ends with the run', () => {
  for (let seed = 0; seed < 50; seed++)
    for (const { atMs, forMs } of planFaults(seed, 20)) expect(atMs + forMs).toBeLessThanOrEqual(20_000)
})

test('a few seeds meet with every kind of fault', () => {
  const kinds = new Set(
    Array.from({ length: 20 }, (_, seed) => planFaults(seed, 60)).flatMap(plan => plan.map(one => one.kind)),
  )
  expect(kinds.size).toBe(20)
})

test('the worker meets with faults in every run, one after the other', () => {
  const kinds = new Set<string>()
  for (let seed = 0; seed < 50; seed++) {
    let freeMs = 0
    const ofWorker = planFaults(seed, 12).filter(fault => 'process' in fault && fault.process === 'worker')
    expect(ofWorker.length).toBeGreaterThan(0)
    for (const { kind, atMs, forMs } of ofWorker) {
      expect(atMs).toBeGreaterThanOrEqual(freeMs)
      freeMs = atMs + forMs
      kinds.add(kind)
    }
  }
  expect(kinds.size).toBe(7)
})
