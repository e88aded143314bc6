/**
 * Centrifugo, with its streams in Redis or in PostgreSQL: a channel for each person, which anybody who is signed in may publish
 * to. It is built from the Go module proxy, once; where there is no Go it is left out.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dropFolder, freePort, makeFolder, startProcess } from '@flotilla/testing'
import { projectFolder } from '@flotilla/testing/load'
import type { Ground } from '../bed.ts'
import { onCore } from '../placement.ts'
import { cpuSeconds } from '../processes.ts'
import { answers, type NodeProcess } from './node-process.ts'
import type { Side, Stand, StandOptions } from './side.ts'

const version = '6.9.1'
const folder = join(projectFolder, '.cache', 'bench', `centrifugo-${version}`)
const program = join(folder, 'centrifugo')
const stopWithinMs = 30_000

export const isCentrifugoBuilt = (): boolean => existsSync(program)

/** Builds it where that was not done yet, which takes minutes. @returns whether it is there */
export function prepareCentrifugo(say: (line: string) => void): boolean {
  if (isCentrifugoBuilt()) return true
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) {
    say('  Centrifugo is left out: there is no Go to build it with')
    return false
  }
  say('  building Centrifugo, which takes some minutes')
  const env = { ...process.env, GOBIN: folder, GOFLAGS: '-mod=mod' }
  execFileSync('go', ['install', `github.com/centrifugal/centrifugo/v6@v${version}`], { env, stdio: 'ignore' })
  return true
}

type Streams = 'Redis' | 'PostgreSQL'

export const centrifugo = (streams: Streams): Side => ({
  name: `Centrifugo, ${streams}`,
  populate: () => Promise.resolve(),
  start: (ground, options) => start(ground, options, streams),
  async verify(ground, _stand, ending) {
    if (streams === 'Redis') return []
    const [stored] = await ground.query<{ rows: number }>('SELECT count(*)::int AS rows FROM cf_stream')
    return stored!.rows === ending.acked ? [] : [`${stored!.rows} are stored, ${ending.acked} were acknowledged`]
  },
})

async function start(ground: Ground, options: StandOptions, streams: Streams): Promise<Stand> {
  const secret = randomBytes(32).toString('hex')
  const servers: { readonly port: number; readonly server: NodeProcess }[] = []
  // One after the other: the first makes the tables.
  for (let number = 1; number <= options.nodes; number++) {
    const port = await freePort()
    const settings = settingsOf(ground, streams, { port, secret, name: `node-${number}` })
    servers.push({ port, server: await startServer(`Centrifugo ${number}`, port, settings, options.core) })
  }
  return {
    fleet: {
      side: 'centrifugo',
      nodes: servers.map(({ port }) => ({ host: '127.0.0.1', port })),
      ticketKeys: secret,
    },
    processes: servers.map(({ server }) => server),
    counters: () => Promise.resolve({}),
    async stop() {
      await Promise.all(servers.map(({ server }) => server.stop()))
    },
  }
}

/** What a subscriber missed is kept for five minutes, and no limit of a client is reached. */
function settingsOf(
  ground: Ground,
  streams: Streams,
  { port, secret, name }: { readonly port: number; readonly secret: string; readonly name: string },
) {
  return {
    http_server: { address: '127.0.0.1', port },
    log: { level: 'error' },
    health: { enabled: true },
    usage_stats: { disabled: true },
    node: { name },
    client: { allowed_origins: ['*'], token: { hmac_secret_key: secret }, ping_interval: '25s' },
    engine: { type: 'redis', redis: { address: [ground.redisUrl] } },
    ...(streams === 'Redis'
      ? {}
      : {
          broker: {
            enabled: true,
            type: 'postgres',
            postgres: { dsn: ground.databaseUrl, use_notify: true, pool_size: 16 },
          },
        }),
    channel: {
      namespaces: [
        {
          name: 'person',
          allow_subscribe_for_client: true,
          allow_publish_for_client: true,
          history_size: 1_000_000,
          history_ttl: '300s',
          force_recovery: true,
        },
      ],
    },
  }
}

async function startServer(name: string, port: number, settings: object, core: number): Promise<NodeProcess> {
  const place = makeFolder('bench-centrifugo')
  const config = join(place, 'config.json')
  writeFileSync(config, JSON.stringify(settings))
  const server = await startProcess({
    command: program,
    args: ['--config', config],
    folder: place,
    env: {},
    launcher: onCore(core),
    ready: () => answers(`http://127.0.0.1:${port}/health`),
    readyWithinMs: 30_000,
  })
  return {
    name,
    pid: server.pid,
    cpuSeconds: () => cpuSeconds(server.pid),
    debuggerUrl: undefined,
    async stop() {
      await server.end('SIGTERM', stopWithinMs)
      dropFolder(place)
    },
  }
}
