/**
 * Makes the keys of a deployment, for those who have no other place for secrets: `node dist/make-keys.js FOLDER` writes a
 * file for each, named as settings with `_FILE` expect them. What is there is kept: a new master key opens no old message.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { generateSecretKey, readCommandLine } from '@flotilla/service'
import { generateTokenKey } from './sign-in/tokens.ts'

// Ids of their own: keys of two deployments are never taken for each other.
const newKey = () => generateSecretKey(`k${randomBytes(4).toString('hex')}`)

const makers: Readonly<Record<string, () => string>> = {
  'master-keys': newKey,
  'ticket-keys': newKey,
  'refresh-keys': newKey,
  'token-keys': generateTokenKey,
}

/** Readable for whoever sees the folder: its processes may run as other users. Whole or not at all. */
function writeOnce(file: string, text: string): boolean {
  if (existsSync(file)) return false
  const draft = `${file}.new`
  const handle = openSync(draft, 'w', 0o444)
  writeSync(handle, `${text}\n`)
  fsyncSync(handle)
  closeSync(handle)
  renameSync(draft, file)
  return true
}

/**
 * Writes the keys that a folder lacks.
 * @returns the names of the files that were written
 */
export function makeKeys(folder: string): string[] {
  mkdirSync(folder, { recursive: true })
  const made = Object.entries(makers).filter(([name, make]) => writeOnce(join(folder, name), make()))
  const handle = openSync(folder, 'r')
  fsyncSync(handle)
  closeSync(handle)
  return made.map(([name]) => name)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { words } = readCommandLine({
    usage: 'node apps/api/dist/make-keys.js FOLDER',
    about: 'Generates the keys of a deployment into a folder, one file each. Existing keys are kept.',
    words: { min: 1, max: 1 },
    settings: 'API',
  })
  const [folder = ''] = words
  const made = makeKeys(folder)
  console.log(made.length === 0 ? `${folder} has all keys` : `made in ${folder}: ${made.join(', ')}`)
}
