/**
 * A program of Debian's next release, unpacked into .cache/ and run by the packages' own loader and libraries: it needs no
 * root and no container, and it does not matter which C library this machine has.
 */
import { execFile } from 'node:child_process'
import {
  accessSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const release = 'forky'
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const unpackMsMax = 180_000

export interface DebianProgram {
  /** Where unpacked packages are kept from run to run. */
  readonly cacheFolder: string
  readonly packages: readonly string[]
  /** The program in the packages: `usr/sbin/nginx`. */
  readonly program: string
}

/**
 * Downloads and unpacks, unless it is there already. Nothing is installed.
 * @returns the folder of the packages' files, and what starts the program
 * @throws Error when this is no Debian, or nothing can be downloaded
 */
export async function unpackDebian(wanted: DebianProgram): Promise<{ root: string; command: string }> {
  const { cacheFolder, program } = wanted
  const root = join(cacheFolder, release)
  const command = join(root, program.split('/').at(-1)!)
  if (existsSync(command)) return { root, command }
  accessSync(keyring)
  mkdirSync(cacheFolder, { recursive: true })
  const work = mkdtempSync(join(cacheFolder, 'work-'))
  try {
    await download(work, wanted.packages)
    const draft = join(work, 'root')
    const archives = join(work, 'cache', 'archives')
    for (const file of readdirSync(archives).filter(name => name.endsWith('.deb')))
      await run('dpkg', ['-x', join(archives, file), draft])
    writeLauncher(draft, program)
    // Another process may have been quicker.
    if (!existsSync(root)) renameSync(draft, root)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return { root, command }
}

async function download(work: string, packages: readonly string[]): Promise<void> {
  for (const folder of ['state/lists/partial', 'cache/archives/partial'])
    mkdirSync(join(work, folder), { recursive: true })
  writeFileSync(join(work, 'status'), '')
  writeFileSync(join(work, 'sources'), `deb [signed-by=${keyring}] http://deb.debian.org/debian ${release} main\n`)
  const options = {
    'Dir::State': join(work, 'state'),
    'Dir::State::status': join(work, 'status'),
    'Dir::Cache': join(work, 'cache'),
    'Dir::Etc::sourcelist': join(work, 'sources'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    // A mirror may lag behind; what it has is signed all the same.
    'Acquire::Check-Valid-Until': 'false',
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'APT::Sandbox::User': '',
    'Debug::NoLocking': 'true',
  }
  const apt = (...args: readonly string[]) =>
    run(
      'apt-get',
      [...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]), '-qq', ...args],
      { timeout: unpackMsMax },
    )
  await apt('update')
  await apt('install', '--yes', '--no-install-recommends', '--download-only', ...packages)
}

function writeLauncher(root: string, program: string): void {
  const libraries = readdirSync(join(root, 'usr/lib')).find(name => name.endsWith('-linux-gnu'))
  if (libraries === undefined) throw new Error('the packages hold no libraries')
  const loader = readdirSync(join(root, 'usr/lib', libraries)).find(name => /^ld-linux-.*\.so\.\d$/.test(name))
  if (loader === undefined) throw new Error('the packages hold no loader')
  const launcher = join(root, program.split('/').at(-1)!)
  const script = [
    '#!/bin/sh',
    'here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)',
    `libraries=$here/usr/lib/${libraries}`,
    `exec "$libraries/${loader}" --library-path "$libraries" "$here/${program}" "$@"`,
  ]
  writeFileSync(launcher, `${script.join('\n')}\n`)
  chmodSync(launcher, 0o755)
}
