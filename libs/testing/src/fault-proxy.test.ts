import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { until } from './until.ts'

/** One end of a connection and what has come out of it. */
interface End {
  readonly socket: Socket
  readonly chunks: Buffer[]
  text(): string
  /** `end` after a FIN, the error's code after a RST. */
  readonly over: Promise<string>
}

function watch(socket: Socket): End {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  const over = new Promise<string>(resolve => {
    socket.once('end', () => resolve('end'))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
  return { socket, chunks, text: () => Buffer.concat(chunks).toString(), over }
}

let target: Server
let proxy: FaultProxy
let ends: End[]

beforeEach(async () => {
  ends = []
  target = createServer({ allowHalfOpen: true })
  target.listen(0, '127.0.0.1')
  await once(target, 'listening')
  proxy = await startFaultProxy({
    target: { host: '127.0.0.1', port: (target.address() as AddressInfo).port },
    random: () => 0.5,
  })
})
afterEach(async () => {
  await proxy.close()
  for (const end of ends) end.socket.destroy()
  target.close()
})

async function open(): Promise<{ client: End; server: End }> {
  const accepted = once(target, 'connection') as Promise<[Socket]>
  const client = watch(connect({ port: proxy.port, host: proxy.host, allowHalfOpen: true }))
  const [socket] = await accepted
  const server = watch(socket)
  ends.push(client, server)
  return { client, server }
}
const arrives = (end: End, text: string) => until(() => end.text() === text, { what: `${text} has arrived` })

test('without a fault bytes and ends pass both ways', async () => {
  const { client, server } = await open()
  client.socket.write('question')
  await arrives(server, 'question')
  client.socket.end()
  expect(await server.over).toBe('end')
  server.socket.end('answer')
  expect(await client.over).toBe('end')
  expect(client.text()).toBe('answer')
  await until(() => proxy.connections().every(one => !one.open), { what: 'the proxy knows that it is over' })
  const ended = { index: 0, clientPort: expect.any(Number), open: false, bytesUp: 8, bytesDown: 6, bytesSwallowed: 0 }
  expect(proxy.connections()).toEqual([ended])
})

test('latency and jitter delay and keep the order', async () => {
  const { client, server } = await open()
  proxy.set({ latencyMs: 60, jitterMs: 40 })
  const start = performance.now()
  for (const digit of '0123456789') client.socket.write(digit)
  await arrives(server, '0123456789')
  expect(performance.now() - start).toBeGreaterThanOrEqual(79)
})

test('a narrow line takes its time and pushes back on the sender', async () => {
  const { client, server } = await open()
  proxy.set({ bandwidthBytesPerSecond: 200_000 })
  const start = performance.now()
  client.socket.write(Buffer.alloc(30_000))
  await until(() => server.text().length === 30_000, { what: 'everything has arrived' })
  expect(performance.now() - start).toBeGreaterThanOrEqual(149)
  expect(proxy.connections()[0]?.bytesUp).toBe(30_000)
  proxy.set({ bandwidthBytesPerSecond: 1_000 })
  // Kernels hold a few megabytes; the rest stays with the sender for as long as the line is narrow.
  client.socket.write(Buffer.alloc(32_000_000))
  const lengths: number[] = []
  await until(() => lengths.push(client.socket.writableLength) > 20 && new Set(lengths.slice(-20)).size === 1, {
    what: 'nothing more is taken from the sender',
  })
  expect(client.socket.writableLength).toBeGreaterThan(8_000_000)
})

test('a cut ends both sides in order, one connection or all', async () => {
  const [first, second, third] = [await open(), await open(), await open()]
  proxy.cut(1)
  expect(await Promise.all([second.client.over, second.server.over])).toEqual(['end', 'end'])
  expect(proxy.connections().map(one => one.open)).toEqual([true, false, true])
  first.client.socket.write('still here')
  await arrives(first.server, 'still here')
  proxy.cut()
  expect(await Promise.all([first.client.over, third.server.over])).toEqual(['end', 'end'])
})

test('a reset breaks both sides off, chosen by what they are', async () => {
  const [first, second] = [await open(), await open()]
  first.client.socket.write('talkative')
  await arrives(first.server, 'talkative')
  proxy.reset(connection => connection.bytesUp > 0)
  expect(await Promise.all([first.client.over, first.server.over])).toEqual(['ECONNRESET', 'ECONNRESET'])
  second.client.socket.write('well')
  await arrives(second.server, 'well')
})

test('half-open: bytes and ends vanish in one direction and nobody is told', async () => {
  const { client, server } = await open()
  proxy.halfOpen(true, { direction: 'up' })
  client.socket.write('lost')
  server.socket.write('heard')
  await arrives(client, 'heard')
  await until(() => proxy.connections()[0]?.bytesSwallowed === 4, { what: 'it was swallowed' })
  client.socket.end()
  server.socket.write(', and this')
  await arrives(client, 'heard, and this')
  expect(server.text()).toBe('')
  const later = await open()
  later.client.socket.write('lost as well')
  await until(() => proxy.connections()[1]?.bytesSwallowed === 12, { what: 'it was swallowed' })
  proxy.halfOpen(false)
  later.client.socket.write('found')
  await arrives(later.server, 'found')
  proxy.reset(0)
  expect(await server.over).toBe('ECONNRESET')
})

test('a client that breaks off while the line is half-open leaves its node in the dark', async () => {
  const { client, server } = await open()
  proxy.halfOpen(true)
  client.socket.resetAndDestroy()
  server.socket.write('are you there')
  const other = await open()
  proxy.halfOpen(false, { which: 1 })
  other.client.socket.write('a round trip')
  await arrives(other.server, 'a round trip')
  expect(server.socket.destroyed).toBe(false)
  expect(proxy.connections()[0]?.open).toBe(true)
})

test('slicing delivers in pieces', async () => {
  const { client, server } = await open()
  proxy.slice(3)
  client.socket.write('abcdefgh')
  await arrives(server, 'abcdefgh')
  expect(server.chunks.length).toBeGreaterThan(1)
  expect(Math.max(...server.chunks.map(chunk => chunk.length))).toBeLessThan(8)
})

test('while it refuses nobody gets in, and those inside stay', async () => {
  const inside = await open()
  await proxy.refuse(true)
  const refused = watch(connect({ port: proxy.port, host: proxy.host }))
  expect(await refused.over).toBe('ECONNREFUSED')
  inside.client.socket.write('inside')
  await arrives(inside.server, 'inside')
  await proxy.refuse(false)
  const next = await open()
  next.client.socket.write('next')
  await arrives(next.server, 'next')
})

test('a target that is away is a broken connection', async () => {
  target.close()
  const client = watch(connect({ port: proxy.port, host: proxy.host }))
  expect(await client.over).toBe('ECONNRESET')
  await until(() => proxy.connections().every(one => !one.open), { what: 'it is over' })
})

test.each([
  [0, ''],
  [5, '01234'],
  [6, '012345'],
  [9, '012345678'],
])('a trap lets exactly %i bytes pass, whatever the chunks, then cuts', async (bytes, text) => {
  const { client, server } = await open()
  const sprung = proxy.trap({ direction: 'down', when: { bytes }, action: 'cut' })
  for (const chunk of ['012345', '6789', 'abc']) {
    server.socket.write(chunk)
    await new Promise(setImmediate)
  }
  expect(await sprung).toMatchObject({ index: 0, bytesDown: bytes })
  expect(await client.over).toBe('end')
  expect(client.text()).toBe(text)
  expect(await server.over).toBe('end')
})

test('a trap does not wait for a byte more than it was told', async () => {
  const { client, server } = await open()
  const sprung = proxy.trap({ direction: 'down', when: { bytes: 6 }, action: 'cut' })
  server.socket.write('012345')
  await sprung
  expect(await client.over).toBe('end')
  expect(client.text()).toBe('012345')
})

test('a trap springs at a pattern that lies across chunks, once, on the connection meant', async () => {
  const [first, second] = [await open(), await open()]
  const sprung = proxy.trap({ direction: 'down', when: { pattern: '"ok":{"seq"' }, action: 'reset', which: 1 })
  first.server.socket.write('{"id":1,"ok":{"seq":1}}')
  await arrives(first.client, '{"id":1,"ok":{"seq":1}}')
  second.server.socket.write('{"id":1,"ok"')
  await arrives(second.client, '{"id":1,"ok"')
  second.server.socket.write(':{"seq":1}}')
  expect(await sprung).toMatchObject({ index: 1 })
  expect(await second.client.over).toBe('ECONNRESET')
  expect(second.client.text()).toBe('{"id":1,"ok"')
  const third = await open()
  third.server.socket.write('"ok":{"seq"')
  await arrives(third.client, '"ok":{"seq"')
})

test('a trap that swallows leaves the connection open and the other direction whole', async () => {
  const { client, server } = await open()
  const sprung = proxy.trap({ direction: 'up', when: { pattern: 'COMMIT' }, action: 'swallow' })
  client.socket.write('BEGIN; COMMIT; BEGIN')
  await sprung
  client.socket.write('lost')
  server.socket.write('down')
  await arrives(client, 'down')
  await arrives(server, 'BEGIN; ')
  await until(() => proxy.connections()[0]?.bytesSwallowed === 17, { what: 'the rest was swallowed' })
  expect(proxy.connections()[0]?.bytesUp).toBe(7)
  expect(server.text()).toBe('BEGIN; ')
})

test('a trap holds behind bytes that are late', async () => {
  const { client, server } = await open()
  proxy.set({ latencyMs: 30 })
  const sprung = proxy.trap({ direction: 'up', when: { bytes: 4 }, action: 'swallow' })
  client.socket.write('earlier')
  await until(() => proxy.connections()[0]?.bytesSwallowed === 3, { what: 'the trap is in the way' })
  client.socket.write(' and later')
  await sprung
  await until(() => proxy.connections()[0]?.bytesSwallowed === 13, { what: 'the rest was swallowed' })
  await arrives(server, 'earl')
})
