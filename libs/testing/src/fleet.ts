/**
 * Gateways as processes of their own on real servers, each behind a fault proxy: what fault tests kill, freeze and cut.
 * The tests make people and sessions by SQL and sign tickets themselves, so that no REST API is needed.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generateSecretKey, parseSecretKeys, signTicket } from '@flotilla/service'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { freePort, type StartedProcess, startProcess } from './processes.ts'
import { dropFolder, makeFolder } from './reaper.ts'
import { until } from './until.ts'

export interface FleetOptions {
  readonly gateways: number
  readonly databaseUrl: string
  readonly redisUrl: string
  /** Further settings of the gateways; see docs/configuration.md. */
  readonly settings?: Readonly<Record<string, string>>
  /** Settings of one gateway by its name, before all others: its own way to a store, through a proxy. */
  readonly settingsOf?: (id: string) => Readonly<Record<string, string>>
  /** The checkout whose gateway runs; the present one when missing. */
  readonly root?: string
  /** How long a gateway may take to start. */
  readonly readyWithinMs?: number
}

export interface FleetNode {
  readonly id: string
  /** Where clients connect: through the fault proxy, or wherever PUBLIC_URL says. */
  readonly url: string
  /** The same without the proxy. */
  readonly directUrl: string
  readonly proxy: FaultProxy
  pid(): number
  running(): boolean
  /** SIGKILL: nothing is said to anybody. */
  kill(): Promise<void>
  /** SIGTERM: resolves when the process has drained and ended. @returns its exit code or the signal's name */
  drain(): Promise<number | string>
  freeze(): void
  thaw(): void
  /** Starts it again under its name and its ports, and from now on from this checkout if one is given. */
  start(root?: string): Promise<void>
  /** One figure of /metrics, added up over its series: all, or those with a label, as `code="lost"`. */
  metric(name: string, label?: string): Promise<number>
  log(): string
  readonly logFile: string
}

export interface Fleet {
  readonly nodes: readonly FleetNode[]
  readonly masterKeys: string
  readonly ticketKeys: string
  /** Starts one more and waits until it takes connections. */
  add(): Promise<FleetNode>
  /** What `GET /v1/connect` would say: the running nodes in random order, and a ticket. */
  connect(
    user: string,
    session: string,
  ): {
    urls: { url: string; region: string }[]
    ticket: string
    ticketExpiresInMs: number
    protocol: number
    epoch: number
  }
  ticket(user: string, session: string): string
  stop(): Promise<void>
}

/** The root of the project, found by its turbo.json. */
export function projectRoot(): string {
  for (let folder = fileURLToPath(new URL('.', import.meta.url)); ; folder = join(folder, '..')) {
    if (existsSync(join(folder, 'turbo.json'))) return folder
    if (folder === join(folder, '..')) throw new Error('unable to find the root of the project')
  }
}

/** Starts the gateways and waits until all take connections. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const masterKeys = generateSecretKey('master')
  const ticketKeysText = generateSecretKey('ticket')
  const ticketKeys = parseSecretKeys(ticketKeysText)
  const settings = {
    ...options.settings,
    DATABASE_URL: options.databaseUrl,
    REDIS_URL: options.redisUrl,
    MASTER_KEYS: masterKeys,
    TICKET_KEYS: ticketKeysText,
  }
  let started = 0
  const nodes: Awaited<ReturnType<typeof startNode>>[] = []
  const add = async () => {
    const number = ++started
    const id = `node-${number}`
    const node = await startNode(id, { ...settings, ...options.settingsOf?.(id) }, options)
    nodes[number - 1] = node
    return node
  }
  await Promise.all(Array.from({ length: options.gateways }, add))
  const ticket = (user: string, session: string) => signTicket(ticketKeys, { user, session }, Date.now())
  return {
    nodes,
    masterKeys,
    ticketKeys: ticketKeysText,
    add,
    ticket,
    connect(user, session) {
      const urls = nodes
        .filter(node => node.running())
        .map(node => ({ url: node.url, region: 'local', rank: Math.random() }))
        .sort((a, b) => a.rank - b.rank)
      return {
        urls: urls.map(({ url, region }) => ({ url, region })),
        ticket: ticket(user, session),
        ticketExpiresInMs: 30_000,
        protocol: 1,
        epoch: 1,
      }
    },
    async stop() {
      await Promise.all(nodes.map(node => node.end()))
    },
  }
}

async function startNode(
  id: string,
  settings: Readonly<Record<string, string>>,
  options: Pick<FleetOptions, 'root' | 'readyWithinMs'>,
): Promise<FleetNode & { end(): Promise<void> }> {
  let root = options.root ?? projectRoot()
  const folder = makeFolder(id)
  const [port, operatorPort] = [await freePort(), await freePort()]
  const proxy = await startFaultProxy({ target: { host: '127.0.0.1', port } })
  const env = {
    LOG_LEVEL: 'info',
    // Everybody comes from this machine.
    CONNECTS_PER_ADDRESS_MAX: '1000000',
    SOCKETS_PER_ADDRESS_MAX: '1000000',
    ...settings,
    NODE_ID: id,
    HOST: '127.0.0.1',
    PORT: String(port),
    OPERATOR_HOST: '127.0.0.1',
    OPERATOR_PORT: String(operatorPort),
    PUBLIC_URL: settings['PUBLIC_URL'] ?? `ws://127.0.0.1:${proxy.port}/v1/socket`,
  }
  const operator = (path: string, withinMs = 2_000) =>
    fetch(`http://127.0.0.1:${operatorPort}${path}`, { signal: AbortSignal.timeout(withinMs) })
  const launch = () =>
    startProcess({
      command: process.execPath,
      args: ['--conditions=source', join(root, 'apps/gateway/src/main.ts')],
      folder,
      env,
      ready: async () => (await operator('/readyz')).ok,
      ...(options.readyWithinMs === undefined ? {} : { readyWithinMs: options.readyWithinMs }),
    })
  let running: StartedProcess = await launch()
  let frozen = false

  const thaw = () => {
    if (frozen) running.signal('SIGCONT')
    frozen = false
  }
  return {
    id,
    url: env.PUBLIC_URL,
    directUrl: `ws://127.0.0.1:${port}/v1/socket`,
    proxy,
    pid: () => running.pid,
    running: () => running.running(),
    async kill() {
      await running.end('SIGKILL')
      frozen = false
    },
    async drain() {
      await running.end('SIGTERM', 120_000)
      return running.exited
    },
    freeze() {
      running.signal('SIGSTOP')
      frozen = true
    },
    thaw,
    async start(from = root) {
      root = from
      running = await until(launch, { what: `${id} starts again`, withinMs: 30_000, everyMs: 200 })
    },
    async metric(name, label = '') {
      const text = await (await operator('/metrics', 15_000)).text()
      const values = text
        .split('\n')
        .filter(line => /^[{ ]/.test(line.slice(name.length)) && line.startsWith(name) && line.includes(label))
      return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    },
    log: () => running.log(),
    logFile: running.logFile,
    async end() {
      thaw()
      await running.end('SIGKILL')
      await proxy.close()
      dropFolder(folder)
    },
  }
}
