/** Somebody with a foot in Redis: what they read, and what they write. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { dropFolder, freePort, makeFolder, type RedisServer, startRedis, until } from '@flotilla/testing'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createRedisRouting } from './redis.ts'
import { createSeal, type FleetKeys } from './seal.ts'
import { entryFrame, fleetKeys, patientLink, quietLogger, startNode, type TestNode } from './routing.testbed.ts'

let server: RedisServer
let intruder: Redis
let nodes: TestNode[] = []
beforeAll(async () => {
  server = await startRedis()
  intruder = new Redis(server.url)
})
afterEach(async () => {
  for (const node of nodes) {
    await node.stop()
    await node.store.close()
  }
  nodes = []
  await intruder.flushall()
})
afterAll(async () => {
  intruder.disconnect()
  await server.stop()
})

async function start(id: string, keys: FleetKeys = fleetKeys, url = server.url): Promise<TestNode> {
  const store = await createRedisRouting({ url, fleetKeys: keys, logger: quietLogger, ...patientLink })
  const node = await startNode(id, store)
  nodes.push(node)
  await until(() => node.state() === 'up', { what: `${id} is up` })
  return node
}

/** Everything that is published to an inbox from now on. */
async function tap(inbox: string) {
  const heard: Buffer[] = []
  const ear = intruder.duplicate()
  await ear.subscribe(`flotilla:inbox:${inbox}`)
  ear.on('messageBuffer', (_channel, bytes: Buffer) => void heard.push(bytes))
  const seal = createSeal(fleetKeys)
  return {
    heard,
    /** Whether an envelope with this text is among it, for those who have the keys. */
    has: (text: string) => heard.some(bytes => seal.open(bytes, `inbox:${inbox}`)?.includes(text) === true),
    end: () => ear.disconnect(),
  }
}

test('reads nothing of what people write, and nothing of the nodes', async () => {
  const [a, b] = [await start('a'), await start('b')]
  await b.open('bob')
  const { heard, has, end } = await tap('b')
  await a.route([entryFrame(['bob'], 'a secret')])
  await until(() => b.sockets.get('bob')!.length === 1 && has('a secret'), { what: 'it has come' })
  end()
  expect(Buffer.concat(heard).includes('secret')).toBe(false)
  expect(JSON.stringify(await intruder.hgetall('flotilla:leases'))).not.toContain('ws://')
})

test('cannot speak for a node: forged and repeated envelopes are dropped, counted, and stop nothing', async () => {
  const [a, b] = [await start('a'), await start('b')]
  await b.open('bob')
  const { heard, has, end } = await tap('b')
  await a.route([entryFrame(['bob'], 'one')])
  await until(() => b.sockets.get('bob')!.length === 1 && has('"one"'), { what: 'the first has come' })
  end()
  const header = { v: 1, from: a.place(), to: b.place(), n: 99, items: [{ to: ['bob'] }] }
  const forged = [
    `${JSON.stringify(header)}\n{"event":"message.new","text":"forged"}`,
    JSON.stringify({ ...header, items: undefined, suspect: -1e300 }),
    'no envelope at all',
    Buffer.concat([heard[0]!.subarray(0, -1), Buffer.from([heard[0]!.at(-1)! ^ 1])]),
    randomBytes(400),
  ]
  const malformed = b.stats.malformed
  for (const bytes of forged) await intruder.publish('flotilla:inbox:b', bytes as Buffer)
  await until(() => b.stats.malformed === malformed + forged.length, { what: 'all were looked at' })
  // What was sealed for one node is not taken by another, and no node takes it twice.
  for (const bytes of heard) {
    await intruder.publish('flotilla:inbox:a', bytes)
    await intruder.publish('flotilla:inbox:b', bytes)
  }
  await until(() => a.stats.malformed >= heard.length && b.stats.repeated > 0, { what: 'the copies were looked at' })
  expect(b.sockets.get('bob')).toHaveLength(1)
  await a.route([entryFrame(['bob'], 'two', 2)])
  await until(() => b.sockets.get('bob')!.length === 2, { what: 'the second has come' })
  // Looked for once in a while, in case a node with other keys was among them.
  expect(b.stats.suspects.unreadable).toBeGreaterThan(0)
  expect(b.stats.suspects.told).toBe(0)
})

test('cannot name a gateway of their own, nor change what one says', async () => {
  const [a, b] = [await start('a'), await start('b')]
  const info = { kind: 'gateway', url: 'ws://evil', region: 'here', connections: 0, accepting: true }
  const now = Date.now()
  const sealed = (await intruder.hget('flotilla:leases', b.place()))!.split(' ').at(-1)!
  await intruder.hset('flotilla:leases', {
    [`evil:${now}`]: `live 0 ${now} ${JSON.stringify(info)}`,
    [`thief:${now}`]: `live 0 ${now} ${sealed}`,
    'evil:1e300': `live 0 ${now} ${JSON.stringify(info)}`,
  })
  const views = a.stats.beats
  await until(() => a.stats.beats > views + 3, { what: 'a few beats' })
  expect(new Set(a.nodes().map(({ info: { url } }) => url))).toEqual(new Set(['ws://a', 'ws://b']))
  expect(
    a
      .nodes()
      .map(({ node }) => node)
      .toSorted(),
  ).toEqual(['a', 'b'])
})

