import { createLogger, silentLogger } from '@flotilla/service'
import { until } from '@flotilla/testing'
import { expect, test } from 'vitest'
import { startLoop, type Turn } from './loop.ts'

const options = { name: 'test', logger: silentLogger, random: () => 0.5, busyMs: 30, idleMs: 120 }

/** The pauses between turns that found this, in milliseconds. */
async function pausesOf(found: readonly Turn[]): Promise<number[]> {
  const at: number[] = []
  const loop = startLoop({
    ...options,
    turn: () => {
      at.push(performance.now())
      return Promise.resolve(found[at.length - 1] ?? 'none')
    },
  })
  await until(() => at.length > found.length, { what: 'all turns were taken' })
  await loop.stop()
  return found.map((_, n) => at[n + 1]! - at[n]!)
}

test('it comes again at once while there is more, soon after there was some, and ever less often after nothing', async () => {
  const more = Array.from({ length: 10 }, () => 'more' as const)
  const pauses = await pausesOf([...more, 'some', 'none', 'none', 'none'])
  const [some, first, second, third] = pauses.slice(more.length)
  // A busy machine is late now and then, but not each time.
  expect(Math.min(...pauses.slice(0, more.length))).toBeLessThan(59)
  expect(some).toBeGreaterThanOrEqual(29)
  expect(first!).toBeGreaterThanOrEqual(59)
  expect(second!).toBeGreaterThanOrEqual(119)
  expect(third!).toBeGreaterThanOrEqual(119)
})

test('a turn that fails is said once and not the end', async () => {
  const lines: string[] = []
  const logger = createLogger('x', 'warn', { write: line => void lines.push(line) })
  let turns = 0
  const loop = startLoop({
    ...options,
    idleMs: 1,
    logger,
    turn: () => (++turns < 4 ? Promise.reject(new Error('the store is away')) : Promise.resolve('none')),
  })
  await until(() => turns > 5, { what: 'it goes on' })
  await loop.stop()
  expect(lines).toHaveLength(1)
})

test('the end waits for the turn that is under way, and no other begins', async () => {
  const { promise, resolve } = Promise.withResolvers<Turn>()
  let turns = 0
  const loop = startLoop({ ...options, turn: () => (turns++ === 0 ? promise : Promise.resolve('more')) })
  let stopped = false
  const stopping = loop.stop().then(() => (stopped = true))
  await new Promise(resolve => setTimeout(resolve, 20))
  expect(stopped).toBe(false)
  resolve('more')
  await stopping
  expect(turns).toBe(1)
})
