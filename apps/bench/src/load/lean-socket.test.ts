import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { until } from '@flotilla/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { LeanSocket } from './lean-socket.ts'

let server: WebSocketServer

beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
})

afterEach(() => {
  for (const client of server.clients) client.terminate()
  server.close()
})

function open() {
  const { port } = server.address() as AddressInfo
  const seen = { opened: false, frames: [] as string[], closes: [] as [number, string][] }
  const socket = new LeanSocket(
    { host: '127.0.0.1', port, path: '/?a=1' },
    {
      open: () => {
        seen.opened = true
      },
      frame: (buffer, start, end) => seen.frames.push(buffer.toString('utf8', start, end)),
      close: (code, reason) => seen.closes.push([code, reason]),
    },
  )
  return { socket, seen }
}

test('frames of every length go there and back whole', async () => {
  server.on('connection', peer => peer.on('message', data => peer.send(data, { binary: false })))
  const { socket, seen } = open()
  await until(() => seen.opened, { what: 'open' })
  const texts = [1, 125, 126, 65_535, 65_536, 400_000].map(length => 'abcdefgh'.repeat(length / 8 + 1).slice(0, length))
  for (const text of texts) socket.send(text)
  await until(() => seen.frames.length === texts.length, { what: 'all came back' })
  expect(seen.frames).toEqual(texts)
  socket.cut()
})

test('a frame that comes in pieces is put together', async () => {
  const pieces = [Buffer.from([0x81]), Buffer.from([5]), Buffer.from('he'), Buffer.from('llo')]
  server.on('connection', (_peer, request) => {
    pieces.forEach((piece, at) => setTimeout(() => request.socket.write(piece), at * 5))
  })
  const { socket, seen } = open()
  await until(() => seen.frames.length === 1, { what: 'the frame' })
  expect(seen.frames).toEqual(['hello'])
  socket.cut()
})

test('the code and the reason of a close are told, once', async () => {
  server.on('connection', peer => peer.close(4100, '{"retryMs":70}'))
  const { seen } = open()
  await until(() => seen.closes.length > 0, { what: 'closed' })
  expect(seen.closes).toEqual([[4100, '{"retryMs":70}']])
})

test('a server that does not upgrade is a close with its answer', async () => {
  server.options.verifyClient = (_info: unknown, answer: (ok: boolean, code: number) => void) => answer(false, 503)
  const { seen } = open()
  await until(() => seen.closes.length > 0, { what: 'closed' })
  expect(seen.opened).toBe(false)
  expect(seen.closes[0]![1]).toContain('503')
})

test('a ping of the server is answered', async () => {
  let ponged = ''
  server.on('connection', peer => {
    peer.on('pong', data => {
      ponged = data.toString('utf8')
    })
    peer.ping('here')
  })
  const { socket } = open()
  await until(() => ponged === 'here', { what: 'the pong' })
  socket.cut()
})
