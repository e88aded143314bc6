/**
 * What is attacked: gateways, the API and a worker as processes of their own on a real PostgreSQL and Redis, as a fleet
 * runs them, and the ways of an attacker into it. People are made by SQL where it is not about how they sign up.
 */
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { generateSecretKey } from '@flotilla/service'
import {
  connectSocket,
  dropFolder,
  type Fleet,
  type FleetNode,
  freePort,
  type MailSink,
  makeFolder,
  makeSessions,
  makeUsers,
  projectRoot,
  type RedisServer,
  type SocketOptions,
  startFleet,
  startMailSink,
  startProcess,
  startRedis,
  type TestDatabase,
  type TestSocket,
  until,
} from '@flotilla/testing'
import { createTokenSigner } from '@flotilla/testing/load'
import pg from 'pg'
import { type Answer, type Call, type CallOptions, createCall } from './rest.ts'

export interface Person {
  readonly user: string
  readonly session: string
  /** The address of the network that they call from; nobody else has it. */
  readonly from: string
  /** A fresh access token. */
  token(): string
}

export interface Registered extends Person {
  readonly username: string
  /** What a device shows that has signed in before, if the API gives such a thing. */
  readonly device: string | undefined
}

/** A process whose memory is looked at. */
export interface Watched {
  readonly name: string
  readonly app: App
  pid(): number
  isRunning(): boolean
}

export type App = 'gateway' | 'api' | 'worker'

export interface Stand {
  /** Whether attacks run as large as they were found; else as small as they can be told from harmless use. */
  readonly isLong: boolean
  readonly bounds: Bounds
  /** By the size of the run. */
  size(short: number, long: number): number
  readonly api: string
  readonly fleet: Fleet
  readonly gateways: readonly FleetNode[]
  readonly redis: RedisServer
  readonly pool: pg.Pool
  readonly mails: MailSink['mails']
  /** What a settings file of this deployment holds: for processes that an attack starts beside it. */
  readonly settings: Readonly<Record<string, string>>
  readonly call: Call
  /** As a well-behaved client: comes back when it is told to. @throws Error when it is refused */
  must(request: string, options?: CallOptions): Promise<Answer>
  people(count: number): Promise<Person[]>
  /** Signs up by the API, with a password. */
  register(username: string, password: string): Promise<Registered>
  /** Makes two people contacts, as they would. */
  befriend(one: Person, other: Person): Promise<void>
  /** Further sessions, one for each of these users. */
  sessions(users: readonly string[]): Promise<string[]>
  /** Opens a socket to a gateway, by its number. */
  socket(person: Person, gateway?: number, options?: Pick<SocketOptions, 'keep' | 'onFrame'>): Promise<TestSocket>
  /** Another address of the network. */
  address(): string
  /** The gateway that `fleet.add` starts next reaches Redis by this URL. */
  stallGateway(redisUrl: string): void
  /** A fresh database on the same server. */
  database(): Promise<TestDatabase>
  processes(): readonly Watched[]
  /** Starts one more process of an app beside the fleet. */
  startPart(app: App | 'standalone', settings: Readonly<Record<string, string | undefined>>): Promise<Part>
  /** Runs after the present attack, the last first. */
  afterwards(run: () => unknown): void
  cleanUp(): Promise<void>
  stop(): Promise<void>
}

export interface Part {
  readonly port: number
  readonly operatorPort: number
  readonly url: string
  readonly pid: number
  isRunning(): boolean
  log(): string
  end(): Promise<void>
}

export interface StandOptions {
  readonly isLong: boolean
  readonly database: () => Promise<TestDatabase>
  /** The checkout that is attacked; the present one when missing. Its database has the schema of the present one. */
  readonly root?: string | undefined
}

