/**
 * The embedded PostgreSQL: a real, durable server as a process of its own, with its data in a folder that outlives it.
 *
 * - It ends with this process, however that ends: a small shell holds the other end of a pipe and stops the server when
 *   the pipe closes. It is in a group of its own, so Ctrl-C in a terminal does not reach it before those who write to it
 *   have ended.
 * - Only whoever holds the folder (instance.ts) may start it. So a server that still runs there was left by a crash of
 *   everything at once, and is stopped first.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { platform } from 'node:os'
import { join } from 'node:path'
import { nameOf, ownerOf } from '@flotilla/service'
import { type Binaries, findBinaries, findOwner, type Owner } from './postgres-binaries.ts'

export interface EmbeddedPostgres {
  readonly url: string
  /** Resolves when the server has ended, wanted or not. */
  readonly ended: Promise<void>
  /** Ends the server after a checkpoint. The data stay. */
  stop(): Promise<void>
}

const user = 'flotilla'
const database = 'postgres'
/** A crash leaves work to the next start. */
const startMsMax = 120_000
const stopMsMax = 30_000
const pollMs = 20
const logBytesShown = 2_000
const connectionsMax = 40

/** PostgreSQL refuses to run under a locale that its libraries do not know. */
const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C', LANG: 'C', TZ: 'UTC' }

/** $@ is the server's command line. Descriptor 3 is the pipe; background jobs of a shell have no stdin of their own. */
const keeper = `
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
(cat <&3 >/dev/null; kill -INT "$server") 2>/dev/null &
watch=$!
wait "$server"
kill "$watch" 2>/dev/null
`

/** Whether a folder holds a cluster already. What cannot be looked into is taken for one: nothing is made over it. */
export function hasCluster(folder: string): boolean {
  try {
    return readdirSync(join(folder, 'postgres')).length > 0
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT'
  }
}

/**
 * Starts the server on a free port of the loopback; makes its cluster at the first time.
 * @param folder whose sub-folder `postgres` has the data
 * @throws Error with the last lines of the server's log
 */
export async function startEmbeddedPostgres(folder: string, password: string): Promise<EmbeddedPostgres> {
  const owner = findOwner()
  const binaries = findBinaries(owner)
  const data = join(folder, 'postgres')
  if (hasCluster(folder)) checkCluster(binaries, data, owner)
  else makeCluster(binaries, data, password, owner)
  await stopLeftOver(data)
  const port = await freePort()
  const logFile = join(folder, 'postgres.log')
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port,
    max_connections: connectionsMax,
    timezone: 'UTC',
  }
  const place = placeOf(data, owner)
  const log = openSync(logFile, 'w', 0o600)
  const server = spawn(
    '/bin/sh',
    [
      '-c',
      keeper,
      'flotilla-postgres',
      binaries.postgres,
      '-D',
      place.data,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { cwd: place.cwd, env: environment, detached: true, stdio: ['pipe', log, log], ...owner },
  )
  closeSync(log)
  server.stdin?.on('error', () => {})
  const ended = new Promise<void>(resolve => {
    server.once('error', () => resolve())
    server.once('exit', () => resolve())
  })
  const started: EmbeddedPostgres = {
    url: urlOf(port, password),
    ended,
    stop: () => stop(server, ended),
  }
  if (!(await isUp(data, server, ended)))
    throw new Error(
      `unable to start PostgreSQL in ${data}:\n${readFileSync(logFile, 'utf8').slice(-logBytesShown).trim()}`,
    )
  return started
}

/** @throws Error when the cluster is another user's, or of another version: PostgreSQL would say so in its log alone */
function checkCluster(binaries: Binaries, data: string, owner: Owner | undefined): void {
  const runsAs = owner?.uid ?? process.getuid?.()
  if (runsAs !== undefined && statSync(data).uid !== runsAs) {
    const [whose, us] = [ownerOf(data), nameOf(runsAs)]
    throw new Error(
      `unable to start PostgreSQL in ${data}: it belongs to ${whose}, and PostgreSQL would run as ${us}. Start as ${whose}, or give it away with sudo chown -R ${us} ${data}`,
    )
  }
  if (!existsSync(join(data, 'PG_VERSION')))
    throw new Error(`unable to start PostgreSQL in ${data}: something else is in that folder. Move it away`)
  const made = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim()
  const version = spawnSync(binaries.postgres, ['--version'], {
    env: environment,
    encoding: 'utf8',
    cwd: '/',
    ...owner,
  })
  const brought = /\) (\d+)/.exec(version.stdout)?.[1]
  if (brought !== undefined && made !== brought)
    throw new Error(
      `unable to start PostgreSQL in ${data}: its data is from version ${made}, but this is version ${brought}. Start the Flotilla that created it, or run PostgreSQL ${made} on it and set DATABASE_URL; nothing was changed`,
    )
}

