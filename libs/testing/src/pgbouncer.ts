/**
 * A real PgBouncer in front of a PostgreSQL. It comes from PGBOUNCER, else from PATH if it is new enough to keep prepared
 * statements apart, else from Debian's packages unpacked into .cache/.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unpackDebian } from './debian-packages.ts'
import { freePort, type StartedProcess, startProcess } from './processes.ts'
import { dropFolder, makeFolder } from './reaper.ts'

export type PoolMode = 'session' | 'transaction'

export interface PgBouncer {
  /** The same database, by way of PgBouncer. */
  readonly url: string
  running(): boolean
  log(): string
  stop(): Promise<void>
}

/** The first version with max_prepared_statements. */
const versionMin = [1, 21] as const

/**
 * @param env PGBOUNCER names a program
 * @throws Error that says what to install
 */
export async function findPgBouncer(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const given = env['PGBOUNCER']
  if (given !== undefined && given !== '') return given
  for (const folder of [...(env['PATH'] ?? '').split(delimiter), '/usr/sbin']) {
    const command = join(folder, 'pgbouncer')
    if (existsSync(command) && isNewEnough(command)) return command
  }
  try {
    const cacheFolder = join(fileURLToPath(new URL('../../..', import.meta.url)), '.cache', 'pgbouncer')
    const { command } = await unpackDebian({ cacheFolder, packages: ['pgbouncer'], program: 'usr/sbin/pgbouncer' })
    if (!isNewEnough(command)) throw new Error('it does not run here')
    return command
  } catch (error) {
    throw new Error(
      `unable to find a PgBouncer ${versionMin.join('.')} or newer: set PGBOUNCER, or on Debian install debian-archive-keyring, so that Debian's packages can be unpacked (${String(error)})`,
      { cause: error },
    )
  }
}

function isNewEnough(command: string): boolean {
  const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' })
  const [, major = 0, minor = 0] = /PgBouncer (\d+)\.(\d+)/.exec(stdout ?? '')?.map(Number) ?? []
  return major > versionMin[0] || (major === versionMin[0] && minor >= versionMin[1])
}

/**
 * Starts one in front of the server of `url`.
 * @param settings of its section [pgbouncer], beyond those that a test needs
 */
export async function startPgBouncer(
  url: string,
  mode: PoolMode,
  settings: Readonly<Record<string, string | number>> = {},
): Promise<PgBouncer> {
  const command = await findPgBouncer()
  const server = new URL(url)
  const folder = makeFolder('pgbouncer')
  const port = await freePort()
  writeFileSync(join(folder, 'users'), `"${decodeURIComponent(server.username)}" ""\n`)
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: join(folder, 'users'),
    pool_mode: mode,
    max_prepared_statements: 200,
    default_pool_size: 20,
    max_client_conn: 500,
    // It does not run as root.
    ...(process.getuid?.() === 0 ? { user: 'nobody' } : {}),
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]\n* = host=${server.hostname} port=${server.port}\n[pgbouncer]\n${lines.join('\n')}\n`,
  )
  const program: StartedProcess = await startProcess({
    command,
    args: [join(folder, 'pgbouncer.ini')],
    folder,
    ready: () => answers(port),
  })
  const own = new URL(url)
  own.port = String(port)
  return {
    url: own.href,
    running: () => program.running(),
    log: () => program.log(),
    async stop() {
      await program.end('SIGINT')
      dropFolder(folder)
    },
  }
}

const answers = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
