/** What becomes of times in Redis when its clock is set, or another Redis takes over whose clock is behind. */
import { type TestRedis, testRedis } from '@flotilla/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type NodeInfo, placeOf } from './leases.ts'
import { createRedisRouting } from './redis.ts'
import type { RoutingStore } from './store.ts'
import { fleetKeys, patientLink, quietLogger } from './routing.testbed.ts'

const hourMs = 3_600_000
const leaseMs = 300
const windowMs = 60_000
const info: NodeInfo = { kind: 'gateway', url: '', region: 'here', connections: 0, accepting: true }

let server: TestRedis
let raw: Redis
let store: RoutingStore

beforeAll(async () => {
  server = await testRedis()
  raw = new Redis(server.url)
  store = await createRedisRouting({
    url: server.url,
    keyPrefix: server.keyPrefix,
    fleetKeys,
    logger: quietLogger,
    ...patientLink,
  })
})
afterAll(async () => {
  await store.close()
  raw.disconnect()
  await server.stop()
})

const keyOf = async (part: string) => (await raw.keys(`${server.keyPrefix}*${part}*`))[0]!

test('a node that died before the clock of Redis was set back is dead one lease later, not an hour', async () => {
  const dead = placeOf('dead', await store.leases.acquire('dead', info, 0))
  const live = placeOf('live', await store.leases.acquire('live', info, 0))
  const key = await keyOf('leases')
  // As if the clock had been an hour ahead until now.
  for (const [field, lease] of Object.entries(await raw.hgetall(key)))
    await raw.hset(
      key,
      field,
      lease.replace(/\d{13}/, at => String(Number(at) + hourMs)),
    )
  const stateOf = async (place: string) =>
    (await store.leases.beat(live, info, leaseMs)).nodes.find(({ node }) => place.startsWith(node))
  expect(await stateOf(dead)).toMatchObject({ state: 'live' })
  const until = performance.now() + 10_000
  let view = await stateOf(dead)
  while (view?.state === 'live' && performance.now() < until) {
    await new Promise(resolve => setTimeout(resolve, leaseMs / 4))
    view = await stateOf(dead)
  }
  expect(view).toMatchObject({ state: 'expired' })
  expect(await stateOf(live)).toMatchObject({ state: 'live' })
})

test('a window that the clock of Redis made longer ends as it would have', async () => {
  await store.counters.hit('k', windowMs)
  await raw.pexpire(await keyOf('hit:k'), hourMs)
  expect(await store.counters.hit('k', windowMs)).toEqual({ count: 2, resetMs: windowMs })
})
