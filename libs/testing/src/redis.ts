/**
 * Redis for tests: servers of their own, that may be killed and started again on their port, and small clusters. They
 * keep nothing on disk, so a server that was killed comes back empty.
 */
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { Redis } from 'ioredis'
import { freePort, startProcess } from './processes.ts'
import { dropFolder, makeFolder } from './reaper.ts'
import { findRedis, type RedisProgram } from './redis-program.ts'
import { until } from './until.ts'

export interface RedisOptions {
  /** A free one is chosen if it is left out. */
  readonly port?: number
  /** Further arguments of redis-server: `['--maxmemory', '64mb']`. */
  readonly args?: readonly string[]
  /** Put before the command, for placement: `['taskset', '-c', '0']`. Not with containers. */
  readonly launcher?: readonly string[]
}

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** The process number; 0 when it runs in a container. */
  pid(): number
  running(): boolean
  /** SIGKILL; resolves when it is dead. */
  kill(): Promise<void>
  /** Kills it if it runs, and starts it empty on the same port. */
  restart(): Promise<void>
  /** Stops it for good. */
  stop(): Promise<void>
}

/** One start of a server, whatever it runs in. */
interface Running {
  readonly pid: number
  alive(): boolean
  kill(): Promise<void>
}

/** Starts a server of one's own on the loopback. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = await findRedis()
  const port = options.port ?? (await freePort())
  const folder = makeFolder('redis')
  const args = ['--port', String(port), '--save', '', '--appendonly', 'no', ...(options.args ?? [])]
  const launch = (): Promise<Running> =>
    program.kind === 'container'
      ? launchContainer(program.socket, port, args)
      : launchBinary(program, port, [...args, '--bind', '127.0.0.1', '--dir', folder], folder, options.launcher)
  let server: Running
  try {
    server = await launch()
  } catch (error) {
    dropFolder(folder)
    throw error
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: () => server.pid,
    running: () => server.alive(),
    kill: () => server.kill(),
    async restart() {
      await server.kill()
      server = await launch()
    },
    async stop() {
      await server.kill()
      dropFolder(folder)
    },
  }
}

async function launchBinary(
  program: RedisProgram & { kind: 'binary' },
  port: number,
  args: readonly string[],
  folder: string,
  launcher: readonly string[] = [],
): Promise<Running> {
  const { command, env } = program
  const server = await startProcess({ command, args, env, folder, launcher, ready: pid => answers(port, pid) })
  return { pid: server.pid, alive: () => server.running(), kill: () => server.end('SIGKILL') }
}

const containerImage = 'redis:7'

/** The container's port is bound to the same one of the host, so that it can be started again there. */
async function launchContainer(socket: string, port: number, args: readonly string[]): Promise<Running> {
  process.env['DOCKER_HOST'] ??= `unix://${socket}`
  const { GenericContainer, Wait } = await import('testcontainers')
  const container = await new GenericContainer(containerImage)
    .withExposedPorts({ container: port, host: port })
    .withCommand(['redis-server', ...args, '--protected-mode', 'no'])
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .start()
  let alive = true
  return {
    pid: 0,
    alive: () => alive,
    async kill() {
      if (!alive) return
      alive = false
      await container.stop({ timeout: 0, remove: true })
    },
  }
}

/** Asks who answers, for the port may be another's while this one dies of that. */
export function answers(port: number, pid: number): Promise<boolean> {
  return new Promise(resolve => {
    let heard = ''
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write('INFO server\r\n'))
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      heard += text
      const answered = /process_id:(\d+)\r/.exec(heard)
      if (answered !== null) finish(Number(answered[1]) === pid)
    })
    socket.once('error', () => finish(false))
    socket.once('close', () => finish(false))
    const finish = (answer: boolean) => {
      resolve(answer)
      socket.destroy()
    }
  })
}

export interface TestRedis {
  readonly url: string
  /** To be put before every key and channel: empty with a server of one's own, of this file alone with a shared one. */
  readonly keyPrefix: string
  stop(): Promise<void>
}

/** A Redis for one test file: a small server of its own, or a corner of the one at REDIS_URL. Pub/sub knows no databases. */
export async function testRedis(): Promise<TestRedis> {
  const shared = process.env['REDIS_URL']
  if (shared !== undefined && shared !== '')
    return { url: shared, keyPrefix: `test-${randomBytes(6).toString('hex')}:`, stop: () => Promise.resolve() }
  const server = await startRedis()
  return { url: server.url, keyPrefix: '', stop: () => server.stop() }
}

export interface RedisClusterOptions {
  /** At least 3: Redis agrees on failures by majority. */
  readonly masters?: number
}

export interface RedisCluster {
  /** `redis-cluster://127.0.0.1:7001,127.0.0.1:7002,…` */
  readonly url: string
  readonly masters: readonly RedisServer[]
  stop(): Promise<void>
}

const slots = 16_384

/** Starts a cluster of masters without replicas on the loopback and waits until every one of them knows the whole. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const count = options.masters ?? 3
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '15000', '--cluster-announce-ip', '127.0.0.1']
  if ((await findRedis()).kind === 'container')
    throw new Error('unable to start a Redis Cluster in containers: install redis-server or valkey-server')
  // Redis would take port + 10,000 for its bus, where any client's socket may sit by chance.
  const busPorts = await Promise.all(Array.from({ length: count }, () => freePort()))
  const started = await Promise.allSettled(
    busPorts.map(busPort => startRedis({ args: [...args, '--cluster-port', String(busPort)] })),
  )
  const masters = started.filter(one => one.status === 'fulfilled').map(one => one.value)
  const stop = async () => {
    await Promise.all(masters.map(master => master.stop()))
  }
  const clients = masters.map(master => new Redis(master.url, { lazyConnect: true }))
  for (const client of clients) client.on('error', () => {})
  try {
    for (const one of started) if (one.status === 'rejected') throw one.reason
    await joinMasters(masters, clients, busPorts)
  } catch (error) {
    await stop()
    throw error
  } finally {
    for (const client of clients) client.disconnect()
  }
  return { url: `redis-cluster://${masters.map(master => `127.0.0.1:${master.port}`).join(',')}`, masters, stop }
}

async function joinMasters(
  masters: readonly RedisServer[],
  clients: readonly Redis[],
  busPorts: readonly number[],
): Promise<void> {
  const share = Math.ceil(slots / masters.length)
  for (const [index, client] of clients.entries()) {
    const own = Array.from({ length: Math.min(share, slots - index * share) }, (_, offset) => index * share + offset)
    await client.cluster('ADDSLOTS', ...own)
    await client.cluster('SET-CONFIG-EPOCH', index + 1)
    await client.cluster('MEET', '127.0.0.1', masters[0]?.port ?? 0, busPorts[0] ?? 0)
  }
  for (const client of clients)
    await until(
      async () => {
        const info = await client.cluster('INFO')
        return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${masters.length}`)
      },
      { what: 'the Redis Cluster is whole', withinMs: 20_000, everyMs: 25 },
    )
}
