import { once } from 'node:events'
import { createServer as createHttpServer, type Server } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { freePort, until } from '@flotilla/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSocketDoor, type SocketDoor } from './socket-door.ts'

/** With a header that is not UTF-8. */
const upgrade = (path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Odd: ä\r\n\r\n`

let server: Server
let door: SocketDoor
let gateway: ReturnType<typeof createServer>
/** The gateway's ends of what was handed on, and what came. */
let handed: { socket: Socket; text: string }[]

beforeEach(async () => {
  handed = []
  gateway = createServer(socket => {
    const one = { socket, text: '' }
    handed.push(one)
    socket.setEncoding('latin1')
    socket.on('error', () => {})
    socket.on('data', (text: string) => (one.text += text))
  })
  gateway.listen(0, '127.0.0.1')
  await once(gateway, 'listening')
  await open((gateway.address() as AddressInfo).port)
})
afterEach(async () => {
  for (const { socket } of handed) socket.destroy()
  await door.close()
  server.closeAllConnections()
  server.close()
  gateway.close()
})

async function open(gatewayPort: number) {
  server = createHttpServer((request, response) => void response.end(`answer to ${request.url}`))
  door = openSocketDoor(server, '/v1/socket', gatewayPort, () => '192.0.2.7')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
}

function dial(text: string) {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.setEncoding('latin1')
  socket.on('error', () => {})
  const client = { socket, text: '', closed: once(socket, 'close') }
  socket.on('data', (more: string) => (client.text += more))
  socket.write(text, 'latin1')
  return client
}

test('a socket is handed on as it came, both ways, and each end hears of the other', async () => {
  const claimed = upgrade('/v1/socket?ticket=a%20b').replace(
    'X-Odd',
    'x-forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nX-Odd',
  )
  const client = dial(`${claimed}early`)
  const { socket } = await until(() => handed[0], { what: 'the gateway is called' })
  await until(() => handed[0]?.text.endsWith('early'), { what: 'the head and what followed it' })
  // Who called is what the door says, not what they do.
  const told = upgrade('/v1/socket?ticket=a%20b').replace(/\r\n$/, 'x-forwarded-for: 192.0.2.7\r\n\r\n')
  expect(handed[0]?.text).toBe(`${told}early`)
  socket.write('down')
  await until(() => client.text === 'down', { what: 'the answer' })
  socket.end('last words')
  await client.closed
  expect(client.text).toBe('downlast words')

  const leaving = dial(upgrade('/v1/socket'))
  const other = await until(() => handed[1], { what: 'the gateway is called again' })
  leaving.socket.destroy()
  await once(other.socket, 'close')
})

test('what wants to become something else elsewhere is a plain request', async () => {
  const client = dial(upgrade('/v1/users'))
  await until(() => client.text.includes('answer to /v1/users'), { what: 'the plain answer' })
  expect(handed).toEqual([])
  client.socket.destroy()
})

test('while the gateway is away, the client is told to come again', async () => {
  server.close()
  await open(await freePort())
  const client = dial(upgrade('/v1/socket'))
  await client.closed
  expect(client.text).toMatch(/^HTTP\/1\.1 503 .*retry-after: 1/s)
})

test('a broken gateway breaks the socket off', async () => {
  const client = dial(upgrade('/v1/socket'))
  const { socket } = await until(() => handed[0], { what: 'the gateway is called' })
  socket.write('half')
  await until(() => client.text === 'half', { what: 'the beginning' })
  socket.resetAndDestroy()
  await client.closed
})

test('closing breaks off those who do not go', async () => {
  const client = dial(upgrade('/v1/socket'))
  await until(() => handed[0], { what: 'the gateway is called' })
  await door.close()
  await client.closed
})
