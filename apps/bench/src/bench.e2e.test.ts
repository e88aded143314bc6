/** That the bench works, and above all that a wrong answer does not count. No figure is looked at. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bed, openBed } from './bed.ts'
import { type DirectOptions, type Figures, interleave, openDirect, runDirect } from './run.ts'
import { centrifugo, isCentrifugoBuilt } from './sides/centrifugo.ts'
import { flotilla } from './sides/flotilla.ts'
import { relay } from './sides/relay.ts'
import type { Side } from './sides/side.ts'
import { socketIo, socketIoBatched } from './sides/socketio.ts'

const ours = flotilla(true)
const bench = { seconds: 0.5, warmSeconds: 0.3, runs: 1, short: true, fromSource: true, flotilla: ours, say: () => {} }
let bed: Bed
/** Two sides with their servers, started one after the other, on a machine that does other things too. */
const timeout = 60_000

beforeAll(async () => {
  bed = await openBed()
})
afterAll(() => bed.close())

const pairs: DirectOptions = {
  nodes: 2,
  connections: 8,
  alone: false,
  told: true,
  receivers: 1,
  population: { people: 8, directs: 4 },
  counters: ['commit_batch_entries_sum'],
  pace: { kind: 'closed', inFlight: 2 },
}
const onPairs = (side: Side) => runDirect(bench, bed, side, pairs)

test('our side is counted whole, and a row that is missing in the store would spoil the run', { timeout }, async () => {
  let problems: string[] = []
  const run = await onPairs({
    ...ours,
    async verify(ground, stand, ending, told) {
      const found = await ours.verify(ground, stand, ending, told)
      await ground.query('DELETE FROM messages WHERE seq = 3')
      problems = await ours.verify(ground, stand, ending, told)
      return found
    },
  })
  expect(problems).toHaveLength(2)
  expectWork(run)
  expect(run.violations.reordered).toBe(0)
  expect(run.counters['commit_batch_entries_sum']).toBeGreaterThan(0)
})

test.each([socketIo, socketIoBatched, relay])('$name does the same work', { timeout }, async side => {
  expectWork(await onPairs(side))
})

test.runIf(isCentrifugoBuilt()).each([centrifugo('Redis'), centrifugo('PostgreSQL')])(
  '$name does the same work',
  { timeout },
  async side => {
    expectWork(await onPairs(side))
  },
)

test.each([ours, socketIo])('$name stands on messages that were there before', { timeout }, async side => {
  const population = { ...pairs.population, past: { directs: 3, messagesEach: 5 } }
  let stored = 0
  const counting: Side = {
    ...side,
    async verify(ground, stand, ending, told) {
      const [found] = await ground.query<{ rows: number }>('SELECT count(*)::int AS rows FROM messages')
      stored = found!.rows - ending.acked
      return side.verify(ground, stand, ending, told)
    },
  }
  expectWork(await runDirect(bench, bed, counting, { ...pairs, population }))
  expect(stored).toBe(15)
})

test('two that stand at the same time take turns, and each counts its own slices', { timeout }, async () => {
  const found = await interleave(
    { ...bench, runs: 2 },
    { one: defer => openDirect(bed, ours, pairs, defer), other: defer => openDirect(bed, ours, pairs, defer) },
  )
  for (const slices of Object.values(found)) {
    expect(slices).toHaveLength(2)
    for (const slice of slices) expectWork(slice)
  }
})

function expectWork(run: Figures): void {
  expect(run.messagesPerSecond).toBeGreaterThan(0)
  expect(run.delivery.count).toBeGreaterThan(0)
  expect(Object.values(run.cpu).some(seconds => seconds > 0)).toBe(true)
  expect(run.violations).toMatchObject({ lost: 0, repeated: 0, misplaced: 0, refused: 0, closed: 0 })
}
