/**
 * What a process does about the schema before it begins: brings it up to date, or waits until somebody else has. A store
 * that is not up yet is waited for, within bounds; a mistake (a wrong password, a migration that fails) ends it at once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChatLogger } from '../ports.ts'
import { checkPooler } from './check-pooler.ts'
import { remedyOf } from './failures.ts'
import { MigrationLocked, migrate, missingMigrations } from './migrate.ts'

export interface SchemaOptions {
  readonly url: string
  /** Whether to migrate; otherwise somebody else does. */
  readonly migrates: boolean
  readonly waitMsMax: number
  readonly logger: ChatLogger
  /** What it waits for, as soon as it does, and whenever that changes. */
  readonly onWait?: (reason: string) => void
  readonly folder?: string
  /** Shown in pg_stat_activity, and to those who wait for this one. */
  readonly applicationName?: string
}

/** Between two looks. */
const lookMs = 500

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
    const { applied, reason, error } = await look(options)
    if (applied !== undefined) return applied
    if (leftMs <= 0) throw new Error(`unable to start: ${reason} (waited ${options.waitMsMax} ms)`, { cause: error })
    if (reason !== told) {
      logger.warn({ err: error, leftMs: Math.ceil(leftMs), reason }, 'waiting to start')
      options.onWait?.(reason)
      told = reason
    }
    await sleep(Math.min(lookMs, leftMs))
  }
}

type Look =
  | { readonly applied: string[]; readonly reason?: never; readonly error?: never }
  | { readonly applied?: never; readonly reason: string; readonly error?: unknown }

async function look(options: SchemaOptions): Promise<Look> {
  const { url, migrates, folder, applicationName } = options
  const more = {
    ...(folder === undefined ? {} : { folder }),
    ...(applicationName === undefined ? {} : { applicationName }),
  }
  try {
    const applied = migrates ? await migrate(url, { ...more, lockMsMax: 0 }) : []
    const [lacking] = migrates ? [] : await missingMigrations(url, folder)
    if (lacking !== undefined) return { reason: `the schema is older than this version: it lacks ${lacking}` }
    await checkPooler(url)
    return { applied }
  } catch (error) {
    if (!isAway(error)) throw error
    return { reason: reasonOf(error), error }
  }
}

/** A session that was not as it was taken for: with a connection that was just made, that is a mistake. */
const ofSession = /^(0A000|26000|42P05|25(?!006))/

/** At the start a mistake in the settings, or in a migration, is not waited for. */
function isAway(error: unknown): boolean {
  const remedy = remedyOf(error)
  return (
    error instanceof MigrationLocked || (remedy !== undefined && remedy !== 'mend' && !ofSession.test(codeOf(error)))
  )
}

const readOnly = new Set(['25006', 'ESTANDBY'])

function reasonOf(error: unknown): string {
  // Whom one waits for, or which migration failed.
  if (error instanceof MigrationLocked || (error instanceof Error && error.cause instanceof Error)) return error.message
  return readOnly.has(codeOf(error)) ? 'PostgreSQL takes no writes' : 'PostgreSQL does not answer'
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  return 'code' in error ? String(error.code) : codeOf(error.cause)
}