test('cannot make a node deaf to another for longer than they speak for it', async () => {
  const [a, b] = [await start('a'), await start('b')]
  await b.open('bob')
  await a.route([entryFrame(['bob'], 'one')])
  await until(() => b.sockets.get('bob')!.length === 1, { what: 'the first has come' })
  const knowsB = () => a.nodes().some(({ node }) => node === 'b')
  const hide = async () => {
    await intruder.hset('flotilla:leases', b.place(), `live 0 ${Date.now()} forged`)
    return !knowsB()
  }
  await until(hide, { what: 'b is in no view', everyMs: 5 })
  await until(knowsB, { what: 'b is back' })
  await a.route([entryFrame(['bob'], 'two', 2)])
  await until(() => b.sockets.get('bob')!.length === 2, { what: 'the second has come' })
  expect(b.stats.repeated).toBe(0)
})

test('nodes with other keys are no fleet: what was sent is looked for, then all there count as away; a common key joins them', async () => {
  const next = { id: 'next', key: randomBytes(32) }
  const a = await start('a')
  const b = await start('b', [next])
  await b.open('bob')
  // A place that is in no view may be new. It is tried until a beat has shown that it is not.
  await a.route([entryFrame(['bob'], 'one', 7)])
  await until(() => b.stats.suspects.unreadable > 0, { what: 'it is looked for' })
  expect(a.nodes().map(({ node }) => node)).toEqual(['a'])
  const isAway = async () => {
    await a.route([entryFrame(['bob'], 'two', 8)])
    return a.absences.length > 0
  }
  await until(isAway, { what: 'he counts as away' })
  expect(b.sockets.get('bob')).toEqual([])
  await b.stop()
  const c = await start('c', [next, ...fleetKeys])
  const d = await start('d', [...fleetKeys, next])
  await d.open('eve')
  await until(() => c.nodes().some(({ node }) => node === 'd'), { what: 'c knows d' })
  await c.route([entryFrame(['eve'], 'three', 9)])
  await until(() => d.sockets.get('eve')!.length === 1, { what: 'it has come' })
})

/** The rights that docs/security.md names. */
const rights =
  '~flotilla:* &flotilla:* +ping +hello +auth +info +select +client|setname +cluster|slots +cluster|shards ' +
  '+get +set +del +mget +hget +hset +hdel +hgetall +hscan +hincrby +incrby +pexpire +pttl +time +eval +evalsha ' +
  '+publish +subscribe +spublish +ssubscribe'

test('the rights that are documented are enough for a node, and for nothing beside it', async () => {
  await intruder.acl(
    'SETUSER',
    'flotilla',
    'on',
    '>secret',
    'resetkeys',
    'resetchannels',
    '-@all',
    ...rights.split(' '),
  )
  const url = server.url.replace('redis://', 'redis://flotilla:secret@')
  const [a, b] = [await start('a', fleetKeys, url), await start('b', fleetKeys, url)]
  await b.open('bob')
  await b.join('large')
  await a.watch(['bob'])
  await a.route([entryFrame(['bob'], 'hello')])
  await until(() => b.sockets.get('bob')!.length === 1, { what: 'it has come' })
  expect(await a.online(['bob', 'eve'])).toEqual(new Set(['bob']))
  expect(await a.hit('tries', 60_000)).toMatchObject({ count: 1 })
  await b.leave('large')
  await b.shut('bob')
  const user = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0 })
  onTestFinished(() => user.disconnect())
  await user.connect()
  for (const command of [
    ['keys', '*'],
    ['get', 'other:key'],
    ['publish', 'other', ''],
    ['flushall'],
    ['config', 'get', '*'],
  ])
    await expect(user.call(command[0]!, ...command.slice(1))).rejects.toThrow(/NOPERM/)
})

test('over TLS a node speaks to no server whose certificate it cannot check', async () => {
  const folder = makeFolder('redis-tls')
  onTestFinished(() => dropFolder(folder))
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  const run = promisify(execFile)
  const subject = '-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1'
  const made = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 ${subject}`.split(' ')
  await run('openssl', [...made, '-keyout', key, '-out', certificate])
  const port = await freePort()
  const args = ['--tls-port', port, '--tls-cert-file', certificate, '--tls-key-file', key, '--tls-auth-clients', 'no']
  const secured = await startRedis({ args: args.map(String) })
  onTestFinished(() => secured.stop())
  const program = `
    import { createRedisRouting } from '@flotilla/routing'
    const logger = { debug() {}, info() {}, warn() {}, error() {} }
    const fleetKeys = [{ id: 'k', key: new Uint8Array(32) }]
    const waitMs = Number(process.argv[2])
    const link = { commandMsMax: waitMs, connectMsMax: waitMs, readyWaitMsMax: waitMs }
    const store = await createRedisRouting({ url: process.argv[1], fleetKeys, logger, ...link })
    console.log(await store.counters.hit('tries', 60_000).then(({ count }) => 'reached ' + count, () => 'refused'))
    await store.close()`
  const reach = async (waitMs: number, env: Record<string, string>) => {
    const options = { cwd: import.meta.dirname, env: { ...process.env, ...env } }
    const url = `rediss://127.0.0.1:${port}`
    const flags = ['--conditions=source', '--input-type=module', '-e', program, url, String(waitMs)]
    return (await run(process.execPath, flags, options)).stdout.trim()
  }
  expect(await reach(5_000, {})).toBe('refused')
  expect(await reach(60_000, { NODE_EXTRA_CA_CERTS: certificate })).toBe('reached 1')
})
