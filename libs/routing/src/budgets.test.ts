import { Refusal } from '@flotilla/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Budget, createBudgets, createCounter, type Holding, take } from './budgets.ts'
import type { Clock } from './clock.ts'
import type { Counters } from './counters.ts'
import { createMemoryCounters } from './counters-memory.ts'

const limit = { max: 2, windowMs: 1_000 }

test('the shared count decides, and the refusal says when to come back', async () => {
  const keys: string[] = []
  const hit = async (key: string) => {
    keys.push(key)
    return { count: 3, resetMs: 41.5 }
  }
  const counter = createCounter({ hit }, 'api', () => 0)
  await expect(take(counter, 'k', { ...limit, max: 3 })).resolves.toBeUndefined()
  const refusal = await take(counter, 'k', limit).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(Refusal)
  expect(refusal).toMatchObject({ code: 'rate_limited', detail: { retryMs: 42 } })
  expect(keys).toEqual(['api:k', 'api:k'])
})

test.each([
  ['is away', async () => undefined],
  ['fails', () => Promise.reject(new Error('gone'))],
])('while Redis %s the process counts by itself, each key in its own window', async (_name, hit) => {
  let now = 0
  const counter = createCounter({ hit }, 'api', () => now)
  await take(counter, 'a', limit)
  now = 400
  await take(counter, 'a', limit)
  await take(counter, 'b', limit)
  expect(await take(counter, 'a', limit).catch((error: unknown) => error)).toMatchObject({ detail: { retryMs: 600 } })
  now = 1_000
  await take(counter, 'a', limit)
})

test('the memory of its own counts has an end', async () => {
  const counter = createCounter({ hit: async () => undefined }, 'api', () => 0)
  await counter('first', 1_000)
  for (let at = 0; at < 50_000; at++) await counter(`k${at}`, 1_000)
  expect((await counter('first', 1_000)).count).toBe(1)
  expect((await counter('k49999', 1_000)).count).toBe(2)
})

/** A clock that a test moves: what is due runs, and what that waits for. */
function steppedClock() {
  let now = 0
  const timers = new Set<{ at: number; run: () => void }>()
  const clock: Clock = {
    now: () => now,
    steady: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  async function pass(ms: number) {
    const until = now + ms
    for (;;) {
      const due = [...timers].filter(timer => timer.at <= until).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      timers.delete(due)
      now = Math.max(now, due.at)
      due.run()
      for (let turn = 0; turn < 5; turn++) await Promise.resolve()
    }
    now = until
  }
  return { clock, pass }
}

type Shared = Pick<Counters, 'spend' | 'hold'>
const away: Shared = { spend: () => Promise.reject(new Error('away')), hold: () => Promise.reject(new Error('away')) }

function fleet(nodes: number, over: (shared: Shared) => Shared = shared => shared) {
  const { clock, pass } = steppedClock()
  const counters = over(createMemoryCounters(clock))
  const budgets = Array.from({ length: nodes }, (_, nth) => createBudgets({ node: `n${nth}`, counters, clock }))
  return { budgets, pass }
}

const commands: Budget = { name: 'commands', perSecond: 100, burst: 400 }

test('what is spent on one node is lacking on the others after it was settled, and comes back at the rate', async () => {
  const { budgets, pass } = fleet(2)
  const [here, there] = budgets as [(typeof budgets)[0], (typeof budgets)[0]]
  expect(here.spend(commands, 'ann', 400)).toBe(0)
  expect(here.spend(commands, 'ann', 1)).toBe(10)
  await pass(600)
  // Some 60 came back; what this one takes is settled, and then it knows.
  expect(there.spend(commands, 'ann', 50)).toBe(0)
  await pass(600)
  expect(there.spend(commands, 'ann', 100)).toBeGreaterThan(0)
  expect(there.spend(commands, 'bob', 400)).toBe(0)
  await pass(5_000)
  expect(here.spend(commands, 'ann', 400)).toBe(0)
})

test('over time N nodes let through the rate and no more than N bursts, whoever spreads it how', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.record({ node: fc.nat(7), count: fc.integer({ min: 1, max: 60 }), pause: fc.nat(40) }), {
        minLength: 50,
        maxLength: 400,
      }),
      async (nodes, steps) => {
        const { budgets, pass } = fleet(nodes)
        let [taken, passed] = [0, 0]
        for (const { node, count, pause } of [...steps, ...steps, ...steps]) {
          if (budgets[node % nodes]!.spend(commands, 'ann', count) === 0) taken += count
          await pass(pause)
          passed += pause
        }
        // What flows in on each node between two settlements, and what it need not settle.
        const slack = nodes * (400 + 0.5 * 100 + 400 / 64 + 60)
        expect(taken).toBeLessThanOrEqual(slack + (passed / 1_000) * 100 * (1 + nodes / 16))
      },
    ),
    { numRuns: 40 },
  )
})

