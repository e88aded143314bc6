/**
 * A fresh database in some 25 ms: the migrations are applied once to a template, and every test file gets a copy of its
 * files.
 */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { sharedPostgres } from './servers.ts'

export interface TestDatabase {
  readonly url: string
  /** Removes it, also from under open connections. */
  drop(): Promise<void>
}

/** What a template holds. `key` names its content: another key, another template. */
export interface TemplateContent {
  readonly key: string
  fill(url: string): Promise<unknown>
}

/** A fresh, migrated database on the PostgreSQL of this test run. */
export async function testDatabase(content: TemplateContent = migrated()): Promise<TestDatabase> {
  return freshDatabase(await sharedPostgres(), content)
}

/** A fresh, migrated database on any server, such as one from `startPostgres`. */
export async function freshDatabase(serverUrl: string, content: TemplateContent = migrated()): Promise<TestDatabase> {
  const template = `flotilla_template_${content.key}`
  const name = `flotilla_test_${randomBytes(8).toString('hex')}`
  await asAdmin(serverUrl, async admin => {
    await makeTemplate(admin, serverUrl, template, content)
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`)
  })
  return {
    url: urlOf(serverUrl, name),
    async drop() {
      await asAdmin(serverUrl, admin => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
    },
  }
}

/** The database after every migration of this project. */
export function migrated(folder: string = migrationsFolder()): TemplateContent {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(join(folder, name)))
  return {
    key: hash.digest('hex').slice(0, 16),
    async fill(url) {
      // Imported here, so that tests that need no database load none of the domain.
      const { migrate } = await import('@flotilla/chat')
      await migrate(url)
    },
  }
}

function migrationsFolder(): string {
  for (let folder = fileURLToPath(new URL('.', import.meta.url)); ; folder = join(folder, '..')) {
    if (existsSync(join(folder, 'migrations'))) return join(folder, 'migrations')
    if (folder === join(folder, '..')) throw new Error('unable to find the folder migrations/')
  }
}

/** Any number that nobody else locks: files that start together must not make the template twice. */
const templateLock = 7_160_531

async function makeTemplate(
  admin: Client,
  serverUrl: string,
  template: string,
  content: TemplateContent,
): Promise<void> {
  const exists = async () => {
    const found = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate', [template])
    return found.rows.length === 1
  }
  if (await exists()) return
  await admin.query('SELECT pg_advisory_lock($1)', [templateLock])
  try {
    if (await exists()) return
    // Left by a run that ended half-way: it was never marked as a template.
    await admin.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`)
    await admin.query(`CREATE DATABASE ${template} STRATEGY file_copy`)
    await content.fill(urlOf(serverUrl, template))
    // A template can be copied only while nobody is connected to it.
    await admin.query(`ALTER DATABASE ${template} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`)
  } finally {
    await admin.query('SELECT pg_advisory_unlock($1)', [templateLock])
  }
}

async function asAdmin<T>(serverUrl: string, work: (admin: Client) => Promise<T>): Promise<T> {
  const admin = new Client({ connectionString: serverUrl, application_name: 'flotilla-testing' })
  admin.on('error', () => {})
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.end()
  }
}

function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${database}`
  return url.href
}
