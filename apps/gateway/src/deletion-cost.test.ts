/** Against a real HTTPS server that stands in for the API server of a cluster. */
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Logger } from '@flotilla/service'
import { dropFolder, makeCertificate, makeFolder, until } from '@flotilla/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type DeletionCost, isWorthTelling, keepDeletionCost } from './deletion-cost.ts'

interface Asked {
  line: string
  authorization: string | undefined
  type: string | undefined
  body: unknown
}

const { certificate, key } = makeCertificate()
let server: Server
let folder: string
let asked: Asked[]
let status: number
let warned: { err: Error }[]
let connections: number
let kept: DeletionCost | undefined

beforeEach(async () => {
  asked = []
  warned = []
  status = 200
  connections = 0
  folder = makeFolder('service-account')
  writeFileSync(join(folder, 'token'), 'first\n')
  writeFileSync(join(folder, 'ca.crt'), certificate)
  server = createServer({ key, cert: certificate }, (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { authorization, 'content-type': type } = request.headers
      asked.push({ line: `${request.method} ${request.url}`, authorization, type, body: JSON.parse(body) })
      response
        .writeHead(status)
        .end(JSON.stringify({ message: 'pods "gateway-1" is forbidden', padding: 'x'.repeat(5_000) }))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  kept?.stop()
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
  dropFolder(folder)
})

function keep(more: { port?: number } = {}) {
  kept = keepDeletionCost({
    pod: 'gateway-1',
    namespace: 'chat',
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    folder,
    connections: () => connections,
    logger: { warn: (what: { err: Error }) => void warned.push(what) } as unknown as Logger,
    everyMs: 20,
    ...more,
  })
}

const costs = () =>
  asked.map(
    one =>
      (one.body as { metadata: { annotations: Record<string, string> } }).metadata.annotations[
        'controller.kubernetes.io/pod-deletion-cost'
      ],
  )
const turns = () => new Promise(resolve => setTimeout(resolve, 120))

test('it patches its own pod with its connections, with the token of the moment', async () => {
  connections = 120
  keep()
  await until(() => asked.length === 1, { what: 'the first call' })
  expect(asked[0]).toEqual({
    line: 'PATCH /api/v1/namespaces/chat/pods/gateway-1',
    authorization: 'Bearer first',
    type: 'application/merge-patch+json',
    body: { metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '120' } } },
  })
  writeFileSync(join(folder, 'token'), 'second')
  connections = 200
  await until(() => asked.length === 2, { what: 'the second call' })
  expect(asked[1]!.authorization).toBe('Bearer second')
  expect(warned).toEqual([])
})

test('what has hardly changed is not told', async () => {
  connections = 100
  keep()
  await until(() => asked.length === 1, { what: 'the first call' })
  connections = 105
  await turns()
  connections = 106
  await until(() => asked.length === 2, { what: 'the second call' })
  connections = 0
  await until(() => asked.length === 3, { what: 'the third call' })
  await turns()
  expect(costs()).toEqual(['100', '106', '0'])
  expect([isWorthTelling(1, 0), isWorthTelling(0, 0), isWorthTelling(0, undefined)]).toEqual([true, false, true])
})

test('a refusal is logged once, tried again, and harms nothing; another cause is logged too', async () => {
  status = 403
  connections = 7
  keep()
  await until(() => asked.length >= 4, { what: 'it tries again' })
  expect(warned).toHaveLength(1)
  expect(warned[0]!.err.message).toMatch(/^unable to patch the pod: the API server answered 403: .*is forbidden/)
  expect(warned[0]!.err.message.length).toBeLessThan(1_000)
  status = 500
  await until(() => warned.length === 2, { what: 'the other cause' })
  status = 200
  const before = asked.length
  await until(() => asked.length > before, { what: 'it is told after all' })
  await turns()
  expect(warned).toHaveLength(2)
})

test('no token, no server, another authority: each is logged, and nothing is thrown', async () => {
  keep({ port: 1 })
  await until(() => warned.length === 1, { what: 'no server' })
  expect(warned[0]!.err).toMatchObject({ code: 'ECONNREFUSED' })
  kept?.stop()
  writeFileSync(join(folder, 'ca.crt'), makeCertificate().certificate)
  keep()
  await until(() => warned.length === 2, { what: 'another authority' })
  kept?.stop()
  dropFolder(folder)
  keep()
  await until(() => warned.length === 3, { what: 'no token' })
  expect(warned[2]!.err).toMatchObject({ code: 'ENOENT' })
  await turns()
  expect(asked).toEqual([])
  expect(warned).toHaveLength(3)
})
