/**
 * The connections to Redis: one server, a cluster, or the master that sentinels name. Nothing else in the project knows
 * ioredis.
 *
 * It fails fast: while Redis is away a command is refused at once, one without an answer after `commandMsMax`, and
 * nothing waits in a queue, because what it would do later is stale by then. Reconnecting goes on for ever.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { RoutingLogger } from './logger.ts'
import { createRedisRefusals, type RedisFailure, type RedisRefusals } from './redis-failures.ts'
import { parseRedisUrl, type RedisPlace, type RedisTarget, toTarget } from './redis-url.ts'

export const redisDefaults = {
  /** Before every key and channel. */
  keyPrefix: 'flotilla',
  /** A command without an answer for so long has failed. Longer than a busy process may stand still. */
  commandMsMax: 2_000,
  connectMsMax: 2_000,
  /** A connection that owes answers for so long and brings nothing is dropped. */
  silentMsMax: 5_000,
  reconnectMsMin: 50,
  reconnectMsMax: 1_000,
  /** How long `connectRedis` waits before it goes on without Redis. */
  readyWaitMsMax: 3_000,
}

export interface RedisLinkOptions extends Partial<typeof redisDefaults> {
  /**
   * `redis://host:6379/0`, `redis-cluster://host:6379,host:6379` or `redis-sentinel://host:26379,host:26379/master`; with
   * TLS `rediss`, `rediss-cluster`, `rediss-sentinel`. The user and the password before the hosts are those of Redis; the
   * sentinels' own, and the number of the database, come behind: `?db=1&sentinelUsername=…&sentinelPassword=…`.
   */
  readonly url: string
  readonly logger: RoutingLogger
  readonly random?: () => number
}

/** A Lua script by its text. */
export interface Script {
  readonly text: string
  readonly sha: string
}

