/**
 * Configuration is declared: a name, a type, a default and a sentence. A process reads all its settings once at start;
 * every mistake is reported together, and docs/configuration.md is generated from the same declarations.
 */
import { readFileSync } from 'node:fs'
import { parseSecretKeys } from './ticket.ts'

/** One declared setting. A setting without a default must be given. */
export interface Setting<T> {
  readonly type: string
  readonly description: string
  readonly default: T | undefined
  readonly required: boolean
  /** Never printed, neither in logs nor in error messages. */
  readonly secret: boolean
  /** @throws Error with the rule that the text breaks */
  parse(text: string): T
}

export type Settings = Readonly<Record<string, Setting<unknown>>>
export type Values<S extends Settings> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never }

function setting<T>(
  type: string,
  parse: (text: string) => T,
  description: string,
  fallback: { value: T } | undefined,
  secret = false,
): Setting<T> {
  return { type, description, default: fallback?.value, required: fallback === undefined, secret, parse }
}

const toText = (text: string) => text
const toList = (text: string) =>
  text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')

function toInteger(min: number, max: number) {
  return (text: string) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < min || value > max)
      throw new Error(`must be a whole number from ${min} to ${max}`)
    return value
  }
}

function toDecimal(min: number, max: number) {
  return (text: string) => {
    const value = Number(text)
    if (!(value >= min && value <= max)) throw new Error(`must be a number from ${min} to ${max}`)
    return value
  }
}

/** As people write them in one tool or another. */
const switches: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  1: true,
  false: false,
  off: false,
  no: false,
  0: false,
}

function toBoolean(text: string): boolean {
  const value = Object.hasOwn(switches, text.toLowerCase()) ? switches[text.toLowerCase()] : undefined
  if (value === undefined) throw new Error('must be true or false (on or off, yes or no, 1 or 0)')
  return value
}

export const text = (fallback: string, description: string) => setting('text', toText, description, { value: fallback })
export const optionalText = (description: string) =>
  setting<string | undefined>('text', toText, description, { value: undefined })
export const secret = (description: string) =>
  setting<string | undefined>('secret', toText, description, { value: undefined }, true)
/** A set of keys, `id:base64 of 32 bytes`, comma-separated. */
export const requiredKeys = (description: string) => setting('secret', parseSecretKeys, description, undefined, true)
/** A URL that may hold a password, so it is treated as a secret. `parse` knows which are meant. */
export const requiredUrl = (description: string, parse: (text: string) => string) =>
  setting('URL', parse, description, undefined, true)
export const optionalUrl = (description: string, parse: (text: string) => string) =>
  setting<string | undefined>('URL', parse, description, { value: undefined }, true)
export const integer = (fallback: number, range: { min: number; max: number }, description: string) =>
  setting(`whole number, ${range.min} to ${range.max}`, toInteger(range.min, range.max), description, {
    value: fallback,
  })
export const decimal = (fallback: number, range: { min: number; max: number }, description: string) =>
  setting(`number, ${range.min} to ${range.max}`, toDecimal(range.min, range.max), description, { value: fallback })
export const port = (fallback: number, description: string) => integer(fallback, { min: 0, max: 65_535 }, description)
export const flag = (fallback: boolean, description: string) =>
  setting('true or false', toBoolean, description, { value: fallback })
export const list = (fallback: readonly string[], description: string) =>
  setting<readonly string[]>('comma-separated list', toList, description, { value: fallback })
export const choice = <const T extends string>(options: readonly T[], fallback: T, description: string) =>
  setting<T>(
    options.join(' | '),
    value => {
      if (!options.includes(value as T)) throw new Error(`must be one of ${options.join(', ')}`)
      return value as T
    },
    description,
    { value: fallback },
  )

/**
 * What the environment gives for a setting. Secrets may stand in files, named by NAME_FILE: orchestrators mount them so,
 * and what is in no environment is in no crash report and no list of processes.
 */
function givenFor(
  name: string,
  declared: Setting<unknown>,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const value = environment[name] ?? ''
  const file = environment[`${name}_FILE`] ?? ''
  if (!declared.secret || file === '') return value
  if (value !== '') throw new Error(`and ${name}_FILE are both set`)
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new Error(`cannot be read from ${name}_FILE: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}

/** At the start of a process: what is wrong with its settings is said in a sentence, and it ends with 1. */
export function settingsOrEnd<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return process.exit(1)
  }
}

/**
 * Reads declared settings from an environment. An empty value counts as missing; a secret may be in a file.
 * @throws Error that names every setting at fault and its rule; values of secrets are not shown
 */
export function readSettings<const S extends Settings>(
  settings: S,
  environment: Readonly<Record<string, string | undefined>>,
): Values<S> {
  const faults: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, declared] of Object.entries(settings)) {
    try {
      const given = givenFor(name, declared, environment)
      if (given === '' && declared.required) faults.push(`${name} is missing: ${declared.description}`)
      values[name] = given === '' ? declared.default : declared.parse(given)
    } catch (error) {
      const shown = declared.secret ? '' : ` (is ${JSON.stringify(environment[name])})`
      faults.push(`${name} ${error instanceof Error ? error.message : 'is not valid'}${shown}`)
    }
  }
  if (faults.length > 0) throw new Error(`unable to start: ${faults.join('; ')}`)
  return values as Values<S>
}

/**
 * Settings that are given and that this process does not read: of another one, or with this product's prefix.
 * @param others the settings of other processes, by what they are called
 * @returns a sentence for each
 */
export function unreadSettings(
  own: Settings,
  others: Readonly<Record<string, Settings>>,
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  const isOwn = (name: string) => Object.hasOwn(own, name)
  return Object.keys(environment)
    .filter(given => (environment[given] ?? '') !== '')
    .flatMap(given => {
      const name = given.replace(/_FILE$/, '')
      if (isOwn(given) || (isOwn(name) && own[name]?.secret === true)) return []
      const owner = Object.keys(others).find(
        other => Object.hasOwn(others[other]!, given) || others[other]![name]?.secret,
      )
      if (owner !== undefined) return `${given} is a setting of the ${owner} and ignored here`
      return given.startsWith('FLOTILLA_') ? `${given} is unknown and ignored` : []
    })
}

/** The rows of docs/configuration.md for one process. */
export function describeSettings(settings: Settings): string {
  const rows = Object.entries(settings).map(([name, declared]) => {
    const shown = Array.isArray(declared.default)
      ? declared.default.join(',')
      : String((declared.default as string | number | boolean | undefined) ?? '')
    const fallback = declared.required ? '**required**' : shown === '' ? 'none' : `\`${shown}\``
    return `| \`${name}\` | ${declared.type.replaceAll('|', '\\|')} | ${fallback} | ${declared.description.replaceAll('|', '\\|')} |`
  })
  return ['| setting | type | default | what it does |', '|---|---|---|---|', ...rows].join('\n')
}
