/** A small fleet of real processes (gateways, an API, a worker) that a real Prometheus scrapes, with people who talk. */
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { type Client, createClient, createSignIn } from '@flotilla/sdk'
import { generateSecretKey } from '@flotilla/service'
import { dropFolder, freePort, makeFolder, type StartedProcess, startProcess, until } from '@flotilla/testing'
import { type Prometheus, startPrometheus } from './prometheus.ts'
import { inProject } from './root.ts'

export interface MonitoredFleetOptions {
  /** The binary of Prometheus. */
  readonly program: string
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly gateways: number
  readonly scrapeSeconds: number
  /** Further settings of all processes. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface MonitoredFleet {
  readonly prometheus: Prometheus
  /** The URL of the API. */
  readonly api: string
  /** The /metrics of one process of each kind. */
  expositions(): Promise<string[]>
  startGateway(name: string): Promise<void>
  drainGateway(name: string): Promise<void>
  stop(): Promise<void>
}

/** Starts all of it and waits until all is ready. */
export async function startMonitoredFleet(options: MonitoredFleetOptions): Promise<MonitoredFleet> {
  const folder = makeFolder('monitored')
  const names = Array.from({ length: options.gateways + 1 }, (_, nth) => `gateway-${nth + 1}`)
  const shared = sharedSettings(options, folder)
  const apiPort = await freePort()
  const operatorPorts = new Map<string, number>()
  for (const name of [...names, 'api-1', 'worker-1']) operatorPorts.set(name, await freePort())
  const running = new Map<string, StartedProcess>()
  const operator = (name: string, path: string) => fetch(`http://127.0.0.1:${operatorPorts.get(name)}${path}`)

  async function start(name: string, settings: Readonly<Record<string, string>>): Promise<void> {
    const app = name.replace(/-\d+$/, '')
    const started = await startProcess({
      command: process.execPath,
      args: ['--conditions=source', inProject(`apps/${app}/src/main.ts`)],
      folder: makeFolder(name),
      env: { ...shared, NODE_ID: name, OPERATOR_PORT: String(operatorPorts.get(name)), ...settings },
      ready: async () => (await operator(name, '/readyz')).ok,
      readyWithinMs: 60_000,
    })
    running.set(name, started)
  }
  async function startGateway(name: string): Promise<void> {
    const port = String(await freePort())
    await start(name, { PORT: port, PUBLIC_URL: `ws://127.0.0.1:${port}/v1/socket` })
  }
  // One after the other: the first migrates, and each start takes a core.
  await start('api-1', { PORT: String(apiPort) })
  await Promise.all([...names.slice(0, options.gateways).map(startGateway), start('worker-1', {})])
  const at = (name: string) => `127.0.0.1:${operatorPorts.get(name)}`
  const prometheus = await startPrometheus({
    program: options.program,
    scrapeSeconds: options.scrapeSeconds,
    rules: [inProject('helm/flotilla/alerts/flotilla.yaml')],
    jobs: [
      { job: 'flotilla-gateway', targets: names.map(at) },
      { job: 'flotilla-api', targets: [at('api-1')] },
      { job: 'flotilla-worker', targets: [at('worker-1')] },
    ],
  })
  // What is counted before the first scrape is never seen to rise.
  await until(async () => (await prometheus.ask('up == 1')).length === running.size, {
    what: 'Prometheus has seen everybody',
    withinMs: 30_000,
    everyMs: 200,
  })
  return {
    prometheus,
    api: `http://127.0.0.1:${apiPort}`,
    expositions: () =>
      Promise.all(['gateway-1', 'api-1', 'worker-1'].map(async name => (await operator(name, '/metrics')).text())),
    startGateway,
    async drainGateway(name) {
      await running.get(name)?.end('SIGTERM', 60_000)
    },
    async stop() {
      await prometheus.stop()
      await Promise.all([...running.values()].map(one => one.end('SIGKILL')))
      dropFolder(folder)
    },
  }
}

function sharedSettings(options: MonitoredFleetOptions, folder: string): Readonly<Record<string, string>> {
  return {
    HOST: '127.0.0.1',
    OPERATOR_HOST: '127.0.0.1',
    LOG_LEVEL: 'warn',
    DATABASE_URL: options.databaseUrl,
    REDIS_URL: options.redisUrl,
    MASTER_KEYS: generateSecretKey('master'),
    TICKET_KEYS: generateSecretKey('ticket'),
    REFRESH_KEYS: generateSecretKey('refresh'),
    TOKEN_KEYS: JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })),
    STORAGE_FOLDER: join(folder, 'files'),
    MAIL: 'false',
    DIRECT_FROM: 'anyone',
    DRAIN_MS: '10000',
    // On a busy machine every process is late now and then.
    EVENT_LOOP_DELAY_MS_MAX: '60000',
    ...options.settings,
    // Everybody comes from one address here.
    ...Object.fromEntries(['REQUESTS', 'SIGN_INS', 'REGISTRATIONS'].map(what => [`${what}_MAX`, '100000'])),
  }
}

export interface Talk {
  readonly people: number
  readonly messagesPerSecond: number
}

export interface Talking {
  /** How many sends were acknowledged. */
  acknowledged(): number
  /** One of them signs in anew, or tries to with a wrong password. */
  signIn(how: 'rightly' | 'wrongly'): Promise<void>
  stop(): Promise<void>
}

const password = 'correct horse battery'

/** People register, sign in, connect, talk in groups of ten, and look at their lists. Resolves when all are connected. */
export async function startTalking(api: string, { people, messagesPerSecond }: Talk): Promise<Talking> {
  const clients: Client[] = []
  const talks: string[] = []
  const prefix = `p${Date.now().toString(36)}`
  const ids: string[] = []
  for (let nth = 0; nth < people; nth++) {
    const account = createSignIn(api, {})
    const me = await account.register({ username: `${prefix}-${nth}`, password })
    ids.push(me.id)
    clients.push(createClient({ api, getToken: account.getToken }))
  }
  await Promise.all(clients.map(client => client.start()))
  for (let from = 0; from < people; from += 10) {
    const members = ids.slice(from + 1, from + 10)
    talks.push((await clients[from]!.rest.createGroup('A crew', members)).id)
  }
  let acknowledged = 0
  const timer = setInterval(() => {
    const nth = Math.floor(Math.random() * people)
    const send = clients[nth]!.send({ conversation: talks[Math.floor(nth / 10)]!, body: { text: 'Ahoy' } })
    send.acknowledged.then(
      () => acknowledged++,
      // It is told by the figures that the test looks at.
      () => {},
    )
  }, 1_000 / messagesPerSecond)
  const look = setInterval(() => {
    const nth = Math.floor(Math.random() * people)
    clients[nth]!.rest.conversations().catch(() => {})
  }, 250)
  return {
    acknowledged: () => acknowledged,
    async signIn(how) {
      const signIn = createSignIn(api, {}).signIn({
        username: `${prefix}-0`,
        password: how === 'rightly' ? password : 'wrong',
      })
      await (how === 'rightly' ? signIn : signIn.catch(() => {}))
    },
    async stop() {
      clearInterval(timer)
      clearInterval(look)
      await Promise.all(clients.map(client => client.stop()))
    },
  }
}