/** In a folder of its own first, so that a cluster that is there is whole. */
function makeCluster(binaries: Binaries, data: string, password: string, owner: Owner | undefined): void {
  const draft = `${data}.new`
  const passwordFile = `${data}.password`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { mode: 0o700 })
  // Through descriptor 0, as the path may be closed to the server's user.
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  if (owner !== undefined) {
    chownSync(draft, owner.uid, owner.gid)
    chownSync(passwordFile, owner.uid, owner.gid)
  }
  const place = placeOf(draft, owner)
  const passwordHandle = openSync(passwordFile, 'r')
  const made = spawnSync(
    binaries.initdb,
    [
      `--pgdata=${place.data}`,
      `--username=${user}`,
      '--auth=scram-sha-256',
      '--pwfile=/dev/stdin',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
    ],
    { cwd: place.cwd, env: environment, encoding: 'utf8', stdio: [passwordHandle, 'pipe', 'pipe'], ...owner },
  )
  closeSync(passwordHandle)
  rmSync(passwordFile)
  if (made.status !== 0)
    throw new Error(`unable to make a PostgreSQL cluster in ${data}: ${made.error?.message ?? made.stderr.trim()}`)
  renameSync(draft, data)
}

/**
 * How the server's user finds the data. Under a folder that is closed to it, such as /root, no path leads there, but the
 * working directory does: Linux has a name for it that looks at nothing above.
 */
function placeOf(data: string, owner: Owner | undefined): { data: string; cwd: string } {
  const canEnter = () =>
    spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', data], { cwd: '/', stdio: 'ignore', ...owner }).status === 0
  return platform() === 'linux' && owner !== undefined && !canEnter()
    ? { data: '/proc/self/cwd', cwd: data }
    : { data, cwd: data }
}

/**
 * Where the server of a folder is that another process has started.
 * @throws Error when none runs there
 */
export function runningPostgres(folder: string, password: string): string {
  const data = join(folder, 'postgres')
  const found = readState(data)
  if (found === undefined || !isServerOf(found.pid, data))
    throw new Error(`unable to open the data in ${folder}: Flotilla is not running on it. Run npm start first`)
  return urlOf(found.port, password)
}

const urlOf = (port: number, password: string) => `postgres://${user}:${password}@127.0.0.1:${port}/${database}`

/** Line 1 of the file is the server's process number, line 4 its port, line 8 its state. */
function readState(data: string): { pid: number; port: number; state: string } | undefined {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
    return { pid: Number(lines[0]), port: Number(lines[3]), state: lines[7]?.trim() ?? '' }
  } catch {
    return undefined
  }
}

/** Waits until the server takes connections. @returns false when it ended instead */
async function isUp(data: string, server: ChildProcess, ended: Promise<void>): Promise<boolean> {
  const isRunning = () => server.pid !== undefined && server.exitCode === null && server.signalCode === null
  for (const deadline = performance.now() + startMsMax; isRunning() && performance.now() < deadline; await pause())
    if (readState(data)?.state === 'ready') return true
  await stop(server, ended)
  return false
}

/** The end of the pipe is the sign to stop. A server that does not come to its end is ended as by a crash: it recovers. */
async function stop(server: ChildProcess, ended: Promise<void>): Promise<void> {
  server.stdin?.end()
  const late = setTimeout(() => {
    if (server.pid !== undefined) process.kill(-server.pid, 'SIGQUIT')
  }, stopMsMax)
  await ended
  clearTimeout(late)
}

/** Of a crash that took the keeper too, the server may be left, or its file with a number that is now another process's. */
async function stopLeftOver(data: string): Promise<void> {
  const left = readState(data)
  if (left === undefined) return
  const runs = () => isServerOf(left.pid, data)
  if (runs() && !isStartedHere(data))
    throw new Error(
      `unable to start PostgreSQL in ${data}: another one is running on it, process ${left.pid}, that Flotilla did not start. Stop it, or use it: DATABASE_URL=postgres://… npm start`,
    )
  if (runs()) process.kill(left.pid, 'SIGINT')
  for (const deadline = performance.now() + stopMsMax; runs(); await pause())
    if (performance.now() > deadline)
      throw new Error(`unable to start PostgreSQL in ${data}: process ${left.pid} is running there and does not stop`)
  rmSync(join(data, 'postmaster.pid'), { force: true })
}

/** Whether the last server on this data had our command line. */
function isStartedHere(data: string): boolean {
  try {
    return readFileSync(join(data, 'postmaster.opts'), 'utf8').includes('"unix_socket_directories="')
  } catch {
    return false
  }
}

/** Whether a process is a PostgreSQL on this data: its working directory is the data folder. */
function isServerOf(pid: number, data: string): boolean {
  try {
    if (platform() === 'linux') return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(data)
    const command = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout
    return command.includes('postgres') && command.includes(data)
  } catch {
    return false
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

const pause = () => new Promise(resolve => setTimeout(resolve, pollMs))
