/**
 * A crowd talks while parts of the fleet are killed, frozen and restarted, and a twentieth of its connections is cut each
 * second. At the end everybody must have everything, and the history checker finds no promise broken.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { type Crowd, isLong, type Stage, scale, setStage, until } from '@flotilla/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'

let stage: Stage
let crowd: Crowd

beforeEach(async () => {
  stage = await setStage()
  crowd = await stage.crowd()
})
afterEach(() => stage.tearDown())

const settleMs = 60_000

const within = { withinMs: settleMs, everyMs: 50 }

/** Until so many more are acknowledged than were. */
const flows = (more: number, before = crowd.acknowledged()) =>
  until(() => crowd.acknowledged() - before > more, { what: 'messages are acknowledged', ...within })

async function expectWhole() {
  // On a machine that stood still the time alone says nothing.
  await flows(scale.messagesPerSecond * 2, 0)
  crowd.pause()
  await crowd.settle(settleMs)
  expect(await crowd.check()).toEqual([])
}

test('nothing is lost with cut connections alone', async () => {
  crowd.start()
  await pause(scale.seconds * 1_000)
  await expectWhole()
})

test('nothing is lost when gateways are killed, again and again', async () => {
  crowd.start()
  for (let round = 0; round < (isLong ? 9 : 2); round++) {
    await pause(2_000)
    const node = stage.fleet.nodes[round % 3]!
    await node.kill()
    await pause(1_000)
    await node.start()
  }
  await expectWhole()
})

test('a gateway that was frozen past its lease wakes up fenced, and nothing is lost', async () => {
  const [node] = stage.fleet.nodes
  crowd.start()
  await pause(2_000)
  node!.freeze()
  await pause(isLong ? 20_000 : 11_000)
  node!.thaw()
  await until(async () => (await node!.metric('flotilla_routing_fences_total')) > 0, {
    what: 'it is fenced',
    ...within,
  })
  await pause(4_000)
  await expectWhole()
})

test('gateways that drain under load lose nothing and end with 0 (P12)', async () => {
  crowd.start()
  for (const node of stage.fleet.nodes) {
    await pause(1_000)
    expect(await node.drain()).toBe(0)
    await node.start()
  }
  await expectWhole()
})

test('Redis killed and restarted empty: sends stay acknowledged, delivery heals by itself within 10 s (P6)', async () => {
  crowd = await stage.crowd({ cutsPerSecond: 0 })
  crowd.start()
  await pause(2_000)
  const connects = () => crowd.history.records.filter(record => record.kind === 'connected').length
  const connectsBefore = connects()
  await stage.redis.kill()
  const acknowledgedBefore = crowd.acknowledged()
  await pause(isLong ? 10_000 : 3_000)
  await flows(scale.messagesPerSecond, acknowledgedBefore)
  crowd.pause()
  await stage.redis.restart()
  await crowd.settle(10_000)
  expect(connects()).toBe(connectsBefore)
  expect(await crowd.check()).toEqual([])
})

test('PostgreSQL restarted: nothing is acknowledged meanwhile, what waited is stored once after', async () => {
  crowd.start()
  await pause(2_000)
  await stage.postgres.stop('immediate')
  // Whoever has noticed has also passed on what was stored before.
  for (const node of stage.fleet.nodes)
    await until(async () => (await node.metric('flotilla_store_up')) === 0, { what: 'a gateway notices', ...within })
  await pause(500)
  const acknowledgedBefore = crowd.acknowledged()
  await pause(isLong ? 8_000 : 3_000)
  expect(crowd.acknowledged()).toBe(acknowledgedBefore)
  await stage.postgres.start()
  await flows(0, acknowledgedBefore)
  await expectWhole()
})
