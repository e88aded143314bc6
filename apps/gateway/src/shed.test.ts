import type { RoutingNode } from '@flotilla/routing'
import { silentLogger } from '@flotilla/service'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createShedder, createShedding, pickToShed, readLoad, type Shedder, shedLimits } from './shed.ts'

type NodeView = ReturnType<RoutingNode['nodes']>[number]

const settings = { abovePercent: 20, percentPerSecond: 0.5, connectsPerSecond: 500 }

const view = (
  node: string,
  connections: number,
  info: Partial<NodeView['info']> = {},
  more: Partial<NodeView> = {},
): NodeView => ({
  node,
  generation: 1,
  state: 'live',
  beatAt: 0,
  beatAgeMs: 100,
  swept: false,
  ...more,
  info: { kind: 'gateway', url: 'ws://x', region: 'eu', connections, accepting: true, ...info },
})
const own = (connections: number) => ({ id: 'own', region: 'eu', connections })

// ── what the beats tell ──────────────────────────────────────────────────────────────────────────────────────────────

test('live gateways of the region that take connections count, this one among them with what it has now', () => {
  const load = readLoad(
    own(900),
    [
      view('own', 1_200),
      view('b', 300),
      view('c', 0),
      view('full', 5_000, { accepting: false }),
      view('api', 0, { kind: 'api', accepting: false }),
      view('abroad', 0, { region: 'us' }),
      view('dead', 0, {}, { state: 'expired', beatAgeMs: 60_000 }),
      view('gone', 0, {}, { state: 'released' }),
    ],
    20,
  )
  expect(load).toEqual({ mean: 400, takers: 2, givers: 2, settled: true })
})

test('a beat that was missed, or a drain under way, unsettles what is known', () => {
  const late = { beatAgeMs: shedLimits.beatAgeMsMax + 1 }
  expect(readLoad(own(900), [view('b', 0, {}, late)], 20).settled).toBe(false)
  expect(readLoad(own(900), [view('b', 0, { accepting: false, draining: true })], 20).settled).toBe(false)
  expect(readLoad(own(900), [view('b', 0, { region: 'us' }, late)], 20).settled).toBe(true)
})

// ── the decision ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Asks once a second for so many seconds and answers the last decision. */
function after(
  seconds: number,
  connections: number,
  load: Partial<ReturnType<typeof readLoad>> = {},
  given = settings,
) {
  const perSecond = createShedding(given)
  let last = 0
  for (let second = 0; second <= seconds; second++)
    last = perSecond({ mean: 1_000, takers: 3, givers: 1, settled: true, ...load }, connections, second * 1_000)
  return last
}

test('above a fifth more than the mean it sheds half a percent a second, and farther above up to three times as many', () => {
  expect(after(60, 1_200)).toBe(0)
  expect(after(60, 1_201)).toBeCloseTo(6, 1)
  expect(after(60, 1_400)).toBeCloseTo(14, 1)
  expect(after(60, 5_000)).toBeCloseTo(75, 1)
})

test('while many come it waits: they level the fleet by themselves', () => {
  const perSecond = createShedding(settings)
  const ask = (second: number, mean: number) =>
    perSecond({ mean, takers: 3, givers: 1, settled: true }, mean * 2, second * 1_000)
  const coming = Array.from({ length: 30 }, (_, second) => ask(second, 60 + second * 40))
  expect(coming.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 0))
  const steady = Array.from({ length: 15 }, (_, second) => ask(30 + second, 1_260))
  expect(steady.at(-1)).toBeGreaterThan(0)
})

test('it begins when it has been above for a while, and goes on until it is near the mean', () => {
  expect(after(shedLimits.aboveMsMin / 1_000, 1_300)).toBe(0)
  expect(after(shedLimits.aboveMsMin / 1_000 + 1, 1_300)).toBeGreaterThan(0)
  const perSecond = createShedding(settings)
  const load = { mean: 1_000, takers: 3, givers: 1, settled: true }
  let second = 0
  const ask = (connections: number) => perSecond(load, connections, second++ * 1_000)
  for (let i = 0; i < 20; i++) ask(1_300)
  expect(ask(1_060)).toBeGreaterThan(0)
  expect(ask(1_049)).toBe(0)
  for (let i = 0; i < 20; i++) expect(ask(1_190)).toBe(0)
})

