/** A gateway that comes into a full fleet fills by itself, and a drain empties one, while a crowd talks and loses nothing. */
import { type Crowd, percentile, type Stage, setStage, until, watchGaps } from '@flotilla/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'

let stage: Stage
let crowd: Crowd

/** Enough for a fleet of two not to count as tiny. */
const people = 160

beforeEach(async () => {
  // So long that a machine that stands still meanwhile does not miss the drain.
  stage = await setStage({ SHED_PERCENT_PER_SECOND: '2', DRAIN_MS: '8000' }, 2)
  await stage.fleet.nodes[1]!.kill()
  crowd = await stage.crowd({ people, cutsPerSecond: 0 })
})
afterEach(() => stage.tearDown())

test('a new gateway gets its share from the full one, one connection after the other, and nothing is lost', async () => {
  const [full, fresh] = stage.fleet.nodes as [Stage['fleet']['nodes'][number], Stage['fleet']['nodes'][number]]
  expect(await full.metric('flotilla_connections')).toBe(people)
  const gaps = watchGaps(crowd.clients)
  crowd.start()
  await fresh.start()
  await until(() => full.log().includes('shedding stopped'), {
    what: 'the full one has shed enough',
    withinMs: 120_000,
    everyMs: 200,
  })
  await until(() => gaps().open === 0, { what: 'everybody is back' })
  const shed = await full.metric('flotilla_shed_total')
  const { lengthsMs } = gaps()
  expect(shed).toBeGreaterThan(people / 4)
  expect(lengthsMs).toHaveLength(shed)
  expect(percentile(lengthsMs, 0.95)).toBeLessThan(1_000)
  expect(await fresh.metric('flotilla_shed_total')).toBe(0)
  for (const node of [full, fresh])
    expect(Math.abs((await node.metric('flotilla_connections')) - people / 2)).toBeLessThanOrEqual(people / 8)
  await until(async () => (await full.metric('flotilla_fleet_connections_mean')) === people / 2, {
    what: 'it knows so',
  })
  crowd.pause()
  await crowd.settle(30_000)
  expect(await crowd.check()).toEqual([])

  // The drain: nobody stays away, and nobody waits.
  const before = gaps().lengthsMs.length
  const left = await fresh.metric('flotilla_connections')
  crowd.start()
  const draining = fresh.drain()
  await until(async () => (await fresh.metric('flotilla_draining')) === 1, { what: 'it drains', everyMs: 20 })
  const hasMoved = async () => (await fresh.metric('flotilla_drain_moved_total')) > left / 4
  await until(async () => (await hasMoved()) && (await fresh.metric('flotilla_drain_connections_left')) > 0, {
    what: 'a part has moved, and a part is left',
    everyMs: 20,
  })
  expect(await draining).toBe(0)
  await until(() => gaps().open === 0, { what: 'everybody is back' })
  expect(gaps().lengthsMs).toHaveLength(before + left)
  expect(percentile(gaps().lengthsMs, 0.95)).toBeLessThan(1_000)
  crowd.pause()
  await crowd.settle(30_000)
  expect(await crowd.check()).toEqual([])
})
