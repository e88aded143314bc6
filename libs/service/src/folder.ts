/**
 * The folder in which everything is kept that must outlive the process. It is made at the first start and keeps itself
 * out of git, as it holds keys. Where it cannot be used, one sentence says whose it is and what to do.
 */
import { spawnSync } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** What Flotilla makes in it. A folder that holds anything else belongs to somebody, who decides what git sees. */
const ours = /^(keys\.json|postgres|files|chat-[\w.-]+\.json|lock)(\.\w+)*$/

/**
 * Makes the folder, or finds it fit for use.
 * @returns its real path
 * @throws Error with a sentence for whoever starts this
 */
export function openFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true })
    const folder = realpathSync(path)
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    const ignore = join(folder, '.gitignore')
    if (!existsSync(ignore) && readdirSync(folder).every(name => ours.test(name))) writeFileSync(ignore, '*\n')
    return folder
  } catch (error) {
    throw unusable(path, error)
  }
}

/** Why a file or a folder cannot be used, and what to do. @param path what was to be read, written or made */
export function unusable(path: string, error: unknown): Error {
  const { code = '', message } = error as NodeJS.ErrnoException
  return new Error(`unable to use ${resolve(path)}: ${reasons[code]?.(resolve(path)) ?? message}`, { cause: error })
}

const another = 'take another folder: FLOTILLA_FOLDER=~/flotilla npm start'

function notOurs(path: string): string {
  const there = nearest(path)
  const owner = ownerOf(there)
  const me = nameOfSelf()
  const what = there === path ? 'it belongs' : `${there} belongs`
  // What is one's own can still be closed, and a folder of root is seldom to be given away.
  if (owner === me) return `its permissions keep ${me} out. Open it with chmod -R u+rwX ${there}, or ${another}`
  const giveAway = there === path ? `give it away with sudo chown -R ${me} ${path}, ` : ''
  return `${what} to ${owner}, and this is ${me}. Start as ${owner}, ${giveAway}or ${another}`
}

const notAFolder = (path: string) => `${nearest(path)} is not a folder. Move it away, or ${another}`

const reasons: Readonly<Record<string, (path: string) => string>> = {
  EACCES: notOurs,
  EPERM: notOurs,
  EROFS: () => `the file system can only be read. Mount it for writing, or ${another}`,
  ENOSPC: () => `the disk is full. Make room, or ${another}`,
  EDQUOT: () => `the quota of this user is used up. Make room, or ${another}`,
  ENOTDIR: notAFolder,
  EEXIST: notAFolder,
}

/** The path itself, or the folder above it that is there and can be seen. */
function nearest(path: string): string {
  for (let at = path; ; at = dirname(at)) if (existsSync(at) || at === dirname(at)) return at
}

/** The name of whom a file belongs to, or the number where nobody has it. */
export const ownerOf = (path: string): string => nameOf(statSync(path).uid)

export function nameOf(uid: number): string {
  const { status, stdout } = spawnSync('id', ['-un', String(uid)], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : `user ${uid}`
}

function nameOfSelf(): string {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.()}`
  }
}