/** Settings that attacks run against: so low in a short run that a few dozen tries are too many. */
export interface Bounds {
  /** SOCKETS_PER_ADDRESS_MAX of the gateways. */
  readonly socketsPerAddressMax: number
  /** REQUESTS_SENT_MAX: people whom somebody asks into conversations at one time. */
  readonly requestsSentMax: number
  readonly fanoutPerSecond: number
  readonly fanoutBurst: number
}
const shortBounds: Bounds = {
  socketsPerAddressMax: 60,
  requestsSentMax: 30,
  fanoutPerSecond: 1_000,
  fanoutBurst: 2_000,
}
/** All but the first are the defaults: so many sockets would be a test of this machine. */
const longBounds: Bounds = {
  socketsPerAddressMax: 1_000,
  requestsSentMax: 200,
  fanoutPerSecond: 10_000,
  fanoutBurst: 50_000,
}

/** Groups above this are routed by interest: small, so that every attack on groups meets both ways. */
export const largeConversationMin = 20
const gatewayCount = 2
const connectTriesMax = 3
/** On a machine with much else to do. */
const readyWithinMs = 60_000
/** The gateway whose way to Redis can be stalled: the next one that is added. */
const stalledGateway = `node-${gatewayCount + 1}`

export async function startStand(options: StandOptions): Promise<Stand> {
  const { isLong, root = projectRoot() } = options
  const [database, redis, sink] = await Promise.all([options.database(), startRedis(), startMailSink()])
  const { privateKey } = generateKeyPairSync('ed25519')
  const tokenKeys = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const sign = createTokenSigner({ keys: tokenKeys, issuer: 'flotilla', audience: 'flotilla' })
  let stalledUrl = redis.url
  const bounds = isLong ? longBounds : shortBounds
  const shared = {
    REQUESTS_SENT_MAX: String(bounds.requestsSentMax),
    FANOUT_PER_SECOND: String(bounds.fanoutPerSecond),
    FANOUT_BURST: String(bounds.fanoutBurst),
    LARGE_CONVERSATION_MIN: String(largeConversationMin),
    TRUSTED_PROXIES: '127.0.0.1',
    LOG_LEVEL: 'warn',
    // What is busy with other tests must not shed because of them.
    ...(isLong ? {} : { EVENT_LOOP_DELAY_MS_MAX: '60000' }),
  }
  const fleet = await startFleet({
    gateways: gatewayCount,
    databaseUrl: database.url,
    redisUrl: redis.url,
    root,
    readyWithinMs,
    settings: {
      ...shared,
      DRAIN_MS: '0',
      CONNECTS_PER_SECOND: '2000',
      SOCKETS_PER_ADDRESS_MAX: String(bounds.socketsPerAddressMax),
    },
    settingsOf: id => (id === stalledGateway ? { REDIS_URL: stalledUrl } : {}),
  })
  const settings = {
    ...shared,
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    MASTER_KEYS: fleet.masterKeys,
    TICKET_KEYS: fleet.ticketKeys,
    REFRESH_KEYS: generateSecretKey('refresh'),
    TOKEN_KEYS: tokenKeys,
    SMTP_URL: `smtp://127.0.0.1:${sink.port}`,
  }
  const parts: Part[] = []
  const startPart: Stand['startPart'] = async (app, more) => {
    const part = await launchPart(root, app, more)
    parts.push(part)
    return part
  }
  const [api, worker] = await Promise.all([startPart('api', settings), startPart('worker', settings)])
  const pool = new pg.Pool({ connectionString: database.url, max: 4 })
  pool.on('error', () => {})
  const ways = openWays({ api: api.url, fleet, pool, sign })
  const undo: (() => unknown)[] = []
  const cleanUp = async () => {
    for (const run of undo.splice(0).toReversed()) await run()
  }
  return {
    ...ways,
    isLong,
    bounds,
    size: (short, long) => (isLong ? long : short),
    api: api.url,
    fleet,
    gateways: fleet.nodes.slice(0, gatewayCount),
    redis,
    pool,
    mails: sink.mails,
    settings,
    database: options.database,
    startPart,
    stallGateway: url => void (stalledUrl = url),
    async socket(person, gateway, options) {
      const socket = await ways.socket(person, gateway, options)
      undo.push(() => socket.terminate())
      return socket
    },
    processes: () => [
      ...fleet.nodes
        .slice(0, gatewayCount)
        .map(node => ({ name: node.id, app: 'gateway' as const, pid: node.pid, isRunning: node.running })),
      { name: 'api', app: 'api', pid: () => api.pid, isRunning: api.isRunning },
      { name: 'worker', app: 'worker', pid: () => worker.pid, isRunning: worker.isRunning },
    ],
    afterwards: run => void undo.push(run),
    cleanUp,
    async stop() {
      await cleanUp()
      await Promise.all(parts.map(part => part.end()))
      await fleet.stop()
      await pool.end()
      await Promise.all([redis.stop(), sink.close()])
      await database.drop()
    },
  }
}

