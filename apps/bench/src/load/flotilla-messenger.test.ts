import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { generateSecretKey, parseSecretKeys } from '@flotilla/service'
import { until } from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { idOf } from '../ids.ts'
import { Closed, FlotillaMessenger } from './flotilla-messenger.ts'

let server: WebSocketServer

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', peer => peer.send('{"event":"hello"}'))
  await once(server, 'listening')
})
afterAll(() => server.close())

test('what is asked fails with the connection, before the answer and ever after', async () => {
  const { port } = server.address() as AddressInfo
  const closed: number[] = []
  const messenger = new FlotillaMessenger(
    { host: '127.0.0.1', port },
    parseSecretKeys(generateSecretKey('test')),
    { number: 0 },
    { acked: () => {}, received: () => {}, refused: () => {}, closed: code => closed.push(code) },
  )
  await messenger.connect()
  const asked = messenger.history(idOf('direct', 0), {})
  for (const peer of server.clients) peer.close(4100)
  await expect(asked).rejects.toThrow(Closed)
  await until(() => closed.length > 0, { what: 'the close was told' })
  expect(closed).toEqual([4100])
  await expect(messenger.history(idOf('direct', 0), {})).rejects.toThrow(Closed)
})