test('it never sheds turned off, in a tiny fleet, or on what it cannot know', () => {
  expect(after(60, 5_000, {}, { ...settings, abovePercent: 0 })).toBe(0)
  expect(after(60, 500, { mean: shedLimits.connectionsMeanMin - 1 })).toBe(0)
  expect(after(60, 500, { mean: shedLimits.connectionsMeanMin })).toBeGreaterThan(0)
  expect(after(60, 5_000, { settled: false })).toBe(0)
})

test('alone in its region it has nowhere to shed to', () => {
  const load = readLoad(own(9_000), [view('own', 9_000)], 20)
  expect(after(60, 9_000, load)).toBe(0)
})

test('what it knows is old after the process stood still: it watches anew', () => {
  const perSecond = createShedding(settings)
  const load = { mean: 1_000, takers: 3, givers: 1, settled: true }
  for (let second = 0; second < 20; second++) perSecond(load, 2_000, second * 1_000)
  expect(perSecond(load, 2_000, 20_000)).toBeGreaterThan(0)
  expect(perSecond(load, 2_000, 30_000)).toBe(0)
  expect(perSecond(load, 2_000, 31_000)).toBe(0)
})

test('all who shed together send half of what the emptier ones admit, not more', () => {
  const slow = { ...settings, connectsPerSecond: 10 }
  expect(after(60, 18_000, { mean: 9_000, takers: 1, givers: 4 }, slow)).toBe(10 / 2 / 4)
})

// ── who ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

test('the oldest at rest are shed: nobody with something under way, nobody who has only just come', () => {
  const now = 1_000_000
  const old = { open: true, busy: false, since: now - 60_000 }
  const crowd = [
    { ...old, name: 'busy', busy: true },
    { ...old, name: 'closed', open: false },
    { ...old, name: 'first' },
    { ...old, name: 'greeted not yet', since: 0 },
    { ...old, name: 'newcomer', since: now - shedLimits.connectionAgeMsMin + 1 },
    { ...old, name: 'second' },
    { ...old, name: 'third' },
  ]
  expect(pickToShed(crowd, 2, now).map(one => one.name)).toEqual(['first', 'second'])
  expect(pickToShed(crowd, 9, now).map(one => one.name)).toEqual(['first', 'second', 'third'])
})

// ── a fleet, simulated ───────────────────────────────────────────────────────────────────────────────────────────────

interface Socket {
  open: boolean
  busy: boolean
  since: number
  moves: number
}

const gapMs = 300
const beatMs = 3_000

/**
 * Real shedders on simulated gateways. Beats are up to 3 s old, for the gateways as for whoever tells the clients where
 * to go; those who were shed come back after a moment, to the emptier of two drawn at random.
 */
