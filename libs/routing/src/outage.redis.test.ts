/** What happens when Redis itself goes: nothing stops, and everything that was missed is found when it is back. */
import {
  type FaultProxy,
  type RedisServer,
  startFaultProxy,
  startRedis,
  startRedisCluster,
  until,
} from '@flotilla/testing'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import type { Clock } from './clock.ts'
import { createRedisRouting } from './redis.ts'
import type { RedisLinkOptions } from './redis-link.ts'
import type { RoutedFrame } from './router.ts'
import type { NodeSettings } from './settings.ts'
import {
  fleetKeys,
  holdTimers,
  patientLink,
  quietLogger,
  shortLeaseMs,
  startNode,
  type TestNode,
} from './routing.testbed.ts'

const closers: (() => Promise<unknown>)[] = []
let nodes: TestNode[] = []

afterEach(async () => {
  for (const node of nodes) {
    await node.stop()
    await node.store.close()
  }
  nodes = []
  for (const close of closers.splice(0)) await close()
})

async function startServer(): Promise<RedisServer> {
  const server = await startRedis()
  closers.push(() => server.stop())
  return server
}

async function startProxy(server: RedisServer): Promise<FaultProxy> {
  const proxy = await startFaultProxy({ target: { host: '127.0.0.1', port: server.port } })
  closers.push(() => proxy.close())
  return proxy
}

const presenceRecheckMs = 200

async function startNodes(
  url: string,
  ids: readonly string[],
  settings: Partial<NodeSettings> = {},
  { clock, ...link }: Partial<Omit<RedisLinkOptions, 'url' | 'logger'>> & { readonly clock?: Clock } = {},
): Promise<TestNode[]> {
  const started = await Promise.all(
    ids.map(async id =>
      startNode(id, await createRedisRouting({ url, fleetKeys, logger: quietLogger, ...patientLink, ...link }), {
        ...(clock === undefined ? {} : { clock }),
        settings: { startWaitMs: 10_000, presenceRecheckMs, ...settings },
      }),
    ),
  )
  nodes.push(...started)
  return started
}

const entry = (to: RoutedFrame['to'], seq: number): RoutedFrame => ({
  to,
  frame: `{"seq":${seq}}`,
  class: 'entry',
  entry: { conversation: 'talk', seq },
})

const allUp = (nodes: readonly TestNode[]) =>
  until(() => nodes.every(node => node.state() === 'up'), { what: 'all are up' })

test('a server that was killed and comes back empty: local delivery goes on, then everything is entered and suspected', async () => {
  const server = await startServer()
  const rechecks = holdTimers(presenceRecheckMs)
  const [a, b] = (await startNodes(server.url, ['a', 'b'], {}, rechecks)) as [TestNode, TestNode]
  await allUp([a, b])
  await Promise.all([a.open('ann'), b.open('bob'), b.open('eve'), b.join('large')])
  expect(await a.watch(['bob', 'eve'])).toEqual(['bob', 'eve'])
  await server.kill()
  await until(() => a.state() === 'down' && b.state() === 'down', { what: 'both notice' })
  const downAt = performance.now()

  await a.route([entry(['ann', 'bob'], 1)])
  expect(a.sockets.get('ann')).toEqual(['{"seq":1}'])
  expect(a.absences).toEqual([])
  expect(a.stats.unsent).toBe(1)
  expect(await a.online(['ann', 'bob'])).toEqual(new Set(['ann']))
  expect(await a.hit('key', 1_000)).toBeUndefined()
  // Who comes and goes meanwhile is not held up.
  await Promise.all([b.open('zoe'), b.shut('eve')])

  const downMs = performance.now() - downAt
  await server.restart()
  await allUp([a, b])
  await until(() => a.suspicions.length > 0 && b.suspicions.length > 0, { what: 'a loss is suspected' })
  for (const node of [a, b]) expect(Math.max(...node.suspicions)).toBeGreaterThanOrEqual(Math.floor(downMs))
  const places = await a.store.whereabouts.find('presence', ['ann', 'bob', 'eve', 'zoe'])
  expect(places).toEqual([[a.place()], [b.place()], [], [b.place()]])
  expect(await a.store.whereabouts.find('interest', ['large'])).toEqual([[b.place()]])
  expect(await a.store.whereabouts.find('watch', ['bob'])).toEqual([[a.place()]])
  expect(b.sockets.get('bob')).toEqual([])
  await a.route([entry(['ann', 'bob', 'zoe'], 2)])
  await until(() => b.sockets.get('zoe')?.length === 1, { what: 'frames come again' })
  // A node looks its people up when the others had the time to enter theirs.
  rechecks.release()
  await until(() => a.changes.some(change => change.user === 'eve' && !change.online), {
    what: 'eve is known to be gone',
  })
  expect(a.changes.filter(change => change.user === 'bob')).toEqual([])
})

