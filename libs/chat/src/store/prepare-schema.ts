/**
 * What a process does about the schema before it begins: brings it up to date, or waits until somebody else has. A store
 * that is not up yet is waited for, within bounds; a mistake (a wrong password, a migration that fails) ends it at once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChatLogger } from '../context.ts'
import { migrate, migrationsFolder, missingMigrations } from './migrate.ts'
import { remedyOf } from './failures.ts'

export interface SchemaOptions {
  readonly url: string
  /** Whether to migrate; otherwise somebody else does. */
  readonly migrates: boolean
  readonly waitMsMax: number
  readonly logger: ChatLogger
  /** What it waits for, as soon as it does, and whenever that changes. */
  readonly onWait?: (reason: string) => void
  readonly folder?: string
}

/** Between two looks. */
const lookMs = 500
/** Whoever migrates is waited for in portions, so that it can be told meanwhile. */
const lockMsMax = 5_000

/**
 * Resolves when the schema is at least as new as this version.
 * @returns the migrations that this call applied
 * @throws Error when it does not come to that in time, or cannot
 */
export async function prepareSchema(options: SchemaOptions): Promise<string[]> {
  const { logger } = options
  const deadline = performance.now() + options.waitMsMax
  let told: string | undefined
  for (;;) {
    const leftMs = deadline - performance.now()
    const { applied, reason, error } = await look(options, leftMs)
    if (applied !== undefined) return applied
    if (leftMs <= 0)
      throw new Error(`unable to start: ${reason}, and it has waited ${options.waitMsMax} ms`, { cause: error })
    if (reason !== told) {
      logger.warn({ err: error, leftMs: Math.ceil(leftMs) }, `the start waits: ${reason}`)
      options.onWait?.(reason)
      told = reason
    }
    await sleep(Math.min(lookMs, leftMs))
  }
}

type Look =
  | { readonly applied: string[]; readonly reason?: never; readonly error?: never }
  | { readonly applied?: never; readonly reason: string; readonly error?: unknown }

async function look(options: SchemaOptions, leftMs: number): Promise<Look> {
  const { url, folder = migrationsFolder() } = options
  try {
    if (options.migrates) return { applied: await migrate(url, folder, Math.min(lockMsMax, Math.max(1, leftMs))) }
    const [lacking] = await missingMigrations(url, folder)
    return lacking === undefined
      ? { applied: [] }
      : { reason: `the schema is older than this version: it lacks ${lacking}` }
  } catch (error) {
    if (!isAway(error)) throw error
    return { reason: reasonOf(error), error }
  }
}

/** At the start a mistake in the settings is not waited for. */
function isAway(error: unknown): boolean {
  const remedy = remedyOf(error)
  return remedy !== undefined && remedy !== 'mend'
}

const lockNotAvailable = '55P03'
const readOnly = new Set(['25006', 'ESTANDBY'])

function reasonOf(error: unknown): string {
  // Of a migration that failed, which.
  if (error instanceof Error && error.cause instanceof Error) return error.message
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === lockNotAvailable) return 'another process migrates'
  return readOnly.has(code) ? 'PostgreSQL takes no writes' : 'PostgreSQL does not answer'
}