async function launchPart(
  root: string,
  app: App | 'standalone',
  settings: Readonly<Record<string, string | undefined>>,
): Promise<Part> {
  const folder = makeFolder(app)
  const [port, operatorPort] = [await freePort(), await freePort()]
  const process = await startProcess({
    command: globalThis.process.execPath,
    args: ['--conditions=source', join(root, `apps/${app}/src/main.ts`)],
    folder,
    env: {
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      HOST: '127.0.0.1',
      PORT: String(port),
      OPERATOR_HOST: '127.0.0.1',
      OPERATOR_PORT: String(operatorPort),
      NODE_ID: `${app}-${port}`,
      STORAGE_FOLDER: join(folder, 'files'),
      FLOTILLA_FOLDER: join(folder, 'flotilla'),
      ...settings,
    },
    ready: async () => (await fetch(`http://127.0.0.1:${operatorPort}/readyz`)).ok,
    readyWithinMs,
  })
  return {
    port,
    operatorPort,
    url: `http://127.0.0.1:${port}`,
    pid: process.pid,
    isRunning: process.running,
    log: process.log,
    async end() {
      await process.end('SIGKILL')
      dropFolder(folder)
    },
  }
}

type Ways = Pick<Stand, 'call' | 'must' | 'people' | 'register' | 'befriend' | 'sessions' | 'socket' | 'address'>

/** How people get in. */
function openWays(to: {
  api: string
  fleet: Fleet
  pool: pg.Pool
  sign(subject: { user: string; session: string }): string
}): Ways {
  const call = createCall(to.api)
  let addresses = 0
  const address = () => {
    addresses++
    return `10.${(addresses >> 16) & 255}.${(addresses >> 8) & 255}.${addresses & 255}`
  }
  const personOf = (user: string, session: string): Person => ({
    user,
    session,
    from: address(),
    token: () => to.sign({ user, session }),
  })
  const must: Stand['must'] = async (request, options) => {
    const answer = await until(
      async () => {
        const { status, ...rest } = await call(request, options)
        return status === 503 ? undefined : { status, ...rest }
      },
      { what: `${request} is answered`, withinMs: 30_000, everyMs: 200 },
    )
    if (answer.status >= 400)
      throw new Error(`unable to attack: ${request}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer
  }
  return {
    call,
    must,
    address,
    async people(count) {
      const users = await makeUsers(to.pool, count)
      const sessions = await makeSessions(to.pool, users)
      return users.map((user, nth) => personOf(user, sessions[nth]!))
    },
    async register(username, password) {
      const from = address()
      const { body } = await must('POST /v1/users', { body: { username, password }, from })
      const device = body.device as string | undefined
      return { ...personOf(body.user.id as string, body.session as string), from, username, device }
    },
    async befriend(one, other) {
      const asked = await must('POST /v1/contact-requests', {
        token: one.token(),
        from: one.from,
        body: { user: other.user },
      })
      await must(`POST /v1/contact-requests/${asked.body.id}/accept`, { token: other.token(), from: other.from })
    },
    sessions: users => makeSessions(to.pool, users),
    async socket({ user, session, from }, gateway = 0, options = {}) {
      const { directUrl: url } = to.fleet.nodes[gateway]!
      for (let tries = 1; ; tries++)
        try {
          const ticket = to.fleet.ticket(user, session)
          return await connectSocket({ ...options, url, ticket, headers: { 'x-forwarded-for': from } })
        } catch (error) {
          // A machine with much else to do may be late, or shed.
          if (tries === connectTriesMax) throw error
        }
    },
  }
}