test('a server that is back with its data: nobody is fenced, and who left meanwhile is no ghost', async () => {
  const server = await startServer()
  const proxy = await startProxy(server)
  const [a, b] = (await startNodes(
    `redis://127.0.0.1:${proxy.port}`,
    ['a', 'b'],
    { leaseMs: shortLeaseMs },
    // The first who is back gives the others one more lease.
    { reconnectMsMax: 100 },
  )) as [TestNode, TestNode]
  await allUp([a, b])
  await Promise.all([b.open('bob'), b.open('eve')])
  expect(await a.watch(['bob', 'eve'])).toEqual(['bob', 'eve'])
  const places = [a.place(), b.place()]
  await proxy.refuse(true)
  proxy.cut()
  await until(() => a.state() === 'down' && b.state() === 'down', { what: 'both notice' })
  await b.shut('eve')
  // Longer than a lease.
  await new Promise(resolve => setTimeout(resolve, 2_000))
  await proxy.refuse(false)
  await allUp([a, b])
  expect([a.place(), b.place()]).toEqual(places)
  await until(() => a.suspicions.length > 0 && b.suspicions.length > 0, { what: 'a loss is suspected' })
  await until(() => a.changes.some(change => change.user === 'eve' && !change.online), {
    what: 'eve is known to be gone',
  })
  expect(await a.store.whereabouts.find('presence', ['bob', 'eve'])).toEqual([[b.place()], []])
})

test('one node cut off from the server: what it could not send is suspected by those it was for', async () => {
  const server = await startServer()
  const proxy = await startProxy(server)
  const [a] = (await startNodes(`redis://127.0.0.1:${proxy.port}`, ['a'])) as [TestNode]
  const [b] = (await startNodes(server.url, ['b'])) as [TestNode]
  await allUp([a, b])
  await b.open('bob')
  await a.route([entry(['bob'], 1)])
  await until(() => b.sockets.get('bob')?.length === 1, { what: 'the frame is there' })
  await proxy.refuse(true)
  proxy.reset()
  await a.route([entry(['bob'], 2)])
  const routedAt = performance.now()
  expect(a.stats.unsent).toBe(1)
  await until(() => performance.now() - routedAt > 500, { what: 'a while has passed' })
  const unsentMs = performance.now() - routedAt
  await proxy.refuse(false)
  await until(() => b.stats.suspects.told > 0, { what: 'b is told' })
  await until(() => b.suspicions.length > 0, { what: 'a loss is suspected' })
  expect(Math.max(...b.suspicions)).toBeGreaterThanOrEqual(Math.floor(unsentMs))
  expect(b.state()).toBe('up')
})

test('an inbox that hears nothing although its connection stands is found and opened anew', async () => {
  const echoMsMax = 500
  const server = await startServer()
  const proxy = await startProxy(server)
  const [b] = (await startNodes(`redis://127.0.0.1:${proxy.port}`, ['b'], { echoMsMax })) as [TestNode]
  const [a] = (await startNodes(server.url, ['a'])) as [TestNode]
  await allUp([a, b])
  await b.open('bob')
  // The second connection of a store is the one with the inbox.
  proxy.halfOpen(true, { which: 1 })
  await a.route([entry(['bob'], 1)])
  await until(() => b.stats.renewals > 0, { what: 'b notices' })
  await until(() => b.suspicions.length > 0, { what: 'a loss is suspected', withinMs: 15_000 })
  // Since it last heard itself, which was before what it did not hear.
  expect(Math.max(...b.suspicions)).toBeGreaterThanOrEqual(echoMsMax)
  await allUp([b])
  await a.route([entry(['bob'], 2)])
  await until(() => b.sockets.get('bob')?.includes('{"seq":2}') === true, { what: 'it hears again' })
})