test('a flood on eight nodes is let through at the rate of one', async () => {
  const { budgets, pass } = fleet(8)
  const flood = () => budgets.reduce((sum, one) => sum + (one.spend(commands, 'ann', 1) === 0 ? 1 : 0), 0)
  let burst = 0
  for (let at = 0; at < 1_000; at++, await pass(10)) burst += flood()
  expect(burst).toBeLessThanOrEqual(8 * 400 + 10 * 100)
  // The debt of the first seconds is paid by now.
  await pass(60_000)
  for (let at = 0; at < 3_000; at++, await pass(10)) flood()
  let lasting = 0
  for (let at = 0; at < 3_000; at++, await pass(10)) lasting += flood()
  expect(lasting).toBeLessThanOrEqual(30 * 100 * 1.5)
  expect(lasting).toBeGreaterThan(30 * 100 * 0.5)
})

test('what somebody takes now and then is not settled: it costs the store nothing', async () => {
  let settled = 0
  const { budgets, pass } = fleet(1, shared => ({
    ...shared,
    spend(spendings) {
      settled += spendings.length
      return shared.spend(spendings)
    },
  }))
  for (let at = 0; at < 10; at++, await pass(60_000)) expect(budgets[0]!.spend(commands, 'ann', 6)).toBe(0)
  expect(settled).toBe(0)
  // And a flood twice a second, however much it is.
  for (let at = 0; at < 10_000; at++, await pass(1)) budgets[0]!.spend(commands, 'bob', 1)
  expect(settled).toBeGreaterThan(10)
  expect(settled).toBeLessThanOrEqual(21)
})

test.each([
  ['is away', away],
  ['answers what is no number', { spend: async () => [Number.NaN], hold: async () => [Number.NaN] }],
])('while the store %s, a node has the whole rate and no more', async (_name, shared: Shared) => {
  const { budgets, pass } = fleet(1, () => shared)
  const one = budgets[0]!
  const room = one.holding('sockets', 32)
  room.set('ann', 32)
  let taken = 0
  for (let at = 0; at < 1_000; at++, await pass(10)) if (one.spend(commands, 'ann', 4) === 0) taken += 4
  expect(taken).toBeLessThanOrEqual(400 + 10 * 100)
  expect(taken).toBeGreaterThan(10 * 100)
  expect(room.elsewhere('ann')).toBe(0)
})

test('a debt that the store tells of is believed up to four bursts', async () => {
  const { budgets, pass } = fleet(1, () => ({ ...away, spend: async () => [-1e300] }))
  expect(budgets[0]!.spend(commands, 'ann', 100)).toBe(0)
  await pass(600)
  expect(budgets[0]!.spend(commands, 'ann', 1)).toBeLessThanOrEqual(16_000)
})

test('all is taken or nothing, and the longest wait is told with what is lacking', () => {
  const { budgets } = fleet(1)
  const slow: Budget = { name: 'slow', perSecond: 1, burst: 2 }
  const charge = (count: number) =>
    budgets[0]!.spendAll([
      { budget: commands, who: 'ann', count },
      { budget: slow, who: 'ann', count: 1 },
    ])
  expect([charge(100), charge(100)]).toEqual([undefined, undefined])
  expect(charge(100)).toEqual({ budget: slow, retryMs: 1_000 })
  expect(charge(100)).toEqual({ budget: slow, retryMs: 1_000 })
  // Nothing was taken of the other.
  expect(budgets[0]!.spend(commands, 'ann', 200)).toBe(0)
  expect(budgets[0]!.spend(commands, 'ann', 1)).toBe(10)
})

test('what costs more than there can be is given when all is there, and paid for after', () => {
  const { budgets } = fleet(1)
  expect(budgets[0]!.spend(commands, 'ann', 1_000)).toBe(0)
  expect(budgets[0]!.spend(commands, 'ann', 1)).toBe(6_010)
  expect(budgets[0]!.spend(commands, 'ann', 1_000)).toBe(10_000)
})

test('many hear how many are held elsewhere, until they are few, or the other node is gone', async () => {
  const { budgets, pass } = fleet(2)
  const [here, there] = budgets.map(one => one.holding('sockets', 32)) as [Holding, Holding]
  here.set('net', 20)
  there.set('net', 2)
  here.set('few', 1)
  there.set('few', 20)
  await pass(7_000)
  expect([here.elsewhere('net'), there.elsewhere('net')]).toEqual([2, 20])
  expect([here.elsewhere('few'), there.elsewhere('few')]).toEqual([0, 0])
  there.set('net', 11)
  await pass(7_000)
  expect(here.elsewhere('net')).toBe(11)
  there.set('net', 1)
  await pass(7_000)
  expect([here.elsewhere('net'), there.elsewhere('net')]).toEqual([0, 0])
  there.set('net', 4)
  await pass(7_000)
  expect(there.elsewhere('net')).toBe(20)
  budgets[0]!.stop()
  await pass(20_000)
  expect(there.elsewhere('net')).toBe(0)
})

test('the memory of a node has an end', () => {
  const { clock } = steppedClock()
  const one = createBudgets({ node: 'n', counters: away, clock, settings: { accountsMax: 10 } })
  expect(one.spend(commands, 'first', 400)).toBe(0)
  for (let at = 0; at < 10; at++) one.spend(commands, `p${at}`, 1)
  expect(one.spend(commands, 'first', 400)).toBe(0)
  expect(one.spend(commands, 'p9', 400)).toBeGreaterThan(0)
})
