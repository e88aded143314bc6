/** The port for clients as HTTP: what it takes before an upgrade, and what it says to whoever wants none. */
import { connect } from 'node:net'
import { until } from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serveSockets, type SocketServer } from './server.ts'

let server: SocketServer
/** What was told of the last upgrade. */
let asked = {}
/** The tickets of those who were told as closed. */
const closed: string[] = []
const path = '/v1/socket'

beforeAll(async () => {
  server = await serveSockets<{ ticket: string }>(
    {
      host: '127.0.0.1',
      port: 0,
      path,
      frameBytesMax: 1_024,
      replyBytesMax: 262_144,
      sendQueueBytesMax: 65_536,
      socketsMax: 100,
      idleSeconds: 30,
    },
    {
      upgrade(request) {
        asked = { peer: request.peer, hops: request.header('x-forwarded-for') }
        return { address: '', retryMs: 0 }
      },
      open(socket, { ticket }) {
        if (ticket === 'refused') socket.end(4_000, '')
        return { ticket }
      },
      message: () => {},
      binary: () => {},
      drained: () => {},
      close: ({ ticket }) => void closed.push(ticket),
    },
  )
})
afterAll(() => server.close())

/** Says it raw, and returns the head of the answer with what came with it. */
function say(request: string, headers: readonly string[] = []): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1')
    socket.write([`${request} HTTP/1.1`, 'host: x', ...headers, '', ''].join('\r\n'))
    socket.once('data', chunk => {
      resolve(String(chunk))
      socket.destroy()
    })
    socket.once('error', reject)
  })
}
const upgrade = [
  'connection: upgrade',
  'upgrade: websocket',
  'sec-websocket-version: 13',
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
]
const cookieOf = (bytes: number) => `cookie: ${'c'.repeat(bytes)}`

test('headers may have 16 kB, as at the API, and no end of them is refused', async () => {
  for (const bytes of [0, 3_600, 12_000, 16_384])
    expect(await say(`GET ${path}`, [...upgrade, cookieOf(bytes)]), `${bytes}`).toMatch(/^HTTP\/1\.1 101 /)
  expect(await say(`GET ${path}`, [...upgrade, cookieOf(30_000)])).toMatch(/^HTTP\/1\.1 431 /)
})

test('whatever opens no socket is told why, in the shape of the errors of the API', async () => {
  const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as unknown
  const plain = await say(`GET ${path}?ticket=x`)
  expect(plain).toMatch(/^HTTP\/1\.1 426 [\s\S]*upgrade: websocket/)
  expect(bodyOf(plain)).toMatchObject({ error: { code: 'upgrade_required' } })
  for (const method of ['POST', 'DELETE', 'OPTIONS', 'BREW']) {
    const answer = await say(`${method} ${path}`, ['content-length: 0'])
    expect(answer).toMatch(/^HTTP\/1\.1 405 [\s\S]*allow: GET\r\n/)
    expect(bodyOf(answer)).toMatchObject({ error: { code: 'method_not_allowed' } })
  }
  const other = await say('GET /elsewhere')
  expect(other).toMatch(/^HTTP\/1\.1 404 [\s\S]*content-type: application\/json/)
  expect(bodyOf(other)).toMatchObject({ error: { code: 'route_unknown' } })
  expect(await say(`HEAD ${path}`), 'no body').toMatch(/^HTTP\/1\.1 405 [\s\S]*\r\n\r\n$/)
})

test('of a header that comes in several lines all are told, so that no caller stands before what a proxy wrote', async () => {
  const lines = ['X-Forwarded-For: 1.2.3.4', 'x-forwarded-for: 5.6.7.8, 192.0.2.1']
  expect(await say(`GET ${path}`, [...upgrade, ...lines])).toMatch(/^HTTP\/1\.1 101 /)
  expect(asked).toEqual({ peer: '127.0.0.1', hops: '1.2.3.4,5.6.7.8, 192.0.2.1' })
})

test.each(['12', '8', '13, 8', ''])(
  'version %j of WebSocket opens none, and is told the one there is',
  async version => {
    const other = upgrade.filter(header => !header.startsWith('sec-websocket-version'))
    const answer = await say(`GET ${path}`, [
      ...other,
      ...(version === '' ? [] : [`sec-websocket-version: ${version}`]),
    ])
    expect(answer).toMatch(/^HTTP\/1\.1 426 [\s\S]*sec-websocket-version: 13\r\n[\s\S]*"upgrade_required"/)
  },
)

/** Head, key, and the body under it, as a client sends it. */
function masked(head: readonly number[], body: readonly number[]): Buffer {
  const key = [1, 2, 3, 4]
  return Buffer.from([...head, ...key, ...body.map((byte, at) => byte ^ key[at % 4]!)])
}
/** What a socket hears after such a frame, until it is closed. */
function hearAfter(frame: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1')
    const heard: Buffer[] = []
    let isUp = false
    socket.write([`GET ${path} HTTP/1.1`, 'host: x', ...upgrade, '', ''].join('\r\n'))
    socket.on('data', chunk => {
      if (isUp) heard.push(chunk)
      else socket.write(frame)
      isUp = true
    })
    socket.once('close', () => resolve(Buffer.concat(heard).toString('hex')))
    socket.once('error', reject)
  })
}

// What docs/protocol.md says of the library: should it learn to say 1002 and 1007, the paper is to be mended.
test.each([
  ['text that is no UTF-8', masked([0x81, 0x82], [0xc3, 0x28])],
  ['a bit that is reserved', masked([0xc1, 0x81], [0x41])],
  ['an operation that is reserved', masked([0x83, 0x81], [0x41])],
  ['a ping in pieces', masked([0x09, 0x81], [0x41])],
  [
    'a ping too long',
    masked(
      [0x89, 0xfe, 0, 128],
      Array.from({ length: 128 }, () => 0x41),
    ),
  ],
  ['a piece of nothing', masked([0x80, 0x81], [0x41])],
  [
    'a frame far too large',
    masked(
      [0x81, 0xfe, 0x0f, 0xa0],
      Array.from({ length: 4_000 }, () => 0x41),
    ),
  ],
])('%s ends the connection without a word', async (_name, frame) => {
  expect(await hearAfter(frame)).toBe('')
})

test('a close is answered with a close', async () => {
  expect(await hearAfter(masked([0x88, 0x82], [0x03, 0xe8]))).toBe('880203e8')
})

test('a socket that is refused when it opens is told as closed once, as any other: what is counted for it is given back', async () => {
  await say(`GET ${path}?ticket=refused`, upgrade)
  await say(`GET ${path}?ticket=taken`, upgrade)
  await until(() => closed.includes('taken'), { what: 'both are closed', withinMs: 10_000 })
  expect(closed.filter(ticket => ticket !== '')).toEqual(['refused', 'taken'])
})