test('a server that stands still for a while: nothing waits for it, and it heals', async () => {
  const server = await startServer()
  const [a, b] = (await startNodes(server.url, ['a', 'b'], {}, { commandMsMax: 300 })) as [TestNode, TestNode]
  await allUp([a, b])
  await Promise.all([a.open('ann'), b.open('bob')])
  process.kill(server.pid(), 'SIGSTOP')
  try {
    await until(() => a.state() === 'down', { what: 'it is noticed' })
    await a.route([entry(['ann', 'bob'], 1)])
    expect(a.sockets.get('ann')).toEqual(['{"seq":1}'])
  } finally {
    process.kill(server.pid(), 'SIGCONT')
  }
  await until(() => b.stats.suspects.told > 0, { what: 'b is told of what a could not send' })
  await allUp([a, b])
  await a.route([entry(['ann', 'bob'], 2)])
  await until(() => b.sockets.get('bob')?.includes('{"seq":2}') === true, { what: 'frames come again' })
})

test('a server that is not there at the start: the node serves what it has, and joins when it comes', async () => {
  const server = await startServer()
  await server.kill()
  const [a] = (await startNodes(server.url, ['a'], { startWaitMs: 500 }, { readyWaitMsMax: 300 })) as [TestNode]
  expect(a.state()).toBe('down')
  await a.open('ann')
  await a.route([entry(['ann'], 1)])
  expect(a.sockets.get('ann')).toEqual(['{"seq":1}'])
  await server.restart()
  await allUp([a])
  await until(() => a.suspicions.length > 0, { what: 'a loss is suspected' })
  expect(await a.store.whereabouts.find('presence', ['ann'])).toEqual([[a.place()]])
})

test('a server that is emptied under the nodes: they begin anew and enter everything again', async () => {
  const server = await startServer()
  const [a, b] = (await startNodes(server.url, ['a', 'b'])) as [TestNode, TestNode]
  await allUp([a, b])
  await Promise.all([a.open('ann'), b.open('bob')])
  const before = a.place()
  const redis = new Redis(server.url)
  await redis.flushall()
  redis.disconnect()
  await until(() => a.stats.fences === 1 && b.stats.fences === 1, { what: 'both lost their lease' })
  await until(() => a.suspicions.length > 0 && b.suspicions.length > 0, { what: 'a loss is suspected' })
  expect(a.place() > before).toBe(true)
  expect(await a.store.whereabouts.find('presence', ['ann', 'bob'])).toEqual([[a.place()], [b.place()]])
})

test('a write that the server lost is noticed by the revision of the roster', async () => {
  const server = await startServer()
  const [a] = (await startNodes(server.url, ['a'])) as [TestNode]
  await allUp([a])
  await a.open('ann')
  await a.open('bob')
  // As after a fail-over to a replica that had not got the last write yet.
  const redis = new Redis(server.url)
  await redis.del('flotilla:p:bob')
  await redis.hdel(`flotilla:at:${a.place()}`, 'pbob')
  await redis.hincrby(`flotilla:at:${a.place()}`, '#', -1)
  redis.disconnect()
  await until(() => a.suspicions.length > 0, { what: 'a loss is suspected' })
  expect(a.stats.suspects.entries_lost).toBe(1)
  expect(await a.store.whereabouts.find('presence', ['bob'])).toEqual([[a.place()]])
})

test('an entry that the server dropped by itself is found by the audit', async () => {
  const server = await startServer()
  const [a] = (await startNodes(server.url, ['a'], { auditNamesMax: 100 })) as [TestNode]
  await allUp([a])
  await a.open('bob')
  const redis = new Redis(server.url)
  await redis.del('flotilla:p:bob')
  redis.disconnect()
  await until(async () => (await a.store.whereabouts.find('presence', ['bob']))[0]?.[0] === a.place(), {
    what: 'the entry is back',
  })
  await until(() => a.suspicions.length > 0, { what: 'a loss is suspected' })
  expect(a.stats.restores).toBe(1)
})

