/**
 * A former version of the project in a folder of its own, so that its processes run beside those of the present one. Its
 * packages find each other in that folder, and everything else in what is installed here.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { dropFolder, makeFolder } from './reaper.ts'

export interface OldVersion {
  /** The tag or the commit. */
  readonly name: string
  /** Its root. */
  readonly root: string
  drop(): void
}

/** Until something was released: the first commit that seals what goes through Redis. No fleet has both sorts of nodes. */
export const versionBefore = 'bae7bca170bd4a1da14611d7774c05abca9d5641'

const scope = '@flotilla'

/**
 * Writes out the newest release before the present commit, or `commit` where nothing was released yet.
 * @param root of the present version
 * @returns what is missing, in words, when it cannot be had here: no history, or no git
 */
export function openOldVersion(root: string, commit: string): OldVersion | string {
  const git = (...args: string[]) => spawnSync('git', ['-C', root, ...args], { maxBuffer: 256 * 1_048_576 })
  const inside = git('rev-parse', '--is-inside-work-tree')
  if (inside.status !== 0) return 'this is no checkout of git: clone the repository'
  const tags = git('tag', '--list', 'v*', '--sort=-v:refname', '--merged', 'HEAD~1').stdout.toString().split('\n')
  const name = tags[0] || commit
  if (git('cat-file', '-e', `${name}^{commit}`).status !== 0)
    return `the history does not reach back to ${name}: git fetch --unshallow --tags`
  const folder = makeFolder('old-version')
  try {
    const packed = git('archive', '--format=tar', name)
    const unpacked = spawnSync('tar', ['-x', '-C', folder], { input: packed.stdout })
    if (packed.status !== 0 || unpacked.status !== 0)
      throw new Error(`unable to write out ${name}: ${packed.stderr.toString()}${String(unpacked.stderr)}`)
    linkModules(root, folder)
  } catch (error) {
    dropFolder(folder)
    throw error
  }
  return { name, root: folder, drop: () => dropFolder(folder) }
}

/** Node takes a module from where a link leads: what is linked to the folder's own packages stays in the folder. */
function linkModules(root: string, folder: string): void {
  linkAll(join(root, 'node_modules'), join(folder, 'node_modules'))
  mkdirSync(join(folder, 'node_modules', scope))
  for (const workspace of workspacesOf(folder)) {
    const { name } = JSON.parse(readFileSync(join(folder, workspace, 'package.json'), 'utf8')) as { name: string }
    symlinkSync(join(folder, workspace), join(folder, 'node_modules', name))
    // What npm installs there has another version than its namesake at the root.
    const own = join(root, workspace, 'node_modules')
    if (existsSync(own)) linkAll(own, join(folder, workspace, 'node_modules'))
  }
}

function linkAll(from: string, to: string): void {
  mkdirSync(to)
  for (const name of readdirSync(from))
    if (name !== scope && !name.startsWith('.')) symlinkSync(join(from, name), join(to, name))
}

function workspacesOf(folder: string): string[] {
  return ['libs', 'apps']
    .flatMap(kind => readdirSync(join(folder, kind)).map(name => join(kind, name)))
    .filter(workspace => existsSync(join(folder, workspace, 'package.json')))
}
