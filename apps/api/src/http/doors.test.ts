/** Raw sockets that withhold what they have announced, and others who are served meanwhile. */
import { connect, type Socket } from 'node:net'
import type { ChatContext } from '@flotilla/chat'
import { limits } from '@flotilla/protocol'
import { expect, onTestFinished, test } from 'vitest'
import type { ApiSettings } from '../config.ts'
import { createFixture, type Fixture } from '../api.testbed.ts'

const chat = { epoch: () => 1, clock: Date.now, settings: { sessionIdleMs: 1_000 } } as ChatContext
const asked = 'GET /v1/.well-known/jwks.json HTTP/1.1\r\nhost: x\r\n\r\n'
const withheld = (path = '/v1/sessions', type = 'application/json') =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: 100\r\n\r\n{`

interface Line {
  readonly socket: Socket
  readonly heard: () => string
  readonly closed: Promise<void>
}

async function open(settings: Partial<ApiSettings>, given: Parameters<typeof createFixture>[0] = {}) {
  const here = createFixture({ chat, ...given, settings })
  const lines: Line[] = []
  onTestFinished(async () => {
    for (const { socket } of lines) socket.destroy()
    await here.app.close()
  })
  await here.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = here.app.server.address() as { port: number }
  /** Loopback has many addresses, and each is somebody else. */
  const dial = (said: string, from = '127.0.0.1'): Line => {
    let heard = ''
    const socket = connect({ port, host: '127.0.0.1', localAddress: from })
    if (said !== '') socket.write(said)
    socket.on('data', chunk => void (heard += String(chunk)))
    socket.on('error', () => {})
    const line = { socket, heard: () => heard, closed: new Promise<void>(end => socket.once('close', () => end())) }
    lines.push(line)
    return line
  }
  /** @returns the status, or 0 where the line was closed without one */
  const ask = async (from?: string): Promise<number> => {
    const line = dial(asked, from)
    await Promise.race([line.closed, new Promise(answered => line.socket.once('data', answered))])
    line.socket.destroy()
    return statusOf(line)
  }
  return { here, dial, ask }
}

const statusOf = ({ heard }: Line) => Number(/^HTTP\/1\.1 (\d+)/.exec(heard())?.[1] ?? 0)
const underWay = async ({ registry }: Fixture) =>
  Number(/ (\d+)\n?$/.exec(await registry.getSingleMetricAsString('flotilla_api_requests_in_flight'))?.[1])

test('who announces bodies and withholds them fills no seat and shuts out nobody but themselves', async () => {
  const { here, dial, ask } = await open({ requestsInFlightMax: 8, requestsPerAddressMax: 20 })
  const withholders = Array.from({ length: 40 }, (_, at) => dial(withheld(), `127.0.0.${2 + (at % 2)}`))
  await expect.poll(() => here.app.server.listening && withholders.every(one => !one.socket.connecting)).toBe(true)
  await expect.poll(() => ask('127.0.0.2')).toBe(429)
  const others = Array.from({ length: 5 }, (_, at) => dial(asked, `127.0.1.${1 + at}`))
  await expect.poll(() => others.map(statusOf)).toEqual([200, 200, 200, 200, 200])
  await expect.poll(() => underWay(here)).toBe(0)
  expect(withholders.every(one => one.heard() === '')).toBe(true)
  for (const { socket } of withholders) socket.destroy()
  await expect.poll(() => ask('127.0.0.2')).toBe(200)
})

test('a seat is taken when the body is there, and only then is it full', async () => {
  let release = () => {}
  const gate = new Promise<void>(resolve => {
    release = resolve
  })
  const slow = Object.assign(Object.create(chat), { passwords: { enter: () => ({ leave() {} }) } })
  const hit = (key: string) => (key.startsWith('api:sign-in') ? gate.then(() => undefined) : Promise.resolve(undefined))
  const { here, dial, ask } = await open({ requestsInFlightMax: 1 }, { chat: slow, node: { nodes: () => [], hit } })
  const body = JSON.stringify({ username: 'alice', password: 'x' })
  const head = `POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
  const first = dial(head)
  const second = dial(head, '127.0.0.2')
  await expect.poll(() => ask('127.0.0.3')).toBe(200)
  first.socket.write(body)
  await expect.poll(() => underWay(here)).toBe(1)
  second.socket.write(body)
  await expect.poll(() => second.heard()).toMatch(/^HTTP\/1\.1 503 [\s\S]*"code":"overloaded"/)
  release()
  await expect.poll(() => underWay(here)).toBe(0)
})

test('headers, a body, and silence each have their time', async () => {
  const { dial } = await open({ headersMsMax: 300, bodyMsMax: 300 })
  const late = /^HTTP\/1\.1 408 [\s\S]*"code":"request_timeout"/
  const [silent, begun, bodyless] = [dial(''), dial('GET / HTTP/1.1\r\nhost:'), dial(withheld())]
  await Promise.all([silent.closed, begun.closed, bodyless.closed])
  for (const one of [silent, begun, bodyless]) expect(one.heard()).toMatch(late)
  // Answered before its body: it does not hold its socket for ever either.
  const refused = dial(withheld('/v1/me/email'))
  await refused.closed
  expect(statusOf(refused)).toBe(401)
  const unknown = dial(withheld('/nothing'))
  await unknown.closed
  expect([408, 404]).toContain(statusOf(unknown))
})

test('a body that comes in pieces, within its time, is read', async () => {
  const { dial } = await open({ bodyMsMax: 60_000 })
  const line = dial(
    `POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
  )
  for (const part of ['{', '"a":', '1}']) line.socket.write(`${part.length.toString(16)}\r\n${part}\r\n`)
  line.socket.write('0\r\n\r\n')
  await expect.poll(() => line.heard()).toMatch(/^HTTP\/1\.1 400 [\s\S]*"field_invalid"/)
})

test('an address holds so many sockets; the next are closed, a proxy has more, and a place gets free', async () => {
  const { dial, ask } = await open({ httpConnectionsPerAddressMax: 3, trustedProxies: ['127.0.0.9'] })
  const held = Array.from({ length: 3 }, () => dial(asked))
  await expect.poll(() => held.map(statusOf)).toEqual([200, 200, 200])
  const fourth = dial(asked)
  await fourth.closed
  expect(fourth.heard()).toBe('')
  const others = [dial(asked, '127.0.0.2'), ...Array.from({ length: 6 }, () => dial(asked, '127.0.0.9'))]
  await expect.poll(() => others.map(statusOf)).toEqual(others.map(() => 200))
  held[0]!.socket.destroy()
  await expect.poll(() => ask()).toBe(200)
})

test('a body above the limit is refused by its length, and what is announced costs nothing', async () => {
  const { dial } = await open({})
  const huge = dial(
    `POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${limits.frameBytesMax + 1}\r\n\r\n`,
  )
  await expect.poll(() => statusOf(huge)).toBe(413)
})