export function loadScript(name: string): Script {
  const text = readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8')
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

export interface Subscription {
  /** Resolves when the channel is heard no more, or `end` was called. */
  readonly ended: Promise<void>
  end(): void
}

export interface RedisLink {
  /**
   * In how many parts names are kept. The keys of a part share a hash slot, so that one command can take many of them.
   * One server has one part.
   */
  readonly shards: number
  shardOf(name: string): number
  /** A key of one part. */
  shardKey(shard: number, rest: string): string
  /** A key that stands alone. */
  key(rest: string): string
  command(name: string, ...args: (string | number)[]): Promise<unknown>
  script(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>
  publish(channel: string, bytes: Buffer): Promise<number>
  /** How often the server refused, by why. */
  readonly refusals: Readonly<Record<RedisFailure, number>>
  /** Hears a channel on a connection of its own. @throws when it cannot be heard now */
  subscribe(channel: string, onMessage: (bytes: Buffer) => void): Promise<Subscription>
  close(): Promise<void>
}

/** Parts of a cluster. Enough to spread over its masters, few enough that a look-up of many names is few commands. */
const clusterShards = 32

/** Redirections that a subscription follows before it gives up. */
const hopsMax = 5

/** Connects. When Redis does not answer in time it returns all the same, and goes on trying. */
export async function connectRedis(options: RedisLinkOptions): Promise<RedisLink> {
  const settings = { ...redisDefaults, ...options }
  const random = options.random ?? Math.random
  const place = parseRedisUrl(settings.url)
  const refusals = createRedisRefusals(settings.logger)
  const backoff = (attempt: number) =>
    Math.min(settings.reconnectMsMax, settings.reconnectMsMin * 2 ** Math.min(attempt, 10)) * (0.75 + random() / 4)
  const common: ConnectionOptions = {
    commandTimeout: settings.commandMsMax,
    connectTimeout: settings.connectMsMax,
    socketTimeout: settings.silentMsMax,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    keepAlive: 10_000,
    // The decoder of RESP3 costs a third more: an MGET of 60 keys 43 µs of CPU beside 33, and nothing here needs it.
    protocol: 2,
    connectionName: settings.keyPrefix,
    // Asked of every error that a server answers, on every connection.
    reconnectOnError(error) {
      refusals.heard(error)
      return refusals.shouldRenew(error)
    },
  }
  const link = open(place, settings.url, common, backoff, random)
  watch(link.client, refusals, settings.logger)
  await becomeReady(link.client, settings.readyWaitMsMax, settings.logger)
  return joined(link, settings.keyPrefix, place.kind === 'cluster', refusals, settings.logger)
}

function open(
  place: RedisPlace,
  url: string,
  common: ConnectionOptions,
  backoff: (attempt: number) => number,
  random: () => number,
): Opened {
  const login = {
    ...(place.username === '' ? {} : { username: place.username }),
    ...(place.password === '' ? {} : { password: place.password }),
    ...(place.tls ? { tls: {} } : {}),
  }
  if (place.kind === 'cluster') return openCluster(place.hosts, { ...common, ...login }, backoff, random)
  if (place.kind === 'sentinel') return openSentinel(place, { ...common, ...login }, backoff)
  return openServer(url, common, backoff)
}

/** Without the one option that types its own class. */
type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>

interface Opened {
  readonly client: Redis | Cluster
  /** A connection for one channel, to where the channel probably is. */
  open(hint: RedisTarget | undefined): Redis
}

/** The options of a connection that carries a subscription: the broker makes a new one when it breaks. */
const forSubscription = { retryStrategy: null, lazyConnect: true, enableOfflineQueue: false } as const

function openServer(url: string, common: ConnectionOptions, backoff: (attempt: number) => number): Opened {
  return {
    client: new Redis(url, { ...common, enableOfflineQueue: false, retryStrategy: backoff }),
    open: () => new Redis(url, { ...common, ...forSubscription }),
  }
}

/** Asks the sentinels at each connection, and gives it up as soon as they have appointed another master. */
function openSentinel(place: RedisPlace, common: ConnectionOptions, backoff: (attempt: number) => number): Opened {
  const options = {
    ...common,
    sentinels: [...place.hosts],
    name: place.master,
    role: 'master' as const,
    db: place.database,
    failoverDetector: true,
    ...(place.sentinelUsername === '' ? {} : { sentinelUsername: place.sentinelUsername }),
    ...(place.sentinelPassword === '' ? {} : { sentinelPassword: place.sentinelPassword }),
    ...(place.tls ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
    ...(common.commandTimeout === undefined ? {} : { sentinelCommandTimeout: common.commandTimeout }),
  }
  return {
    client: new Redis({
      ...options,
      enableOfflineQueue: false,
      retryStrategy: backoff,
      sentinelRetryStrategy: backoff,
      sentinelReconnectStrategy: backoff,
    }),
    open: () =>
      new Redis({
        ...options,
        ...forSubscription,
        sentinelRetryStrategy: () => null,
        sentinelReconnectStrategy: () => null,
      }),
  }
}

function openCluster(
  seeds: readonly RedisTarget[],
  nodeOptions: ConnectionOptions,
  backoff: (attempt: number) => number,
  random: () => number,
): Opened {
  const client = new Cluster([...seeds], {
    enableOfflineQueue: false,
    clusterRetryStrategy: backoff,
    redisOptions: nodeOptions,
    maxRedirections: 5,
  })
  return {
    client,
    open(hint) {
      const masters = client.nodes('master').map(({ options }) => ({
        host: options.host ?? '127.0.0.1',
        port: options.port ?? 6379,
      }))
      const all = masters.length > 0 ? masters : seeds
      const target = hint ?? all[Math.floor(random() * all.length)]
      return new Redis({ ...nodeOptions, ...target, ...forSubscription })
    },
  }
}

/** Errors come here and nowhere else, so that none ends the process; a log line when Redis goes and when it returns. */
function watch(client: Redis | Cluster, refusals: RedisRefusals, logger: RoutingLogger): void {
  let lost = false
  const onError = (error: Error) => {
    refusals.heard(error)
    if (!lost) logger.warn({ err: error }, 'redis unreachable')
    lost = true
  }
  client.on('error', onError)
  if (client instanceof Cluster)
    client.on('node error', (error: Error) => logger.debug({ err: error }, 'redis cluster node failed'))
  client.on('close', () => {
    if (!lost) logger.warn({}, 'redis connection lost')
    lost = true
  })
  client.on('ready', () => {
    if (lost) logger.info({}, 'redis connection restored')
    lost = false
  })
}

async function becomeReady(client: Redis | Cluster, waitMs: number, logger: RoutingLogger): Promise<void> {
  if (client.status === 'ready') return
  const isReady = await new Promise<boolean>(resolve => {
    const timer = setTimeout(() => resolve(false), waitMs)
    client.once('ready', () => {
      clearTimeout(timer)
      resolve(true)
    })
  })
  if (!isReady) logger.warn({}, 'redis does not answer; starting without it')
  // The first command to each master of a cluster would find its connection closed.
  if (isReady && client instanceof Cluster)
    await Promise.allSettled(client.nodes('master').map(master => master.ping()))
}

function joined(
  opened: Opened,
  prefix: string,
  isCluster: boolean,
  refusals: RedisRefusals,
  logger: RoutingLogger,
): RedisLink {
  const { client } = opened
  const shards = isCluster ? clusterShards : 1
  const command = (name: string, ...args: (string | number | Buffer)[]) => client.call(name, ...args)
  return {
    shards,
    shardOf: name => (shards === 1 ? 0 : hash(name) % shards),
    shardKey: isCluster ? (shard, rest) => `${prefix}:{${shard}}:${rest}` : (_shard, rest) => `${prefix}:${rest}`,
    key: rest => `${prefix}:${rest}`,
    command,
    refusals: refusals.counts,
    async script(script, keys, args) {
      try {
        return await command('evalsha', script.sha, keys.length, ...keys, ...args)
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
        return await command('eval', script.text, keys.length, ...keys, ...args)
      }
    },
    publish: (channel, bytes) =>
      command(isCluster ? 'spublish' : 'publish', `${prefix}:${channel}`, bytes) as Promise<number>,
    subscribe: (channel, onMessage) =>
      subscribe(opened, `${prefix}:${channel}`, isCluster, onMessage, refusals, logger),
    async close() {
      client.disconnect()
    },
  }
}

/**
 * One channel on one connection. On a cluster that is the master that holds the channel's slot: a redirection tells
 * which, and a slot that moves ends the connection. ioredis has sharded subscribers of its own, but they do not tell
 * when a channel was lost and when it is heard again, and everything here depends on knowing that.
 */
async function subscribe(
  opened: Opened,
  channel: string,
  isCluster: boolean,
  onMessage: (bytes: Buffer) => void,
  refusals: RedisRefusals,
  logger: RoutingLogger,
): Promise<Subscription> {
  let hint: RedisTarget | undefined
  for (let hop = 0; ; hop++) {
    const connection = opened.open(hint)
    let finish = () => {}
    const ended = new Promise<void>(resolve => {
      finish = resolve
    })
    connection.once('end', finish)
    connection.on('error', (error: Error) => {
      refusals.heard(error)
      logger.debug({ err: error }, 'redis subscription failed')
    })
    connection.on('moved', () => connection.disconnect())
    connection.on(isCluster ? 'smessageBuffer' : 'messageBuffer', (_channel: Buffer, bytes: Buffer) => onMessage(bytes))
    try {
      await connection.connect()
      await (isCluster ? connection.ssubscribe(channel) : connection.subscribe(channel))
      const end = () => {
        // A dead connection takes its time to close; nobody needs to wait for that.
        finish()
        connection.disconnect()
      }
      return { ended, end }
    } catch (error) {
      connection.disconnect()
      const moved = error instanceof Error ? /^MOVED \d+ (.*)$/.exec(error.message)?.[1] : undefined
      if (moved === undefined || hop === hopsMax) throw error
      const target = toTarget(moved)
      hint = target.host === '' ? { ...target, host: connection.options.host ?? '' } : target
    }
  }
}

/** FNV-1a: even enough, and cheap for the 36 characters of an id. */
function hash(name: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < name.length; i++) value = Math.imul(value ^ name.charCodeAt(i), 0x01000193)
  return value >>> 0
}
