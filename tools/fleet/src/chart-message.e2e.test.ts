/** The program that `helm test` runs in a pod, here against a real fleet of one process; and an edge before that. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { dropFolder, freePort, makeFolder, startProcess } from '@flotilla/testing'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { chartFolder } from './chart.ts'
import { nginxOrSkip, openSocket } from './edge/edge.testbed.ts'
import { startEdge } from './nginx.ts'
import { inProject } from './root.ts'

const nginx = await nginxOrSkip()
const run = promisify(execFile)
const folder = makeFolder('helm-test')
let url = ''
let stop: () => Promise<void> = () => Promise.resolve()

const program = (env: Record<string, string>) =>
  run(process.execPath, [join(chartFolder, 'files/helm-test.mjs')], { env, timeout: 90_000 })

beforeAll(async () => {
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  const fleet = await startProcess({
    command: process.execPath,
    args: ['--conditions=source', inProject('apps/standalone/src/main.ts')],
    folder,
    env: {
      PORT: String(port),
      FLOTILLA_FOLDER: join(folder, 'data'),
      DIRECT_FROM: 'contacts',
      // On a busy machine every process is late now and then.
      EVENT_LOOP_DELAY_MS_MAX: '60000',
    },
    ready: async () => (await fetch(`${url}/readyz`)).ok,
    readyWithinMs: 60_000,
  })
  stop = () => fleet.end('SIGTERM', 30_000)
}, 90_000)
afterAll(async () => {
  await stop()
  dropFolder(folder)
}, 60_000)

test('it signs up two people and brings a message from one to the other', async () => {
  const { stdout } = await program({ API_URL: url, SOCKET_URL: `${url.replace('http', 'ws')}/v1/socket` })
  expect(stdout).toMatch(/seq \d+ was acknowledged and delivered in \d+ ms/)
}, 100_000)

test('it fails, and says why, where sockets do not open', async () => {
  const failed = await program({ API_URL: url, SOCKET_URL: `${url.replace('http', 'ws')}/elsewhere` }).catch(
    (error: { code: number; stderr: string }) => error,
  )
  expect(failed).toMatchObject({ code: 1 })
  expect((failed as { stderr: string }).stderr).toMatch(/the socket of helm-test-\w+ closed/)
}, 100_000)

test.skipIf(nginx === undefined)('12 kB of cookies pass, at the fleet and through the edge', async () => {
  const at = new URL(url).host
  const edge = await startEdge({ nginx: nginx!, env: { GATEWAYS: at, API: at } })
  onTestFinished(() => edge.end())
  const headers = { cookie: 'c'.repeat(12_000) }
  for (const port of [Number(new URL(url).port), edge.port]) {
    const socket = await openSocket({ port, headers })
    socket.end()
    expect(socket.status).toBe(101)
    const answer = await fetch(`http://127.0.0.1:${port}/v1/.well-known/jwks.json`, { headers })
    expect(answer.status).toBe(200)
  }
})
