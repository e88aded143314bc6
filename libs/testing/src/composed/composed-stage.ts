/**
 * The stage of composed faults: durable PostgreSQL, Redis, three gateways, the API and a worker as processes, each with a
 * fault proxy of its own to each store, so that one can be cut off while the others are not.
 */
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { generateSecretKey, parseSecretKeys } from '@flotilla/service'
import { Redis } from 'ioredis'
import { Client, type Pool } from 'pg'
import { createTokenSigner } from '../access-token.ts'
import { freshDatabase } from '../databases.ts'
import { type FaultProxy, startFaultProxy } from '../fault-proxy.ts'
import { type Fleet, projectRoot, startFleet } from '../fleet.ts'
import { type PostgresServer, startPostgres } from '../postgres.ts'
import { freePort, type StartedProcess, startProcess } from '../processes.ts'
import { dropFolder, makeFolder } from '../reaper.ts'
import { type RedisServer, startRedis } from '../redis.ts'
import { makeSteppedClock, type SteppedClock } from '../stepped-clock.ts'
import { openTestChat, type TestChat } from '../test-chat.ts'
import { until } from '../until.ts'
import { gateways, type Process } from './plan.ts'

/** The ways of one process to the stores. */
export interface Links {
  readonly postgres: FaultProxy
  readonly redis: FaultProxy
}

export interface ServiceProcess {
  kill(): Promise<void>
  /** SIGTERM: resolves when it has ended. */
  stop(): Promise<void>
  start(): Promise<void>
  freeze(): void
  thaw(): void
  readonly logFile: string
}

export interface ApiProcess extends ServiceProcess {
  readonly url: string
}

export interface ComposedStage {
  readonly postgres: PostgresServer
  readonly redis: RedisServer
  readonly fleet: Fleet
  readonly api: ApiProcess
  readonly worker: ServiceProcess
  readonly links: Readonly<Record<Process, Links>>
  /** Of those processes whose clock is to be set; none where that cannot be done. */
  readonly clocks: ReadonlyMap<string, SteppedClock>
  /** Past all proxies. */
  readonly chat: TestChat
  readonly pool: Pool
  /** An access token, without a sign-in. */
  token(user: string, session: string): string
  /** One command to Redis, past all proxies. */
  commandRedis(...command: [string, ...string[]]): Promise<void>
  tearDown(): Promise<void>
}

/** A group with more members is routed by interest, and one with more still is large. */
const interestRoutingMin = 8
const largeConversationMin = 12

/** A worker has up to its STOP_MS_MAX. */
const stopMsMax = 60_000

const shared = {
  INTEREST_ROUTING_MIN: String(interestRoutingMin),
  LARGE_CONVERSATION_MIN: String(largeConversationMin),
  LOG_LEVEL: 'info',
}

