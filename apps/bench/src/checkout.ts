/** Another commit of this project, checked out and installed beside it, to be measured next to the working tree. */
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectFolder } from '@flotilla/testing/load'

const run = (command: string, args: readonly string[], folder: string) =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim()

/**
 * Kept in .cache/bench by its hash, so that it is installed once.
 * @param name a commit, a branch, a tag
 * @returns its folder; @throws Error when there is no such commit
 */
export function checkOut(name: string): { readonly folder: string; readonly commit: string } {
  const commit = run('git', ['rev-parse', '--verify', '--short=10', `${name}^{commit}`], projectFolder)
  const folder = join(projectFolder, '.cache', 'bench', commit)
  const whole = join(folder, '.installed')
  if (existsSync(whole)) return { folder, commit }
  if (!existsSync(folder))
    run('git', ['clone', '--quiet', '--shared', '--no-checkout', projectFolder, folder], projectFolder)
  run('git', ['checkout', '--quiet', '--detach', commit], folder)
  run('npm', ['ci', '--no-fund', '--no-audit'], folder)
  writeFileSync(whole, '')
  return { folder, commit }
}
