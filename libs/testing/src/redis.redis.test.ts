import { Cluster, Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { startRedis, startRedisCluster, testRedis } from './redis.ts'

const running: { stop(): Promise<void> }[] = []
function keep<T extends { stop(): Promise<void> }>(server: T): T {
  running.push(server)
  return server
}
afterAll(async () => {
  await Promise.all(running.map(server => server.stop()))
})

async function withClient<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
  client.on('error', () => {})
  try {
    await client.connect()
    return await work(client)
  } finally {
    client.disconnect()
  }
}

test('a server that was killed comes back empty on its port', async () => {
  const server = keep(await startRedis({ args: ['--maxmemory', '64mb'] }))
  await withClient(server.url, client => client.set('held', '1'))
  expect(await withClient(server.url, client => client.config('GET', 'maxmemory'))).toEqual(['maxmemory', '67108864'])
  const before = server.pid()
  await server.kill()
  expect(server.running()).toBe(false)
  await expect(withClient(server.url, client => client.ping())).rejects.toThrow()
  await server.restart()
  expect(server.pid()).not.toBe(before)
  expect(await withClient(server.url, client => client.get('held'))).toBe(null)
  await withClient(server.url, client => client.set('held', '2'))
  await server.restart()
  expect(await withClient(server.url, client => client.get('held'))).toBe(null)
})

test('a port that is asked for is used, and an occupied one is a clear error', async () => {
  const first = keep(await startRedis())
  const port = first.port
  await expect(startRedis({ port })).rejects.toThrow('unable to start redis-server')
  await first.stop()
  expect(keep(await startRedis({ port })).url).toBe(`redis://127.0.0.1:${port}`)
})

test('two files do not hear each other', async () => {
  const [one, other] = [keep(await testRedis()), keep(await testRedis())]
  expect(one.url + one.keyPrefix).not.toBe(other.url + other.keyPrefix)
})

test('a cluster of three masters is whole and has sharded pub/sub', async () => {
  const cluster = keep(await startRedisCluster({ masters: 3 }))
  expect(cluster.masters).toHaveLength(3)
  const nodes = cluster.url.replace('redis-cluster://', '').split(',')
  const client = new Cluster(nodes.map(node => ({ host: '127.0.0.1', port: Number(node.split(':')[1]) })))
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) expect(await client.set(key, key)).toBe('OK')
  const sizes = await Promise.all(cluster.masters.map(master => withClient(master.url, one => one.dbsize())))
  expect(sizes.every(size => size < 6)).toBe(true)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(6)
  expect(await client.spublish('channel', 'nobody')).toBe(0)
  client.disconnect()
})
