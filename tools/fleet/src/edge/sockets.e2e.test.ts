/** Sockets through a real edge while gateways come and go: who keeps theirs, and where new ones land. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { freePort, until } from '@flotilla/testing'
import { type NameServer, startNameServer } from '../name-server.ts'
import { type Edge, startEdge } from '../nginx.ts'
import { type Backend, type CallerSocket, nginxOrSkip, openSocket, startBackend, tally } from './edge.testbed.ts'

const nginx = await nginxOrSkip()

describe.skipIf(nginx === undefined)('sockets through the edge', () => {
  let names: NameServer
  let edge: Edge
  let port: number
  let gateways: Backend[] = []
  let callers: CallerSocket[] = []

  const addresses = (...gateways: readonly Backend[]) => gateways.map(gateway => gateway.at.split(':')[0] ?? '')
  const startGateway = async (nth: number) => {
    const gateway = await startBackend({ name: `g${nth}`, host: `127.0.1.${nth}`, port })
    gateways.push(gateway)
    return gateway
  }
  const open = async (count: number) => {
    const opened = await Promise.all(Array.from({ length: count }, () => openSocket({ port: edge.port })))
    callers.push(...opened.filter(socket => socket.status === 101))
    return opened
  }
  /** Changes the name, and waits until the edge has asked for it and asks again: then it has taken the answer in. */
  const nameThem = async (...gateways: readonly Backend[]) => {
    names.set('gateways.test', addresses(...gateways))
    const before = names.asked('gateways.test')
    await until(() => names.asked('gateways.test') > before + 1, { what: 'the edge looks the name up again' })
  }
  /** New sockets until one lands on this gateway: then its name was looked up again. */
  const untilSeen = (gateway: Backend) =>
    until(async () => (await open(1)).some(socket => socket.node === gateway.name), {
      what: `${gateway.name} is found`,
    })

  beforeAll(async () => {
    names = await startNameServer()
    port = await freePort()
    edge = await startEdge({
      nginx: nginx!,
      env: { GATEWAYS: `gateways.test:${port}`, API: `127.0.0.1:${await freePort()}`, RESOLVER: names.address },
    })
  })
  afterEach(async () => {
    for (const caller of callers) caller.end()
    for (const gateway of gateways) await gateway.close()
    gateways = []
    callers = []
  })
  afterAll(async () => {
    await edge?.end()
    await names?.close()
  })

  test('stay while gateways come and go, and carry what is sent', async () => {
    const [one, two] = [await startGateway(1), await startGateway(2)]
    names.set('gateways.test', addresses(one, two))
    await untilSeen(one)
    await untilSeen(two)
    await open(60)
    const before = [...callers]
    const three = await startGateway(3)
    names.set('gateways.test', addresses(one, two, three))
    await untilSeen(three)
    await nameThem(two, three)
    expect(tally((await open(40)).map(socket => socket.node)).get('g1')).toBeUndefined()
    expect(before.filter(socket => !socket.open)).toHaveLength(0)
    await Promise.all(callers.map((socket, nth) => socket.echo(`frame ${nth}`)))
    expect(one.sockets() + two.sockets() + three.sockets()).toBe(callers.length)
    // Each waits at both ends, and the connection that asks is one too.
    await until(async () => (await edge.status()).active === callers.length + 1, { what: 'nginx counts them' })
  })

  test('a new gateway gets its share, not everything; one that is gone from DNS gets nothing', async () => {
    const [one, two] = [await startGateway(4), await startGateway(5)]
    names.set('gateways.test', addresses(one, two))
    await untilSeen(one)
    await untilSeen(two)
    await open(120)
    const three = await startGateway(6)
    names.set('gateways.test', addresses(one, two, three))
    await untilSeen(three)
    const landed = tally((await open(60)).map(socket => socket.node))
    // Of two drawn at random out of three the new one is there two times in three. `least_conn` would give it all 60.
    expect(landed.get('g6')).toBeGreaterThan(20)
    expect(landed.get('g6')).toBeLessThan(58)
    await nameThem(two, three)
    expect(tally((await open(60)).map(socket => socket.node)).get('g4')).toBeUndefined()
  })

  test('a gateway that refuses before the upgrade is heard, and set aside for it neither alone nor in a storm', async () => {
    const [one, two] = [await startGateway(7), await startGateway(8)]
    names.set('gateways.test', addresses(one, two))
    await untilSeen(one)
    await untilSeen(two)
    one.behave({ status: 503 })
    const landed = tally((await open(60)).map(socket => `${socket.status} ${socket.node}`))
    expect([...landed.keys()].toSorted()).toEqual(['101 g8', '503 '])
    // Set aside after a few refusals, it would have heard no more than those.
    expect(landed.get('503 ')).toBeGreaterThan(10)
    two.behave({ status: 503 })
    const storm = await Promise.all(Array.from({ length: 60 }, () => openSocket({ port: edge.port })))
    expect(storm.filter(socket => socket.headers['retry-after'] === '7')).toHaveLength(60)
    one.behave('well')
    two.behave('well')
    expect((await open(20)).filter(socket => socket.status === 101)).toHaveLength(20)
  })

  test('a gateway that dies takes only its own sockets', async () => {
    const [one, two] = [await startGateway(10), await startGateway(11)]
    names.set('gateways.test', addresses(one, two))
    await untilSeen(one)
    await untilSeen(two)
    const onTwo = callers.filter(socket => socket.node === 'g11')
    await one.close()
    await Promise.all(callers.filter(socket => socket.node === 'g10').map(socket => socket.closed))
    expect(onTwo.every(socket => socket.open)).toBe(true)
    expect(tally((await open(20)).map(socket => `${socket.status} ${socket.node}`)).get('101 g11')).toBe(20)
  })

  test('when every gateway refuses, the caller hears when to come again; with none at all as well', async () => {
    const one = await startGateway(9)
    names.set('gateways.test', addresses(one))
    await untilSeen(one)
    one.behave({ status: 503 })
    const refused = await openSocket({ port: edge.port })
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '7'])
    await one.close()
    names.set('gateways.test', [])
    await until(async () => Number((await openSocket({ port: edge.port })).headers['retry-after']) < 7, {
      what: 'the edge answers by itself',
    })
  })
})
