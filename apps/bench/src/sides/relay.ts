/** The bare relay of uWebSockets.js and Redis: no sign-in, no store. */
import { fileURLToPath } from 'node:url'
import { freePort } from '@flotilla/testing'
import type { Ground } from '../bed.ts'
import { answers, startNode } from './node-process.ts'
import type { Side, Stand, StandOptions } from './side.ts'

export const relay: Side = {
  name: 'relay',
  populate: () => Promise.resolve(),
  start,
  verify: () => Promise.resolve([]),
}

async function start(ground: Ground, options: StandOptions): Promise<Stand> {
  const servers = await Promise.all(
    Array.from({ length: options.nodes }, async (_, at) => {
      const port = await freePort()
      const server = await startNode({
        name: `relay ${at + 1}`,
        file: fileURLToPath(new URL('../baseline/relay-server.ts', import.meta.url)),
        core: options.core,
        fromSource: true,
        inspect: false,
        env: { PORT: String(port), REDIS_URL: ground.redisUrl },
        ready: () => answers(`http://127.0.0.1:${port}/`),
      })
      return { server, port }
    }),
  )
  return {
    fleet: { side: 'relay', nodes: servers.map(({ port }) => ({ host: '127.0.0.1', port })), ticketKeys: '' },
    processes: servers.map(({ server }) => server),
    counters: () => Promise.resolve({}),
    async stop() {
      await Promise.all(servers.map(({ server }) => server.stop()))
    },
  }
}
