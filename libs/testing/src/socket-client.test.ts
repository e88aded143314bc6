import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { connectSocket, RequestError, type TestSocket } from './socket-client.ts'

const hello = { event: 'hello', node: 'n1' }
const conversation = '00000000-0000-4000-8000-000000000001'
let server: WebSocketServer
let url: string
/** What the server side of the next connection does. */
let serve: (socket: WebSocket, ticket: string | null, v: string | null) => void
const heard: { data: string; binary: boolean }[] = []

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/socket`
  server.on('connection', (socket, request) => {
    const asked = new URL(request.url ?? '', url)
    serve(socket, asked.searchParams.get('ticket'), asked.searchParams.get('v'))
  })
})
afterAll(() => {
  for (const socket of server.clients) socket.terminate()
  server.close()
})

/** A node that answers every command with its own fields, and `conversation.explode`-like ones with an error. */
function echo(socket: WebSocket): void {
  const send = (frame: object) => socket.send(JSON.stringify(frame))
  send(hello)
  socket.on('message', (data: Buffer, binary) => {
    heard.push({ data: data.toString('latin1'), binary })
    if (binary || !data.toString().startsWith('{')) return
    const { id, op, ...fields } = JSON.parse(data.toString()) as { id?: number; op: string }
    if (op === 'typing.start') send({ id, error: { code: 'not_a_member', message: 'no' } })
    else if (id !== undefined) send({ id, ok: fields })
    for (const seq of op === 'message.read' ? [1, 2] : []) send({ event: 'message.new', seq })
  })
}

async function open(onFrame?: (frame: unknown) => void, keep?: boolean): Promise<TestSocket> {
  serve = echo
  return connectSocket({
    url,
    ticket: 'a b',
    ...(onFrame === undefined ? {} : { onFrame }),
    ...(keep === undefined ? {} : { keep }),
  })
}

test('it shows its ticket and version, and is there with the hello', async () => {
  const asked: unknown[] = []
  serve = (socket, ticket, v) => {
    asked.push(ticket, v)
    socket.send(JSON.stringify(hello))
  }
  const socket = await connectSocket({ url, ticket: 'a+b/c=', protocol: 9 })
  expect(socket.hello).toEqual(hello)
  expect(asked).toEqual(['a+b/c=', '9'])
  expect(socket.open).toBe(true)
})

test('many requests under way find their own replies; an error is thrown with its body', async () => {
  const socket = await open()
  const pages = await Promise.all([3, 1, 2].map(limit => socket.request('history.page', { conversation, limit })))
  expect(pages).toEqual([3, 1, 2].map(limit => ({ conversation, limit })))
  const refused = socket.request('typing.start', { conversation })
  await expect(refused).rejects.toBeInstanceOf(RequestError)
  await expect(refused).rejects.toMatchObject({ code: 'not_a_member', body: { message: 'no' } })
  await socket.close()
})

test('events wait for whoever asks, each is taken once, in order', async () => {
  const frames: unknown[] = []
  const socket = await open(frame => frames.push(frame))
  socket.tell('message.read', { conversation, seq: 1 })
  expect(await socket.nextEvent(event => event.event === 'message.new' && event.seq === 2)).toMatchObject({ seq: 2 })
  expect(await socket.nextEvent('message.new')).toMatchObject({ seq: 1 })
  await expect(socket.nextEvent('message.new', 20)).rejects.toThrow('not within 20 ms: message.new')
  expect(socket.received).toEqual([hello, { event: 'message.new', seq: 1 }, { event: 'message.new', seq: 2 }])
  expect(frames).toEqual(socket.received)
  await socket.close()
})

test('anything can be sent: text, bytes, bytes as text, and a command with an id of its own', async () => {
  const socket = await open()
  heard.length = 0
  await socket.sendRaw('no json')
  await socket.sendRaw(Buffer.from([1, 2]))
  await socket.sendRaw(Buffer.from('as text'), { binary: false })
  await socket.sendRaw('{"id":77,"op":"ping"}')
  await socket.sendRaw('{"id":78,"op":"ping"}')
  expect(await socket.nextReply(78)).toEqual({ id: 78, ok: {} })
  expect(await socket.nextReply(77)).toEqual({ id: 77, ok: {} })
  expect(heard.slice(0, 3)).toEqual([
    { data: 'no json', binary: false },
    { data: '\x01\x02', binary: true },
    { data: 'as text', binary: false },
  ])
  await socket.terminate()
})

test('a close is told with code and reason, and fails what waits', async () => {
  const socket = await open()
  serve = raw => raw.close(4200, '{"code":"session_ended"}')
  await expect(connectSocket({ url, ticket: '' })).rejects.toMatchObject({
    code: 4200,
    reason: '{"code":"session_ended"}',
  })
  const waiting = Promise.allSettled([socket.nextEvent('message.new'), socket.nextReply(5)])
  for (const raw of server.clients) raw.close(4001, 'slow')
  expect(await socket.closed).toEqual({ code: 4001, reason: 'slow' })
  expect((await waiting).map(one => one.status === 'rejected' && one.reason.code)).toEqual([4001, 4001])
  expect(socket.open).toBe(false)
  await expect(socket.nextEvent('hello', 10)).rejects.toThrow('the socket is closed: 4001 slow')
})

test('no connection and an unreadable frame are errors', async () => {
  await expect(connectSocket({ url: 'ws://127.0.0.1:1/v1/socket', ticket: '' })).rejects.toThrow('ECONNREFUSED')
  serve = raw => raw.send('{"event":')
  await expect(connectSocket({ url, ticket: '' })).rejects.toThrow('unable to read a frame')
})

test('a paused client reads nothing until it goes on', async () => {
  const socket = await open()
  socket.pause()
  socket.tell('message.read', { conversation, seq: 1 })
  await expect(socket.nextEvent('message.new', 50)).rejects.toThrow('not within')
  socket.resume()
  expect(await socket.nextEvent('message.new')).toMatchObject({ seq: 1 })
})

test('without keeping, frames only pass by', async () => {
  let count = 0
  const socket = await open(() => (count += 1), false)
  socket.tell('message.read', { conversation, seq: 1 })
  await socket.request('ping', {})
  expect(count).toBe(4)
  expect(socket.received).toEqual([])
})
