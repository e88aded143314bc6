/**
 * A real nginx for tests, and the edge on it: docker/edge's own entrypoint, as the image starts it, on loopback.
 *
 * Where the nginx comes from: NGINX, else an `nginx` in PATH that can do what the edge needs, else Debian's packages of
 * its next release unpacked into .cache/ and run by their own loader, which needs no root and no container.
 */
import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { dropFolder, freePort, makeFolder, type StartedProcess, startProcess, unpackDebian } from '@flotilla/testing'
import { inProject } from './root.ts'

const run = promisify(execFile)

export interface Nginx {
  readonly command: string
  /** The folder of its modules. */
  readonly modules: string
}

/** The first version that looks the names of upstreams up again. */
const versionMin = [1, 27, 3] as const
const modulesDefault = '/usr/lib/nginx/modules'

/**
 * Goes down the ladder.
 * @throws Error that says what to install
 */
export async function findNginx(env: NodeJS.ProcessEnv = process.env): Promise<Nginx> {
  const modules = env['NGINX_MODULES'] ?? modulesDefault
  const given = env['NGINX']
  if (given !== undefined && given !== '') {
    const lack = await lackOf({ command: given, modules })
    if (lack !== undefined) throw new Error(`unable to use NGINX=${given}: ${lack}`)
    return { command: given, modules }
  }
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const found = { command: join(folder, 'nginx'), modules }
    if (existsSync(found.command) && (await lackOf(found)) === undefined) return found
  }
  try {
    return await unpack(inProject('.cache/nginx'))
  } catch (error) {
    throw new Error(
      `unable to find an nginx ${versionMin.join('.')} or newer with its module geoip2: set NGINX and NGINX_MODULES, or on Debian install debian-archive-keyring, so that Debian's packages can be unpacked (${String(error)})`,
      { cause: error },
    )
  }
}

/** @returns what it lacks for an edge, undefined when nothing */
async function lackOf({ command, modules }: Nginx): Promise<string | undefined> {
  try {
    accessSync(command, constants.X_OK)
    const { stderr } = await run(command, ['-v'], { env: { PATH: process.env['PATH'] } })
    const version = /nginx\/(\d+)\.(\d+)\.(\d+)/.exec(stderr)?.slice(1).map(Number) ?? []
    const [major = 0, minor = 0, patch = 0] = version
    const worth = major * 1e6 + minor * 1e3 + patch
    if (worth < versionMin[0] * 1e6 + versionMin[1] * 1e3 + versionMin[2]) return `it is ${version.join('.')}`
    return existsSync(join(modules, 'ngx_http_geoip2_module.so')) ? undefined : `no module geoip2 in ${modules}`
  } catch (error) {
    return String(error)
  }
}

/** What Debian's next release has. */
async function unpack(cacheFolder: string): Promise<Nginx> {
  const { root, command } = await unpackDebian({
    cacheFolder,
    packages: ['nginx', 'libnginx-mod-http-geoip2'],
    program: 'usr/sbin/nginx',
  })
  const found = { command, modules: join(root, 'usr/lib/nginx/modules') }
  const lack = await lackOf(found)
  if (lack !== undefined) throw new Error(`Debian's nginx does not run here: ${lack}`)
  return found
}

export interface EdgeOptions {
  readonly nginx: Nginx
  /** Settings of the edge, as docker/edge/README.md lists them. Ports that are not given are free ones. */
  readonly env?: Readonly<Record<string, string>>
  /** Put before the entrypoint: `['ip', 'netns', 'exec', 'x']`. */
  readonly launcher?: readonly string[]
}

