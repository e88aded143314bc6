/** A stand of plain processes: gateways, PostgreSQL and Redis, and an edge in miniature. It needs no cluster. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type FleetNode, freshDatabase, startFleet, startPostgres, startRedis } from '@flotilla/testing'
import { startBalancer } from './balancer.ts'
import { startStore } from './load.ts'
import type { Stand } from './stand.ts'

export interface ProcessStandOptions {
  readonly gateways: number
  readonly drainMs: number
  /** A new gateway is trusted after this time: only then the next old one drains. */
  readonly restMs?: number
  /** Further settings of the gateways; see docs/configuration.md. */
  readonly settings?: Readonly<Record<string, string>>
}

const connectsPerSecond = 500
const connectionsMax = 18_000

export async function startProcessStand(options: ProcessStandOptions): Promise<Stand> {
  const { drainMs, restMs = drainMs } = options
  const [postgres, redis] = await Promise.all([startPostgres({ durable: true }), startRedis()])
  const database = await freshDatabase(postgres.url)
  const fleet = await startFleet({
    gateways: options.gateways,
    databaseUrl: database.url,
    redisUrl: redis.url,
    settings: { DRAIN_MS: String(drainMs), CONNECTS_PER_SECOND: String(connectsPerSecond), ...options.settings },
  })
  const store = await startStore({ databaseUrl: database.url, masterKeys: fleet.masterKeys })
  /** Those that take connections: a draining one is none of them from the moment on that it is told to drain. */
  const open = new Set<FleetNode>(fleet.nodes)
  const balancer = await startBalancer(() =>
    [...open].map(node => {
      const { hostname, port } = new URL(node.directUrl)
      return { name: node.id, host: hostname, port: Number(port) }
    }),
  )
  /** As much of the API as clients need to find the way. */
  const api = createServer((request, response) => {
    const [user = '', session = ''] = (request.headers.authorization ?? '').replace('Bearer ', '').split(' ')
    const urls = [{ url: `ws://127.0.0.1:${balancer.port}/v1/socket`, region: 'local' }]
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ ...fleet.connect(user, session), urls }))
  })
  await new Promise<void>(resolve => api.listen(0, '127.0.0.1', resolve))

  const add = async () => void open.add(await fleet.add())
  const drain = async (node: FleetNode) => {
    open.delete(node)
    await node.drain()
  }
  return {
    store,
    way: { api: `http://127.0.0.1:${(api.address() as AddressInfo).port}` },
    launcher: [],
    admission: { connectsPerSecond, connectionsMax },
    gateways: () => Promise.resolve([...open].map(node => node.id)),
    async rollOut() {
      const old = [...open]
      const draining: Promise<void>[] = []
      for (const node of old) {
        await add()
        draining.push(drain(node))
        await new Promise(resolve => setTimeout(resolve, restMs))
      }
      await Promise.all(draining)
    },
    async scale(gateways) {
      while (open.size < gateways) await add()
      const nodes = [...open]
      await Promise.all(nodes.slice(gateways).map(drain))
    },
    async kill() {
      const [node] = open
      open.delete(node!)
      await node!.kill()
      await add()
    },
    async stop() {
      await store.call('close')
      await store.stop()
      await balancer.close()
      api.closeAllConnections()
      api.close()
      await fleet.stop()
      await Promise.all([postgres.drop(), redis.stop()])
    },
  }
}
