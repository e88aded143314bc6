/**
 * Where a Redis for tests comes from: a redis-server or valkey-server in PATH, else a container when an engine answers,
 * else Debian's packages unpacked into .cache/, else an error that says what to install.
 */
import { execFile, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** How a Redis is started here. */
export type RedisProgram =
  | { readonly kind: 'binary'; readonly command: string; readonly env: Readonly<Record<string, string>> }
  | { readonly kind: 'container'; readonly socket: string }

export interface Surroundings {
  readonly path: string
  /** Unix sockets at which a Docker or Podman may answer. */
  readonly engineSockets: readonly string[]
  /** Where unpacked packages are kept from run to run. */
  readonly cacheFolder: string
}

/** The machine as it is. */
export function surroundings(env: NodeJS.ProcessEnv = process.env): Surroundings {
  const given = env['DOCKER_HOST']?.startsWith('unix://') === true ? [env['DOCKER_HOST'].slice('unix://'.length)] : []
  const runtime = env['XDG_RUNTIME_DIR']
  return {
    path: env['PATH'] ?? '',
    engineSockets: [
      ...given,
      '/var/run/docker.sock',
      join(homedir(), '.docker', 'run', 'docker.sock'),
      ...(runtime === undefined ? [] : [join(runtime, 'podman', 'podman.sock')]),
      '/run/podman/podman.sock',
    ],
    cacheFolder: join(fileURLToPath(new URL('../../..', import.meta.url)), '.cache', 'redis'),
  }
}

/**
 * Goes down the ladder.
 * @throws Error that says what to install
 */
export async function findRedis(from: Surroundings = surroundings()): Promise<RedisProgram> {
  const inPath = findInPath(from.path)
  if (inPath !== undefined) return { kind: 'binary', command: inPath, env: {} }
  for (const socket of from.engineSockets) if (await engineAnswers(socket)) return { kind: 'container', socket }
  try {
    return await unpackDebian(from.cacheFolder)
  } catch (error) {
    throw new Error(
      `unable to find a Redis: set REDIS_URL, or install redis-server or valkey-server, or start Docker or Podman (${String(error)})`,
      { cause: error },
    )
  }
}

function findInPath(path: string): string | undefined {
  for (const name of ['redis-server', 'valkey-server'])
    for (const folder of path.split(delimiter)) {
      const file = join(folder, name)
      try {
        accessSync(file, constants.X_OK)
        return file
      } catch {
        // Not in this folder.
      }
    }
  return undefined
}

/** An engine that is well may stand still for seconds on a busy machine. */
const pingMsMax = 10_000

/** Whether a container engine answers a ping at this socket. */
function engineAnswers(socket: string): Promise<boolean> {
  if (!existsSync(socket)) return Promise.resolve(false)
  return new Promise(resolve => {
    const asked = request({ socketPath: socket, path: '/_ping', timeout: pingMsMax }, response => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(false))
    asked.end()
  })
}

const run = promisify(execFile)
const packages = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1']

/** Downloads Debian's packages as any user may, and unpacks them without installing anything. */
async function unpackDebian(cacheFolder: string): Promise<RedisProgram> {
  const kept = join(cacheFolder, 'debian')
  if (!existsSync(kept)) {
    mkdirSync(cacheFolder, { recursive: true })
    const work = mkdtempSync(join(cacheFolder, 'work-'))
    try {
      await downloadPackages(work)
      const root = join(work, 'root')
      for (const file of readdirSync(work)) if (file.endsWith('.deb')) await run('dpkg', ['-x', join(work, file), root])
      if (!existsSync(kept)) renameSync(root, kept)
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  }
  const libraries = join(kept, 'usr', 'lib')
  const folders = readdirSync(libraries, { withFileTypes: true }).filter(entry => entry.isDirectory())
  const program = {
    kind: 'binary' as const,
    command: join(kept, 'usr', 'bin', 'redis-server'),
    env: { LD_LIBRARY_PATH: folders.map(folder => join(libraries, folder.name)).join(':') },
  }
  const tried = spawnSync(program.command, ['--version'], { env: { ...process.env, ...program.env }, encoding: 'utf8' })
  if (tried.status !== 0)
    throw new Error(`Debian's redis-server does not run here: ${tried.stderr || String(tried.error)}`)
  return program
}

async function downloadPackages(folder: string): Promise<void> {
  const download = () => run('apt-get', ['download', ...packages], { cwd: folder })
  try {
    await download()
  } catch (error) {
    // No package lists yet: only root may fetch them.
    if (process.getuid?.() !== 0) throw error
    await run('apt-get', ['update'])
    await download()
  }
}
