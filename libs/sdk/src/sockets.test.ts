/** The client on real sockets and real HTTP: what the simulation assumes of a WebSocket is true of Node's own. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type WebSocket as ServerSocket, WebSocketServer } from 'ws'
import { Client } from './client.ts'
import type { ConnectionState } from './connection.ts'

let http: Server
let sockets: WebSocketServer
let client: Client
let origin: string
let urls: string[]
let states: ConnectionState[]

beforeEach(async () => {
  http = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    const answer = { urls: urls.map(url => ({ url, region: 'r' })), ticket: 't', ticketExpiresInMs: 1, protocol: 1 }
    response.end(JSON.stringify(request.url === '/v1/connect' ? { ...answer, epoch: 1 } : {}))
  })
  sockets = new WebSocketServer({ server: http })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  origin = `http://127.0.0.1:${port}`
  urls = [`ws://127.0.0.1:${port}/v1/socket`]
  states = []
  client = new Client({ api: origin, getToken: async () => 'token', logger: { debug() {}, warn() {} } })
  client.on('state', state => states.push(state))
})
afterEach(async () => {
  await client.stop()
  for (const socket of sockets.clients) socket.terminate()
  sockets.close()
  http.close()
})

function greet(socket: ServerSocket): void {
  socket.on('message', (data: Buffer) => {
    const { id, op } = JSON.parse(data.toString()) as { id?: number; op: string }
    if (op === 'sync.resume') socket.send(JSON.stringify({ id, ok: { epoch: 1, verdicts: [] } }))
    if (op === 'message.send') socket.send(JSON.stringify({ id, ok: { seq: 1, at: 1, epoch: 1 } }))
  })
  const limits = { frameBytesMax: 32_768, commandsPerSecond: 100, commandsBurst: 100 }
  const names = { node: 'n', region: 'r', connection: 'c', user: 'u', session: 's' }
  const reconnect = { baseMs: 10, maxMs: 20 }
  const hello = { event: 'hello', protocol: 1, ...names, epoch: 1, at: 1, pingIntervalMs: 20_000, limits, reconnect }
  socket.send(JSON.stringify(hello))
}
function until(name: ConnectionState['name']): Promise<ConnectionState> {
  return new Promise(resolve => {
    const end = client.on('state', state => {
      if (state.name !== name) return
      end()
      resolve(state)
    })
  })
}

test('it connects, asks, sends, and comes back when it is told to, with the reason', async () => {
  sockets.on('connection', greet)
  const live = until('live')
  await client.start()
  await live
  expect(await client.send({ conversation: 'c', body: { text: 'hi' } }).acknowledged).toMatchObject({ seq: 1 })
  const waiting = until('waiting')
  for (const socket of sockets.clients) socket.close(4000, JSON.stringify({ code: 'node_draining' }))
  expect(await waiting).toMatchObject({ reason: 'node_draining' })
  await until('live')
})

test('a cut without a close frame is noticed', async () => {
  sockets.on('connection', greet)
  const live = until('live')
  await client.start()
  await live
  const waiting = until('waiting')
  for (const socket of sockets.clients) socket.terminate()
  expect(await waiting).toMatchObject({ reason: 'closed_1006' })
  await until('live')
})

test('an address where nobody listens: the second one', async () => {
  sockets.on('connection', greet)
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo
  free.close()
  urls = [`ws://127.0.0.1:${port}/v1/socket`, ...urls]
  const live = until('live')
  await client.start()
  await live
  expect(states.map(state => state.name)).toEqual(['connecting', 'waiting', 'connecting', 'live'])
})

test('a session that is over ends it', async () => {
  sockets.on('connection', socket => socket.close(4200, JSON.stringify({ code: 'session_ended' })))
  const stopped = until('stopped')
  await client.start()
  expect(await stopped).toEqual({ name: 'stopped', reason: 'session_ended', advice: 'sign_in' })
})
