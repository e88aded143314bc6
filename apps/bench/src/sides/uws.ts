/** Bare uWebSockets.js in one process: no sign-in, no store, nothing but sockets and publish. */
import { fileURLToPath } from 'node:url'
import { freePort } from '@flotilla/testing'
import type { Ground } from '../bed.ts'
import { answers, startNode } from './node-process.ts'
import type { Side, Stand, StandOptions } from './side.ts'

export const uws: Side = {
  name: 'bare uWebSockets.js',
  populate: () => Promise.resolve(),
  start,
  verify: () => Promise.resolve([]),
}

async function start(_ground: Ground, options: StandOptions): Promise<Stand> {
  const port = await freePort()
  const server = await startNode({
    name: 'server',
    file: fileURLToPath(new URL('../baseline/uws-server.ts', import.meta.url)),
    core: options.core,
    fromSource: true,
    inspect: options.inspect === true,
    env: { PORT: String(port) },
    ready: () => answers(`http://127.0.0.1:${port}/`),
  })
  return {
    fleet: { side: 'uws', nodes: [{ host: '127.0.0.1', port }], ticketKeys: '' },
    processes: [server],
    counters: () => Promise.resolve({}),
    stop: () => server.stop(),
  }
}
