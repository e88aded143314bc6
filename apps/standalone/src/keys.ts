/**
 * The keys of a standalone deployment: made at its first start, kept in one file that only its owner can read. They have
 * the names and the form of the settings of the fleet's processes, so that whoever grows out of standalone copies them.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generateTokenKey, parseTokenKeys, type TokenKey } from '@flotilla/api'
import { generateSecretKey, parseSecretKeys, type SecretKey, unusable } from '@flotilla/service'

export interface Keys {
  readonly master: readonly SecretKey[]
  readonly ticket: readonly SecretKey[]
  readonly refresh: readonly SecretKey[]
  readonly token: readonly TokenKey[]
  /** Of the embedded PostgreSQL. */
  readonly databasePassword: string
}

interface KeysFile {
  readonly MASTER_KEYS: string
  readonly TICKET_KEYS: string
  readonly REFRESH_KEYS: string
  readonly TOKEN_KEYS: unknown
  readonly POSTGRES_PASSWORD: string
}

/**
 * Reads the keys of a folder, or makes them.
 * @param mayMake false when there is data already: fresh keys could not open its messages
 * @throws Error that says what is wrong with the file, without a key
 */
export function loadKeys(folder: string, mayMake: boolean): Keys {
  const file = join(folder, 'keys.json')
  if (!existsSync(file)) {
    if (!mayMake)
      throw new Error(
        `unable to open the data in ${folder}: its keys.json is missing. Restore it from your backup: without it no message can be read`,
      )
    write(file, JSON.stringify(generate(), null, 2))
  }
  const text = readOwn(file)
  try {
    return parse(JSON.parse(text) as Partial<KeysFile>)
  } catch (error) {
    throw new Error(`unable to read ${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}

/** A start as another user leaves files that this one may not read. */
function readOwn(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw unusable(file, error)
  }
}

function generate(): KeysFile {
  // Ids of their own: keys of two deployments are never taken for each other.
  const fresh = () => generateSecretKey(`k${randomBytes(4).toString('hex')}`)
  return {
    MASTER_KEYS: fresh(),
    TICKET_KEYS: fresh(),
    REFRESH_KEYS: fresh(),
    TOKEN_KEYS: JSON.parse(generateTokenKey()),
    POSTGRES_PASSWORD: randomBytes(24).toString('base64url'),
  }
}

function parse(keys: Partial<KeysFile>): Keys {
  const text = (name: keyof KeysFile) => {
    const value = keys[name]
    if (typeof value !== 'string' || value === '') throw new Error(`${name} is missing`)
    return value
  }
  return {
    master: parseSecretKeys(text('MASTER_KEYS')),
    ticket: parseSecretKeys(text('TICKET_KEYS')),
    refresh: parseSecretKeys(text('REFRESH_KEYS')),
    token: parseTokenKeys(JSON.stringify(keys.TOKEN_KEYS)),
    databasePassword: text('POSTGRES_PASSWORD'),
  }
}

/** Whole or not at all, and on the disk before the first message is sealed: a lost master key is lost data. */
function write(file: string, text: string): void {
  const draft = `${file}.new`
  const handle = openSync(draft, 'w', 0o600)
  writeSync(handle, `${text}\n`)
  fsyncSync(handle)
  closeSync(handle)
  renameSync(draft, file)
  const folder = openSync(dirname(file), 'r')
  fsyncSync(folder)
  closeSync(folder)
}
