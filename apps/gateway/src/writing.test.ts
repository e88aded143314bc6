import { expect, test } from 'vitest'
import { Writing } from './writing.ts'

/** Has frames of so many characters, and writes as many of them as fit, one at the least. */
class Talker {
  readonly name: string
  readonly frames: number[]
  readonly log: string[]
  constructor(log: string[], name: string, count: number, chars: number) {
    this.log = log
    this.name = name
    this.frames = Array.from({ length: count }, () => chars)
  }
  get waits(): boolean {
    return this.frames.length > 0
  }
  flush(charsMax = Number.POSITIVE_INFINITY): number {
    let written = 0
    while (this.frames.length > 0 && (written === 0 || written + this.frames[0]! <= charsMax))
      written += this.frames.shift()!
    this.log.push(this.name)
    return written
  }
}

const turn = () => new Promise(setImmediate)
async function turnsUntil(isDone: () => boolean): Promise<number> {
  for (let turns = 0; ; turns++) {
    if (isDone()) return turns
    await turn()
  }
}

test('little is written in one turn, in the order in which it came', async () => {
  const log: string[] = []
  const writing = new Writing<Talker>()
  for (const name of ['a', 'b', 'c']) writing.add(new Talker(log, name, 3, 100))
  await turn()
  expect(log).toEqual(['a', 'b', 'c'])
})

test('much is spread over turns, a piece of each at a time, and comes to its end', async () => {
  const log: string[] = []
  const writing = new Writing<Talker>()
  const crowd = Array.from({ length: 500 }, (_, nth) => new Talker(log, `${nth}`, 40, 20_000))
  for (const one of crowd) writing.add(one)
  await turn()
  expect(log.length).toBeLessThan(120)
  expect(await turnsUntil(() => crowd.every(one => !one.waits))).toBeGreaterThan(500)
})

test('whoever has little does not wait for those who have shown that they have much', async () => {
  const log: string[] = []
  const writing = new Writing<Talker>()
  const crowd = Array.from({ length: 500 }, (_, nth) => new Talker(log, `crowd ${nth}`, 20, 20_000))
  for (const one of crowd) writing.add(one)
  for (let nth = 0; nth < 20; nth++) {
    const bystander = new Talker(log, 'bystander', 1, 300)
    writing.add(bystander)
    await turn()
    if (nth === 0) await turnsUntil(() => !bystander.waits)
    expect(bystander.waits).toBe(false)
    expect(crowd.some(one => one.waits)).toBe(true)
  }
})

test('however many have little, those with much go on', async () => {
  const log: string[] = []
  const writing = new Writing<Talker>()
  const slow = new Talker(log, 'slow', 10, 20_000)
  writing.add(slow)
  await turn()
  for (let nth = 0; nth < 10 && slow.waits; nth++) {
    for (let light = 0; light < 1_000; light++) writing.add(new Talker(log, 'light', 1, 1_000))
    await turn()
  }
  expect(slow.waits).toBe(false)
})

test('after a round that took long it gathers for twice that time, and after a short one it does not', async () => {
  const log: string[] = []
  let now = 0
  const due: { readonly ms: number; readonly run: () => void }[] = []
  const writing = new Writing<Talker>({ steady: () => now, after: (ms, run) => (due.push({ ms, run }), () => {}) })
  /** Writes for so many ms. */
  class Slow extends Talker {
    readonly ms: number
    constructor(name: string, ms: number) {
      super(log, name, 1, 100)
      this.ms = ms
    }
    override flush(charsMax?: number): number {
      now += this.ms
      return super.flush(charsMax)
    }
  }
  for (const name of ['a', 'b', 'c']) writing.add(new Slow(name, 2))
  await turn()
  now += 1
  writing.add(new Slow('d', 0.5))
  await turn()
  writing.add(new Slow('e', 0.4))
  expect(due.map(({ ms }) => ms)).toEqual([11])
  expect(log).toEqual(['a', 'b', 'c'])
  now += 11
  due.pop()!.run()
  expect(log).toEqual(['a', 'b', 'c', 'd', 'e'])
  writing.add(new Slow('f', 100))
  await turn()
  writing.add(new Slow('g', 0))
  expect(due.map(({ ms }) => ms)).toEqual([40])
})