/** @param stepped the processes whose clocks will be set: it slows them a little */
export async function setComposedStage(stepped: ReadonlySet<string>): Promise<ComposedStage> {
  const clocks = new Map([...stepped].map(name => [name, makeSteppedClock()]))
  const [postgres, redis] = await Promise.all([
    startPostgres({ durable: true }),
    startRedis({ args: ['--maxmemory-policy', 'noeviction'] }),
  ])
  if (redis.pid() === 0) throw new Error('unable to stall a Redis in a container: install redis-server')
  const database = await freshDatabase(postgres.url)
  await markAsUsedBefore(database.url)
  const linked = await Promise.all(
    [...gateways, 'api' as const, 'worker' as const].map(
      async name => [name, await link(postgres.port, redis.port)] as const,
    ),
  )
  const links = Object.fromEntries(linked) as Record<Process, Links>
  const storesOf = (name: string) => ({
    DATABASE_URL: through(database.url, links[name as Process].postgres),
    REDIS_URL: through(redis.url, links[name as Process].redis),
    ...clocks.get(name)?.env,
  })
  const fleet = await startFleet({
    gateways: gateways.length,
    databaseUrl: database.url,
    redisUrl: redis.url,
    settings: {
      ...shared,
      // Long, as in production: a ping makes good what was not told, and would hide it.
      PING_INTERVAL_MS: '25000',
      DRAIN_MS: '2000',
      RECONNECT_BASE_MS: '200',
      RECONNECT_MAX_MS: '3000',
    },
    settingsOf: storesOf,
  })
  const { privateKey } = generateKeyPairSync('ed25519')
  const keys = JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'composed', alg: 'EdDSA', use: 'sig' })
  const sign = createTokenSigner({ keys, issuer: 'flotilla', audience: 'flotilla' })
  const folder = makeFolder('services')
  const common = { ...shared, MASTER_KEYS: fleet.masterKeys, STORAGE_FOLDER: join(folder, 'files') }
  const api = await startApi(folder, {
    ...common,
    ...storesOf('api'),
    TICKET_KEYS: fleet.ticketKeys,
    REFRESH_KEYS: generateSecretKey('refresh'),
    TOKEN_KEYS: keys,
    DRAIN_WAIT_MS: '0',
    REQUESTS_MAX: '1000000',
    CONTACT_REQUESTS_MAX: '1000000',
    // Faults are what this is about, not who may write to whom.
    DIRECT_FROM: 'anyone',
    // On a busy machine every process is late now and then.
    EVENT_LOOP_DELAY_MS_MAX: '60000',
  })
  const worker = await startService(folder, 'worker', { ...common, ...storesOf('worker') })
  const chat = await openTestChat(database.url, { masterKeys: parseSecretKeys(fleet.masterKeys) })
  return {
    postgres,
    redis,
    fleet,
    api,
    worker,
    links,
    clocks,
    chat,
    pool: chat.ctx.pool,
    token: (user, session) => sign({ user, session }),
    async commandRedis(...command) {
      const client = new Redis(redis.url, { maxRetriesPerRequest: 3 })
      client.on('error', () => {})
      await client.call(...command).finally(() => client.disconnect())
    },
    async tearDown() {
      await fleet.stop()
      await Promise.all([api.kill(), worker.kill()])
      dropFolder(folder)
      await chat.close()
      for (const clock of clocks.values()) clock.drop()
      await Promise.all(linked.flatMap(([, { postgres, redis }]) => [postgres.close(), redis.close()]))
      await Promise.all([postgres.drop(), redis.stop()])
    },
  }
}

/** As in a roll-out: with a data key from before, new ones are for the cipher that the former version opens as well. */
async function markAsUsedBefore(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query("INSERT INTO data_keys (master_key_id, wrapped, created_at) VALUES ('former', '', 'epoch')")
  await client.end()
}

async function link(postgresPort: number, redisPort: number): Promise<Links> {
  const proxyTo = (port: number) => startFaultProxy({ target: { host: '127.0.0.1', port } })
  return { postgres: await proxyTo(postgresPort), redis: await proxyTo(redisPort) }
}

function through(url: string, proxy: FaultProxy): string {
  const proxied = new URL(url)
  proxied.port = String(proxy.port)
  return proxied.href
}

async function startApi(folder: string, settings: Readonly<Record<string, string>>): Promise<ApiProcess> {
  const port = await freePort()
  const service = await startService(folder, 'api', { ...settings, HOST: '127.0.0.1', PORT: String(port) })
  return { ...service, url: `http://127.0.0.1:${port}` }
}

async function startService(
  folder: string,
  name: 'api' | 'worker',
  settings: Readonly<Record<string, string>>,
): Promise<ServiceProcess> {
  const operatorPort = await freePort()
  const env = { ...settings, NODE_ID: name, OPERATOR_HOST: '127.0.0.1', OPERATOR_PORT: String(operatorPort) }
  const ready = async () =>
    (await fetch(`http://127.0.0.1:${operatorPort}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok
  const args = ['--conditions=source', join(projectRoot(), 'apps', name, 'src/main.ts')]
  const own = join(folder, name)
  mkdirSync(own)
  const launch = () => startProcess({ command: process.execPath, args, folder: own, env, ready, readyWithinMs: 60_000 })
  let running: StartedProcess = await launch()
  return {
    kill: () => running.end('SIGKILL'),
    stop: () => running.end('SIGTERM', stopMsMax),
    async start() {
      running = await until(launch, { what: `the ${name} starts again`, withinMs: 60_000, everyMs: 200 })
    },
    freeze: () => running.signal('SIGSTOP'),
    thaw: () => running.signal('SIGCONT'),
    logFile: running.logFile,
  }
}