function simulate(start: readonly number[], seconds: number, random: () => number) {
  let now = 10_000_000
  const connect = (moves: number, since = now): Socket => ({ open: true, busy: false, since, moves })
  const sockets = start.map(count => new Set(Array.from({ length: count }, () => connect(0, now - 600_000))))
  const beats = sockets.map((own, nth) => ({ connections: own.size, at: now - Math.floor(random() * beatMs), nth }))
  const underWay: { at: number; moves: number }[] = []
  const shedAt: { second: number; node: number; mean: number; connections: number }[] = []
  const mean = start.reduce((sum, one) => sum + one, 0) / start.length
  let movesMax = 0
  const startedAt = now
  const shedders: Shedder[] = sockets.map((mine, nth) =>
    createShedder<Socket>({
      settings,
      own: () => ({ id: String(nth), region: 'eu', connections: mine.size }),
      nodes: () => beats.map(beat => view(String(beat.nth), beat.connections, {}, { beatAgeMs: now - beat.at })),
      isHeld: () => false,
      connections: () => mine,
      shed(socket) {
        expect(now - socket.since).toBeGreaterThanOrEqual(shedLimits.connectionAgeMsMin)
        shedAt.push({ second: (now - startedAt) / 1_000, node: nth, mean, connections: mine.size })
        socket.open = false
        mine.delete(socket)
        movesMax = Math.max(movesMax, socket.moves + 1)
        underWay.push({ at: now + gapMs, moves: socket.moves + 1 })
      },
      logger: silentLogger,
      steady: () => now,
    }),
  )
  const land = ({ moves }: { moves: number }) => {
    const draw = () => Math.floor(random() * sockets.length)
    const [one, two] = [draw(), draw()]
    sockets[beats[one]!.connections <= beats[two]!.connections ? one : two]!.add(connect(moves))
  }
  const sizes: number[][] = []
  for (let tick = 0; tick < (seconds * 1_000) / shedLimits.tickMs; tick++) {
    now += shedLimits.tickMs
    for (const [nth, beat] of beats.entries())
      if (now - beat.at >= beatMs) beats[nth] = { ...beat, at: now, connections: sockets[nth]!.size }
    while (underWay[0] !== undefined && underWay[0].at <= now) land(underWay.shift()!)
    for (const shedder of shedders) shedder.tick()
    if (now % 1_000 === 0) sizes.push(sockets.map(own => own.size))
  }
  for (const one of underWay) land(one)
  return { end: sockets.map(own => own.size), sizes, shedAt, movesMax, mean }
}

/** Numbers from a seed, so that a failure can be repeated. */
function dice(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

test.each([
  ['two of 700 and five new', [700, 700, 0, 0, 0, 0, 0]],
  ['two of 2,500 and two new', [2_500, 2_500, 0, 0]],
  ['three that are full and three new', [18_000, 18_000, 18_000, 0, 0, 0]],
])('%s: all are within a quarter of the mean within two minutes', { timeout: 60_000 }, (_, start) => {
  const { sizes, mean, shedAt, movesMax } = simulate(start, 240, dice(7))
  const off = (second: number) => Math.max(...sizes[second - 1]!.map(size => Math.abs(size / mean - 1)))
  expect(off(120)).toBeLessThan(0.25)
  expect(off(240)).toBeLessThan(0.25)
  const total = start.reduce((sum, one) => sum + one, 0)
  for (let second = 0; second < 240; second++)
    expect(shedAt.filter(one => Math.floor(one.second) === second).length).toBeLessThan(total * 0.05)
  expect(movesMax).toBeLessThanOrEqual(3)
  // Once done it is done.
  expect(shedAt.filter(one => one.second > 200)).toEqual([])
})

test('whatever the fleet: nobody is lost, no gateway sheds below the mean, and it comes to rest', {
  timeout: 120_000,
}, () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2_000 })), { minLength: 1, maxLength: 8 }),
      fc.integer(),
      (start, seed) => {
        const { end, shedAt, mean } = simulate(start, 420, dice(seed))
        const total = start.reduce((sum, one) => sum + one, 0)
        expect(end.reduce((sum, one) => sum + one, 0)).toBe(total)
        for (const one of shedAt) expect(one.connections).toBeGreaterThan(one.mean * 0.99)
        expect(shedAt.filter(one => one.second > 400)).toEqual([])
        // Nothing is moved to and fro: of three who leave, one at least was too many.
        const excess = start.reduce((sum, one) => sum + Math.max(0, one - mean), 0)
        expect(shedAt.length).toBeLessThanOrEqual(excess * 3 + 10)
        if (mean < shedLimits.connectionsMeanMin) expect(shedAt).toEqual([])
        else expect(Math.max(...end)).toBeLessThanOrEqual(mean * 1.25 + 10)
      },
    ),
    { numRuns: 40 },
  )
})