export interface Edge {
  readonly port: number
  readonly tlsPort: number
  readonly operatorPort: number
  /** `http://127.0.0.1:port` */
  readonly url: string
  readonly pid: number
  running(): boolean
  /** All that it has written so far, whole. */
  log(): string
  /** The lines of the log of requests. */
  requests(): LoggedRequest[]
  /** What nginx counts: `Active connections` and the like. */
  status(): Promise<{ active: number; accepted: number; handled: number; requests: number }>
  /** SIGHUP. Resolves when workers with the new configuration run. */
  reload(): Promise<void>
  /** SIGTERM: resolves when it has ended. @returns the exit code or the signal's name */
  stop(): Promise<number | string>
  /** SIGKILL to nginx alone, not to the entrypoint that looks after it. */
  killNginx(): void
  /** Ends it at once, and removes its files. */
  end(): Promise<void>
}

export interface LoggedRequest {
  readonly requestId: string
  readonly address: string
  readonly country: string
  readonly method: string
  readonly path: string
  readonly status: number
  readonly region: string
  readonly upstream: string
}

const entrypoint = inProject('docker/edge/entrypoint.sh')

/** Runs the entrypoint with these settings alone, and waits until the edge takes requests. */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { nginx } = options
  const folder = makeFolder('edge')
  const env = {
    HOST: '127.0.0.1',
    OPERATOR_HOST: '127.0.0.1',
    PORT: String(await freePort()),
    TLS_PORT: String(await freePort()),
    OPERATOR_PORT: String(await freePort()),
    WORKERS: '2',
    WORKER_CONNECTIONS: '4096',
    RESOLVER_VALID_SECONDS: '1',
    STOP_SECONDS: '2',
    ...options.env,
    TMPDIR: folder,
    NGINX: nginx.command,
    NGINX_MODULES: nginx.modules,
  }
  const operator = (path: string) => askOperator(env.OPERATOR_HOST, Number(env.OPERATOR_PORT), path)
  const started: StartedProcess = await startProcess({
    command: 'sh',
    args: [entrypoint],
    launcher: options.launcher ?? [],
    folder,
    env,
    ready: async () => (await operator('/readyz')) === 'ready\n',
  })
  const log = () => readFileSync(join(folder, 'log'), 'utf8')
  return {
    port: Number(env.PORT),
    tlsPort: Number(env.TLS_PORT),
    operatorPort: Number(env.OPERATOR_PORT),
    url: `http://${env.HOST}:${env.PORT}`,
    pid: started.pid,
    running: () => started.running(),
    log,
    requests: () =>
      log()
        .split('\n')
        // The last one may be half written.
        .slice(0, -1)
        .filter(line => line.includes('"msg":"request"'))
        .map(line => JSON.parse(line) as LoggedRequest),
    async status() {
      const numbers = ((await operator('/stub_status')).match(/\d+/g) ?? []).map(Number)
      const [active = 0, accepted = 0, handled = 0, requests = 0] = numbers
      return { active, accepted, handled, requests }
    },
    async reload() {
      const before = workersOf(folder)
      started.signal('SIGHUP')
      const deadline = Date.now() + 30_000
      while (!workersOf(folder).some(pid => !before.includes(pid))) {
        if (Date.now() > deadline) throw new Error('unable to see the edge reload: no new worker within 30 s')
        await sleep(20)
      }
    },
    async stop() {
      await started.end('SIGTERM', 60_000)
      return started.exited
    },
    killNginx() {
      for (const pid of [masterOf(folder), ...workersOf(folder)]) process.kill(Number(pid), 'SIGKILL')
    },
    async end() {
      await started.end('SIGKILL')
      dropFolder(folder)
    },
  }
}

const masterOf = (folder: string) => readFileSync(join(folder, 'edge', 'nginx.pid'), 'utf8').trim()

/** The processes that nginx's first one has started. */
function workersOf(folder: string): string[] {
  const pid = masterOf(folder)
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
}

function askOperator(host: string, port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, timeout: 10_000, agent: false }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(text))
    })
    asked.on('timeout', () => asked.destroy(new Error('no answer within 10 s')))
    asked.on('error', reject)
    asked.end()
  })
}
