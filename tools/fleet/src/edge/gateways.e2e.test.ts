/** The product itself behind the edge: real gateways, real tickets, a drain. */
import { randomUUID } from 'node:crypto'
import { createPool, type Pool } from '@flotilla/chat'
import { closeCodes } from '@flotilla/protocol'
import { silentLogger } from '@flotilla/service'
import {
  connectSocket,
  type Fleet,
  makeConversation,
  makeSessions,
  makeUsers,
  type RedisServer,
  startFleet,
  startRedis,
  type TestDatabase,
  testDatabase,
  until,
} from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Edge, startEdge } from '../nginx.ts'
import { nginxOrSkip } from './edge.testbed.ts'

const nginx = await nginxOrSkip()

describe.skipIf(nginx === undefined)('gateways behind the edge', () => {
  let database: TestDatabase
  let redis: RedisServer
  let pool: Pool
  let fleet: Fleet
  let edge: Edge

  beforeAll(async () => {
    database = await testDatabase()
    redis = await startRedis()
    pool = createPool({ url: database.url, connectionsMax: 4, logger: silentLogger, applicationName: 'test' })
    const settings = { DRAIN_MS: '1000' }
    fleet = await startFleet({ gateways: 2, databaseUrl: database.url, redisUrl: redis.url, settings })
    const at = fleet.nodes.map(node => new URL(node.directUrl).host)
    edge = await startEdge({ nginx: nginx!, env: { GATEWAYS: at.join(','), API: '127.0.0.1:9' } })
  })
  afterAll(async () => {
    await edge?.end()
    await fleet?.stop()
    await pool?.end()
    await redis?.stop()
    await database?.drop()
  })

  test('a message crosses it, a drained gateway’s people come back through it, and no ticket is logged', async () => {
    const users = await makeUsers(pool, 2)
    const sessions = await makeSessions(pool, users)
    const conversation = await makeConversation(pool, users)
    const tickets: string[] = []
    const open = (nth: number) => {
      const ticket = fleet.ticket(users[nth]!, sessions[nth]!)
      tickets.push(ticket)
      return connectSocket({ url: `ws://127.0.0.1:${edge.port}/v1/socket`, ticket })
    }
    const [alice, bob] = [await open(0), await open(1)]
    const send = (socket: typeof alice, text: string) =>
      socket.request('message.send', { conversation, clientId: randomUUID(), body: { text } })
    await send(alice, 'over the edge')
    await bob.nextEvent('message.new')

    const [draining] = await Promise.all(
      fleet.nodes.map(async node => ({ node, connections: await node.metric('flotilla_connections') })),
    ).then(counts => counts.filter(({ connections }) => connections > 0))
    const drained = draining!.node.drain()
    const moved = await Promise.race([alice, bob].map(socket => socket.closed.then(({ code }) => code)))
    expect(moved).toBe(closeCodes.node_draining.code)
    const back = await Promise.all([open(0), open(1)])
    await send(back[0]!, 'and again')
    await back[1]!.nextEvent('message.new')
    expect(await drained).toBe(0)
    for (const socket of [alice, bob, ...back]) await socket.terminate()
    await until(() => edge.requests().filter(line => line.status === 101).length >= 4, { what: 'all are logged' })
    for (const ticket of tickets) expect(edge.log()).not.toContain(ticket)
  })
})