test('people who come and go while the node beats are no sign of a loss', async () => {
  const server = await startServer()
  const [a] = (await startNodes(server.url, ['a'], { beatMs: 5 })) as [TestNode]
  await allUp([a])
  const beats = a.stats.beats
  for (let turn = 0; a.stats.beats < beats + 50; turn++) {
    const people = Array.from({ length: 20 }, (_, i) => `person-${turn % 10}-${i}`)
    await Promise.all(people.map(user => (turn % 20 < 10 ? a.open(user) : a.shut(user))))
  }
  expect(a.suspicions).toEqual([])
  expect(a.stats.restores).toBe(1)
})

test('a master of a cluster that comes back empty: its part is noticed and entered again', async () => {
  const cluster = await startRedisCluster()
  closers.push(() => cluster.stop())
  const [a, b] = (await startNodes(cluster.url, ['a', 'b'])) as [TestNode, TestNode]
  await allUp([a, b])
  const people = Array.from({ length: 100 }, (_, i) => `person-${i}`)
  await Promise.all(people.map(user => b.open(user)))
  await a.route([entry(people, 1)])
  await until(() => people.every(user => b.sockets.get(user)?.length === 1), { what: 'all got it' })
  for (const master of cluster.masters) {
    const before = b.stats.restores
    b.suspicions.length = 0
    const client = new Redis(master.url)
    await client.flushall()
    client.disconnect()
    await until(() => b.stats.restores > before && b.suspicions.length > 0, { what: 'what it held is entered again' })
    await allUp([a, b])
    const places = await a.store.whereabouts.find('presence', people)
    expect(new Set(places.flat())).toEqual(new Set([b.place()]))
  }
})

test('a master of a cluster that was killed and started again: everything heals', async () => {
  const cluster = await startRedisCluster()
  closers.push(() => cluster.stop())
  const [a, b] = (await startNodes(cluster.url, ['a', 'b'])) as [TestNode, TestNode]
  await allUp([a, b])
  const people = Array.from({ length: 100 }, (_, i) => `person-${i}`)
  await Promise.all(people.map(user => b.open(user)))
  const master = cluster.masters[0]!
  await master.kill()
  const killedAt = performance.now()
  await a.route([entry(people, 1)])
  const downMs = performance.now() - killedAt
  await master.restart()
  await until(() => b.suspicions.some(ageMs => ageMs >= Math.floor(downMs)), { what: 'a loss is suspected' })
  const isEntered = async () =>
    (await a.store.whereabouts.find('presence', people)).every(places => places?.[0] === b.place())
  await until(isEntered, { what: 'everybody is entered' })
  await allUp([a, b])
  await a.route([entry(people, 2)])
  await until(() => people.every(user => b.sockets.get(user)?.includes('{"seq":2}')), { what: 'frames come again' })
})

test('an inbox whose slot moves to another master of the cluster is heard there', async () => {
  const cluster = await startRedisCluster()
  closers.push(() => cluster.stop())
  const [a, b] = (await startNodes(cluster.url, ['a', 'b'], { beatMs: 60_000, leaseMs: 180_000 })) as [
    TestNode,
    TestNode,
  ]
  await allUp([a, b])
  await b.open('bob')
  const clients = cluster.masters.map(master => new Redis(master.url))
  const slot = await clients[0]!.cluster('KEYSLOT', 'flotilla:inbox:b')
  const ids = await Promise.all(clients.map(client => client.cluster('MYID')))
  const target = Math.floor(slot / Math.ceil(16_384 / 3)) === 0 ? 1 : 0
  for (const client of clients) await client.cluster('SETSLOT', slot, 'NODE', ids[target]!)
  for (const client of clients) client.disconnect()
  await until(() => b.suspicions.length > 0, { what: 'a loss is suspected' })
  await allUp([a, b])
  await a.route([entry(['bob'], 1)])
  await until(() => b.sockets.get('bob')?.length === 1, { what: 'the frame is there' })
})
