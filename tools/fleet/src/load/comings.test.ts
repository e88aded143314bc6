import { Histogram } from '@flotilla/testing/load'
import { expect, test } from 'vitest'
import { aboveRate, Comings, mostInASecond, spreadAroundMean, sumComings } from './comings.ts'

function open(clients: number) {
  let nowMs = 1_000_000
  const comings = new Comings(clients, () => nowMs)
  for (let nth = 0; nth < clients; nth++) comings.live(nth, 'a')
  return { comings, after: (ms: number) => void (nowMs += ms) }
}

test('a gap lasts from the loss of a connection to the next hello, whatever failed in between', () => {
  const { comings, after } = open(3)
  comings.left(0)
  after(200)
  comings.left(0)
  after(300)
  comings.live(0, 'b')
  const { gapMs, gapMsMax, away, nodes, returns } = comings.counts()
  expect(new Histogram(gapMs).quantile(1)).toBeCloseTo(500, -1)
  expect({ gapMsMax, away }).toEqual({ gapMsMax: 500, away: 0 })
  expect(Object.fromEntries(nodes)).toEqual({ a: 2, b: 1 })
  expect([...returns.keys()]).toEqual(['b'])
})

test('who is away counts, and the longest gap is theirs; who went home does not', () => {
  const { comings, after } = open(3)
  comings.left(0)
  comings.dismissed(1)
  comings.left(1)
  after(7_000)
  expect(comings.counts()).toMatchObject({ clients: 2, away: 1, gapMsMax: 7_000 })
})

test('the first connection is no return', () => {
  const { comings } = open(5)
  expect(comings.counts().returns.size).toBe(0)
})

test('the worst second may begin anywhere', () => {
  const { comings, after } = open(10)
  after(600)
  for (let nth = 0; nth < 4; nth++) comings.left(nth)
  after(800)
  for (let nth = 4; nth < 8; nth++) comings.left(nth)
  after(300)
  for (let nth = 8; nth < 10; nth++) comings.left(nth)
  expect(mostInASecond(comings.counts().leaves)).toBe(8)
})

test('several processes are summed up as one', () => {
  const [one, other] = [open(2), open(3)]
  for (const { comings, after } of [one, other]) {
    comings.left(0)
    after(100)
    comings.live(0, 'b')
  }
  const whole = sumComings([one.comings.counts(), other.comings.counts()])
  expect(whole).toMatchObject({ clients: 5, away: 0, gapMsMax: 100 })
  expect(new Histogram(whole.gapMs).total).toBe(2)
  expect(mostInASecond(whole.leaves)).toBe(2)
  expect(whole.nodes.get('b')).toBe(2)
  expect(mostInASecond(whole.returns.get('b')!)).toBe(2)
})

test('a node above its rate is found, one that used its burst is not', () => {
  const steps = (counts: readonly number[]) => new Map(counts.map((count, step) => [step, count] as const))
  expect(aboveRate(steps([100, 10, 10, 10]), 100)).toBeLessThanOrEqual(0)
  expect(aboveRate(steps([100, 60, 10, 10]), 100)).toBeCloseTo(40)
  expect(aboveRate(new Map(), 100)).toBe(0)
})

test('the spread is that of the node furthest from the mean', () => {
  expect(spreadAroundMean([100, 100, 40])).toBeCloseTo(0.5)
  expect(spreadAroundMean([100, 100])).toBe(0)
  expect(spreadAroundMean([0, 0])).toBe(0)
})
